"""`ar` and `ranlib`: what LLVM's does not have, the image's own does."""

from __future__ import annotations

import pytest

from tests.unit.shim_bench import Bench, build_bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return build_bench(tmp_path_factory.mktemp("shim"))


@pytest.fixture(autouse=True)
def _as_configured(bench: Bench) -> None:
    bench.configure()


#: Calls, LLVM's words, and the reason of the second try.
REFUSED = [
    ("ar rcsf a.a x.o", "ar: error: unknown option f", "unknown-option f"),
    ("ar --record-libdeps=-lm -r a.a x.o", "ar: error: unknown option -", "unknown-option -"),
    ("gcc-ar --weird a.a", "ar: error: unknown argument --weird", "unknown-option --weird"),
    ("ranlib -H a.a", "ranlib: error: Invalid option: '-H'", "unknown-option -H"),
    ("ar -M", "ar: error: script line 1: unknown command: open", "unknown-option open"),
]


@pytest.mark.parametrize(("command", "said", "reason"), REFUSED, ids=[c for c, _, _ in REFUSED])
def test_what_llvms_lacks_the_images_own_does(
    bench: Bench, command: str, said: str, reason: str
) -> None:
    done = bench.run(
        command,
        ZIG_STATUS="1",
        ZIG_STDERR=f"{said}\n",
        ZIG_STDOUT="pages of help",
        REAL_STDOUT="done",
        REAL_STDERR="so-so",
        REAL_STATUS="3",
    )
    assert (done.status, done.out, done.err) == (3, "done", "so-so")
    assert done.real == [command.split()[1:]]
    assert [(line[0], line[2], line[4]) for line in bench.calls] == [("fallback", "3", reason)]


@pytest.mark.parametrize(("command", "said", "reason"), REFUSED[:1] + REFUSED[3:4])
def test_native_only_makes_it_an_error(bench: Bench, command: str, said: str, reason: str) -> None:
    bench.configure(policy="native-only")
    done = bench.run(command, ZIG_STATUS="1", ZIG_STDERR=f"{said}\n", ZIG_STDOUT="help")
    last = f"aarch64-wheels: {reason}: not allowed by --compiler native-only\n"
    assert (done.status, done.out, done.err) == (1, "help", f"{said}\n{last}")
    assert done.real == []
    assert [(line[0], line[2], line[4]) for line in bench.calls] == [("native", "1", reason)]


@pytest.mark.parametrize(
    "said",
    [
        "ar: error: unable to load 'a.a': No such file or directory",
        "ar: error: only one operation may be specified",
        "ar: error: x.o: truncated or malformed object",
    ],
)
def test_other_errors_are_final(bench: Bench, said: str) -> None:
    done = bench.run("ar t a.a", ZIG_STATUS="1", ZIG_STDERR=f"{said}\n")
    assert (done.status, done.err, done.real) == (1, f"{said}\n", [])
    assert [(line[0], line[2], line[4]) for line in bench.calls] == [("native", "1", "-")]


def test_success_says_what_llvms_said(bench: Bench) -> None:
    done = bench.run("ar t a.a", ZIG_STDOUT="x.o\n", ZIG_STDERR="ar: error: unknown option f\n")
    assert (done.status, done.out, done.real) == (0, "x.o\n", [])
    assert done.err == "ar: error: unknown option f\n"


def test_script_is_read_by_both(bench: Bench) -> None:
    said = "ar: error: script line 1: unknown command: open\n"
    for name in ("ZIG", "REAL"):
        (bench.root / f"{name}.stdin").unlink(missing_ok=True)
    bench.run(
        "ar -M",
        stdin="open a.a\n",
        ZIG_STATUS="1",
        ZIG_STDERR=said,
        ZIG_STDIN="read",
        REAL_STDIN="read",
    )
    for name in ("ZIG", "REAL"):
        assert (bench.root / f"{name}.stdin").read_text() == "open a.a\n"


def test_killed_archiver_is_no_reason(bench: Bench) -> None:
    done = bench.run("ar rcs a.a x.o", ZIG_SIGNAL="TERM")
    assert (done.status, done.real) == (-15, [])
