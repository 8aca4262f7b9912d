"""Response files, standard streams, signals, questions and the record."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.shim_bench import Bench, build_bench

#: What a word of a command line may hold here: anything but NUL and the fake's own marks.
WORDS = st.lists(
    st.text(
        st.characters(exclude_characters="\0\1", exclude_categories=["Cs"]), min_size=1, max_size=12
    ),
    max_size=6,
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return build_bench(tmp_path_factory.mktemp("shim"))


@pytest.fixture(autouse=True)
def _as_configured(bench: Bench) -> None:
    bench.configure()


def _quoted(word: str, quote: str) -> str:
    """Write a word as GCC reads it in a response file: a backslash counts within quotes too."""
    special = "\\" + (quote or " \t\n\r\v\f'\"")
    escaped = "".join(f"\\{c}" if c in special else c for c in word)
    return f"{quote}{escaped}{quote}"


@QUICK
@given(words=WORDS, quote=st.sampled_from(["", "'", '"']), gap=st.sampled_from([" ", "\n", "\t "]))
def test_response_files_are_read_as_gcc_does(
    bench: Bench, words: list[str], quote: str, gap: str
) -> None:
    text = gap.join(_quoted(f"-D{word}", quote) for word in words)
    (bench.root / "words.rsp").write_bytes(text.encode())
    done = bench.run(["gcc", "-c", "@words.rsp", "x.c"])
    assert done.words == ["-c", *(f"-D{word}" for word in words), "x.c"]


@QUICK
@given(words=WORDS)
def test_words_are_handed_on_exactly(bench: Bench, words: list[str]) -> None:
    given_words = ["gcc", "-c", *(f"-D{word}" for word in words), "x.c"]
    assert bench.run(given_words).words == given_words[1:]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b", ["a", "b"]),
        ("  a\n\n b\n", ["a", "b"]),
        ('"a b" c', ["a b", "c"]),
        ("'a \"b' c", ['a "b', "c"]),
        (r"a\ b \'c", ["a b", "'c"]),
        (r"'a\'b'", ["a'b"]),
        ('x"a b"y', ["xa by"]),
        ('""', [""]),
        ("a\\", ["a"]),
        ("", []),
        ("@inner.rsp c", ["i", "j", "c"]),
        ("@nonesuch.rsp c", ["@nonesuch.rsp", "c"]),
    ],
)
def test_response_file_quoting(bench: Bench, text: str, words: list[str]) -> None:
    (bench.root / "inner.rsp").write_text("i j")
    (bench.root / "outer.rsp").write_text(text)
    assert bench.run("gcc @outer.rsp -c").words == [*words, "-c"]


def test_endless_response_file_ends(bench: Bench) -> None:
    (bench.root / "self.rsp").write_text("@self.rsp")
    assert bench.run("gcc -c @self.rsp").words == ["-c", "@self.rsp"]


def test_directory_is_no_response_file(bench: Bench) -> None:
    assert bench.run("gcc -c @libraries").words == ["-c", "@libraries"]


def test_gcc_reads_response_files_itself(bench: Bench) -> None:
    (bench.root / "omp.rsp").write_text("-fopenmp x.c")
    assert bench.run("gcc -c @omp.rsp").real == [["-c", "@omp.rsp"]]


def test_words_too_long_for_one_call(bench: Bench) -> None:
    """They travel as a response file in memory, and none is lost."""
    many = [f"-DNAME_{number}=a \"b\" 'c' \\d" for number in range(20_000)]
    (bench.root / "many.rsp").write_text("\n".join(_quoted(word, '"') for word in many))
    script = bench.root / "native/zig/zig"
    fake = script.read_text()
    copy = f'cat "${{2#@}}" > "{bench.root}/seen.rsp"\n'
    script.write_text(fake.replace("#!/bin/sh\n", f"#!/bin/sh\n{copy}"))
    try:
        done = bench.run("gcc @many.rsp -c x.c")
    finally:
        script.write_text(fake)
    assert len(done.clang[0]) == 2
    seen = (bench.root / "seen.rsp").read_text().splitlines()
    assert [line for line in seen if "NAME_" in line] == [_quoted(word, '"') for word in many]


def test_input_survives_for_the_second_compiler(bench: Bench) -> None:
    said = "<stdin>:1:2: error: function definition is not allowed here\n"
    bench.run(
        "gcc -x c - -c -o x.o",
        stdin="the source",
        ZIG_STATUS="1",
        ZIG_STDERR=said,
        ZIG_STDIN="read",
        REAL_STDIN="read",
    )
    for name in ("ZIG", "REAL"):
        assert (bench.root / f"{name}.stdin").read_text() == "the source"


@pytest.mark.parametrize(
    "command",
    ["gcc -E x.c", "cpp x.c", "gcc -M x.c", "gcc -S x.c -o -", "gcc -S x.c -o /dev/stdout"],
)
def test_data_of_a_failed_try_is_not_shown(bench: Bench, command: str) -> None:
    said = "x.c:1:2: error: function definition is not allowed here\n"
    done = bench.run(
        command, ZIG_STATUS="1", ZIG_STDERR=said, ZIG_STDOUT="half", REAL_STDOUT="whole"
    )
    assert (done.status, done.out, done.err) == (0, "whole", "")


def test_data_of_a_success_is_shown(bench: Bench) -> None:
    done = bench.run("gcc -E x.c", ZIG_STDOUT="x" * 100_000)
    assert (done.status, done.out) == (0, "x" * 100_000)


@pytest.mark.parametrize("name", ["TERM", "KILL", "INT"])
def test_end_by_a_signal_is_handed_on(bench: Bench, name: str) -> None:
    """Somebody stopped the compiler: that says nothing about the code."""
    done = bench.run("gcc -c x.c", ZIG_SIGNAL=name)
    assert (done.status, done.real) == (-signal.Signals[f"SIG{name}"], [])
    assert bench.calls[0][2] == str(128 + signal.Signals[f"SIG{name}"])


def test_crash_of_clang_asks_gcc(bench: Bench) -> None:
    done = bench.run("gcc -c x.c", ZIG_SIGNAL="SEGV", REAL_STATUS="7")
    assert (done.status, bench.calls[0][4]) == (7, "clang-crash")


def test_killed_shim_takes_clang_along(bench: Bench) -> None:
    script = bench.root / "native/zig/zig"
    fake = script.read_text()
    script.write_text(f"#!/bin/sh\necho $$ > {bench.root}/pid\nexec sleep 60\n")
    try:
        with subprocess.Popen([bench.root / "work/compilers/gcc", "-c", "x.c"]) as shim:
            pid = _wait_for(bench.root / "pid")
            shim.kill()
        for _ in range(100):
            if not Path(f"/proc/{pid}").exists() or _is_zombie(pid):
                break
            time.sleep(0.05)
        else:
            pytest.fail("clang outlived the shim")
    finally:
        script.write_text(fake)


def _wait_for(path: Path) -> str:
    for _ in range(200):
        if path.exists() and path.read_text().strip():
            return path.read_text().strip()
        time.sleep(0.05)
    pytest.fail("the fake clang did not start")


def _is_zombie(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


#: Questions, and whether they are answered from the record.
@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("gcc -dumpmachine", "recorded triplet\n"),
        ("g++ -O2 -Wall -I x -dumpmachine", "recorded triplet\n"),
        ("gcc -print-file-name=there.a", "{root}/libraries/there.a\n"),
        ("gcc --print-file-name=there.a", "{root}/libraries/there.a\n"),
        ("gcc -print-file-name=nowhere.a", "nowhere.a\n"),
        ("gcc -print-prog-name=sub/ld", "recorded program\n"),
        # What is not recorded, or depends on other options, GCC says itself.
        ("gcc -print-multi-os-directory", None),
        ("gcc -mabi=ilp32 -dumpmachine", "recorded triplet\n"),
        ("gcc -mstrict-align -dumpmachine", None),
        ("gcc -B/x -print-file-name=there.a", None),
        ("gcc --sysroot=/x -print-search-dirs", None),
        ("gcc -Q --help=target", None),
        ("gcc --target-help", None),
    ],
)
def test_questions(bench: Bench, command: str, answer: str | None) -> None:
    (bench.root / "work/answers/dumpmachine").write_text("recorded triplet\n")
    (bench.root / "work/answers/print-prog-name=sub%ld").write_text("recorded program\n")
    (bench.root / "libraries/there.a").write_text("")
    done = bench.run(command, REAL_STDOUT="asked", REAL_STATUS="0")
    expected = "asked" if answer is None else answer.format(root=bench.root)
    assert (done.status, done.out, done.clang) == (0, expected, [])
    assert done.real == ([command.split()[1:]] if answer is None else [])


@pytest.mark.parametrize(
    ("command", "role", "files"),
    [
        ("gcc -c x.c -o o/x.o", "cc", ["o/x.o", "x.c"]),
        ("gcc -c d/x.c", "cc", ["x.o", "d/x.c"]),
        ("g++ -S x.cc", "c++", ["x.s", "x.cc"]),
        ("gcc x.o y.o -lm", "cc", ["a.out", "x.o", "y.o"]),
        ("gcc -E x.c", "cc", ["-", "x.c"]),
        ("gcc x.h", "cc", ["x.h.gch", "x.h"]),
        ("gcc a.c b.c -c", "cc", ["-", "a.c", "b.c"]),
        ("ar rcs a.a x.o y.o", "ar", ["a.a", "x.o", "y.o"]),
        ("ranlib a.a", "ranlib", ["a.a"]),
        ("ld -o x x.o y.a", "ld", ["x", "x.o", "y.a"]),
        ("gcc -c 'a\tb\n.c'", "cc", ["a?b?.o", "a?b?.c"]),
    ],
)
def test_record(bench: Bench, command: str, role: str, files: list[str]) -> None:
    bench.run(command)
    ((how, tool, status, milliseconds, reason, flags, directory, *names),) = bench.calls
    assert (how, tool, status, reason, directory) == ("native", role, "0", "-", str(bench.root))
    assert int(milliseconds) < 60_000
    assert len(flags) == 16
    assert int(flags, 16) > 0
    assert names == files


def test_flags_hash_leaves_out_names(bench: Bench) -> None:
    commands = [
        "gcc -O2 -c x.c -o x.o -MF x.d",
        "gcc -O2 -c y.c -o y.o -MF y.d",
        "gcc -O3 -c x.c -o x.o -MF x.d",
    ]
    for command in commands:
        bench.run(command)
    first, second, third = (line[5] for line in bench.calls)
    assert first == second != third


def test_record_that_cannot_be_written_stops_nothing(bench: Bench) -> None:
    (bench.root / "work/calls").unlink()
    (bench.root / "work/calls").mkdir()
    try:
        assert bench.run("gcc -c x.c").status == 0
    finally:
        (bench.root / "work/calls").rmdir()


def test_parallel_calls_do_not_mix(bench: Bench) -> None:
    shim = bench.root / "work/compilers/gcc"
    names = [f"{'n' * 200}{number}.c" for number in range(30)]
    children = [subprocess.Popen([shim, "-c", name], cwd=bench.root) for name in names]
    for child in children:
        assert child.wait(timeout=60) == 0
    assert sorted(line[-1] for line in bench.calls) == sorted(names)
    assert {len(line) for line in bench.calls} == {9}
