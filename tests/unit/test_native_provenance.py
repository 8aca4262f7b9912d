"""The record of compiler calls: what it tells, and what it cannot do to us."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aarch64_wheels.native import provenance
from aarch64_wheels.native.provenance import made_by, parse_calls, summarize, trace
from aarch64_wheels.report.model import CallSummary, ObjectRecord

CWD = "/aarch64-wheels/project"
EXT = "cpython-313-aarch64-linux-gnu.so"


def line(
    tool: str,
    output: str,
    *inputs: str,
    how: str = "native",
    status: str = "0",
    milliseconds: str = "120",
    reason: str = "-",
    cwd: str = CWD,
) -> str:
    fields = (how, tool, status, milliseconds, reason, "0123456789abcdef", cwd, output, *inputs)
    return "\t".join(fields) + "\n"


def by_gcc(tool: str, output: str, *inputs: str, reason: str = "openmp", cwd: str = CWD) -> str:
    return line(tool, output, *inputs, how="fallback", reason=reason, cwd=cwd)


def compilers(record: str, *members: str) -> list[tuple[str, ...]]:
    calls = parse_calls(record.encode())
    return [item.compilers for item in trace(calls, members, native="clang", fallback="gcc")]


def test_a_line_is_a_call() -> None:
    (call,) = parse_calls(
        by_gcc("c++", "build/a.o", "src/../a.cpp", reason="unknown-option -fx").encode()
    )
    assert (call.native, call.tool, call.status, call.milliseconds) == (False, "c++", 0, 120)
    assert (call.reason, call.directory) == ("unknown-option -fx", CWD)
    assert (call.output, call.inputs) == (f"{CWD}/build/a.o", (f"{CWD}/a.cpp",))


def test_a_dash_is_nothing() -> None:
    (call,) = parse_calls(line("cc", "-", "a.c").encode())
    assert (call.reason, call.output) == ("", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "native",
        "native\tcc\t0\t1\t-\tff\t/x",
        line("cc", "a.o").replace("native", "nativ", 1),
        line("cc", "a.o", status=""),
        line("cc", "a.o", status="0x1"),
        line("cc", "a.o", status="9" * 5000),
        line("cc", "a.o", status="٣"),
        line("cc", "a.o", milliseconds="-5"),
        line("cc", "a.o", milliseconds="1e9"),
        line("cc", "a.o", milliseconds="nan"),
        line("cc", "a.o").replace("\t", " "),
        pytest.param(line("cc", "a.o", "x" * 5000), id="long-input"),
        pytest.param(line("cc", "a.o", cwd="/x" * 5000), id="long-directory"),
    ],
)
def test_what_is_no_call_is_passed_over(text: str) -> None:
    good = line("cc", "b.o", "b.c")
    assert len(parse_calls((text + "\n" + good).encode())) == 1


def test_a_last_line_without_an_end_counts() -> None:
    assert len(parse_calls(line("cc", "a.o", "a.c").rstrip("\n").encode())) == 1


def test_bytes_that_are_no_text_are_read_all_the_same() -> None:
    record = line("cc", "NAME.o", "NAME.c").encode().replace(b"NAME", b"\xff\xfe\x00")
    assert len(parse_calls(record)) == 1


@settings(deadline=None)
@given(st.binary(max_size=300), st.lists(st.text(max_size=8), max_size=12))
def test_nothing_in_a_record_breaks_it(noise: bytes, fields: list[str]) -> None:
    record = noise + b"\n" + "\t".join(["fallback", *fields]).encode(errors="replace")
    calls = parse_calls(record)
    summarize(calls)
    trace(calls, ["a.so", "", "/", *fields], native="clang", fallback="gcc")


def test_a_record_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    text = line("cc", "a.o", "a.c")
    monkeypatch.setattr(provenance, "MAX_BYTES", len(text) * 5 // 2)
    assert len(parse_calls(text.encode() * 10)) == 2


def test_inputs_have_a_largest_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "MAX_INPUTS", 3)
    record = line("ar", "x.a", "1.o", "2.o", "3.o", "4.o") + line("cc", "a.o", "a.c") * 9
    assert [call.tool for call in parse_calls(record.encode())] == ["cc"] * 3


def test_a_hostile_record_is_read_in_bounded_time() -> None:
    calls = "".join(line("cc", f"{n}/a.o", "a.c") for n in range(1000))
    links = line("ld", "x.so", *[f"{n}/b/a.o" for n in range(1000)]) * 10
    started = time.monotonic()
    assert compilers(calls + links, *["y/x.so"] * 500) == [("clang",)] * 500
    assert time.monotonic() - started < 10


def test_the_summary_counts_and_adds_up() -> None:
    record = (
        line("cc", "a.o", "a.c", milliseconds="1500")
        + line("cc", "conftest.o", "conftest.c", status="1", milliseconds="250")
        + by_gcc("cc", "b.o", "b.c")
        + by_gcc("cc", "c.o", "c.c")
        + line("fortran", "d.o", "d.f", how="fallback", reason="fortran", status="2")
    )
    assert summarize(parse_calls(record.encode())) == CallSummary(
        native=2,
        fallback=3,
        failed=2,
        native_seconds=1.75,
        fallback_seconds=0.36,
        reasons=(("openmp", 2), ("fortran", 1)),
    )


def test_no_calls_are_a_summary_of_nothing() -> None:
    assert summarize(()) == CallSummary()


def test_a_few_reasons_are_kept_and_harmless() -> None:
    reasons = ["\x1b[31m::error::x", "y" * 500, "-", "a", "a", "b"]
    record = "".join(by_gcc("cc", "a.o", "a.c", reason=reason) for reason in reasons)
    summary = summarize(parse_calls(record.encode()))
    assert summary.reasons[0] == ("a", 2)
    assert len(summary.reasons) == 5
    text = "".join(reason for reason, _ in summary.reasons)
    assert text.isprintable()
    assert "| ::error::x" in text
    assert "unknown" in text
    assert max(len(reason) for reason, _ in summary.reasons) <= 60


SETUPTOOLS = (
    line("cc", "build/temp/src/a.o", "src/a.c")
    + by_gcc("cc", "build/temp/src/b.o", "src/b.c")
    + line("c++", f"build/lib/pkg/_a.{EXT}", "build/temp/src/a.o", "/usr/lib/libz.so")
    + line("cc", f"build/lib/pkg/_ab.{EXT}", "build/temp/src/a.o", "build/temp/src/b.o")
    + by_gcc("cc", f"build/lib/pkg/_b.{EXT}", "build/temp/src/b.o")
)


def test_setuptools_links_objects() -> None:
    members = [f"pkg/_a.{EXT}", f"pkg/_ab.{EXT}", f"pkg/_b.{EXT}", "pkg/_c.so"]
    assert compilers(SETUPTOOLS, *members) == [
        ("clang",),
        ("clang", "gcc"),
        ("gcc",),
        ("unknown",),
    ]


BUILD = "/tmp/build-x1"
TRACED = {
    "the-names-of-the-compilers-are-given": (SETUPTOOLS, f"pkg/_b.{EXT}", ["gcc"]),
    "cmake-runs-in-its-directory": (
        line("c++", "CMakeFiles/x.dir/a.cpp.o", f"{CWD}/a.cpp", cwd=BUILD)
        + line("c++", f"x.{EXT}", "CMakeFiles/x.dir/a.cpp.o", cwd=BUILD),
        f"pkg/x.{EXT}",
        ["clang"],
    ),
    "an-archive-in-between": (
        by_gcc("cc", "x.c.o", "x.c")
        + line("ar", "libx.a", "x.c.o")
        + line("ranlib", "-", "libx.a")
        + line("cc", "y.o", "y.c")
        + line("cc", "y.so", "y.o", "libx.a"),
        "y.so",
        ["clang", "gcc"],
    ),
    "an-archive-that-grows": (
        line("cc", "x.o", "x.c")
        + by_gcc("cc", "y.o", "y.c")
        + line("ar", "libx.a", "x.o")
        + line("ar", "libx.a", "y.o")
        + line("cc", "z.so", "libx.a"),
        "z.so",
        ["clang", "gcc"],
    ),
    "a-partial-link": (
        by_gcc("cc", "x.o", "x.c") + line("ld", "all.o", "x.o") + line("cc", "z.so", "all.o"),
        "z.so",
        ["gcc"],
    ),
    "compiled-and-linked-at-once": (by_gcc("cc", "z.so", "x.c", "y.c"), "z.so", ["gcc"]),
    "from-standard-input": (line("cc", "z.so", "-"), "z.so", ["clang"]),
    "no-output-named": (line("cc", "-", "src/x.c") + line("cc", "z.so", "x.o"), "z.so", ["clang"]),
    "made-again-by-another": (
        line("cc", "x.o", "x.c") + by_gcc("cc", "x.o", "x.c") + line("cc", "z.so", "x.o"),
        "z.so",
        ["gcc"],
    ),
    "a-failed-call-made-nothing": (
        by_gcc("cc", "x.o", "x.c")
        + line("cc", "x.o", "x.c", status="1")
        + line("cc", "z.so", "x.o")
        + line("cc", "z.so", "missing.o", status="1"),
        "z.so",
        ["gcc"],
    ),
    "an-object-moved-in-between": (
        by_gcc("cc", "/tmp/cc1/sub/x.o", "x.c")
        + line("cc", "/tmp/cc1/other/x.o", "x.c")
        + line("cc", "z.so", "build/sub/x.o"),
        "z.so",
        ["gcc"],
    ),
    "namesakes-nobody-can-tell-apart": (
        by_gcc("cc", "/tmp/1/x.o", "x.c")
        + line("cc", "/tmp/2/x.o", "x.c")
        + line("cc", "z.so", "build/x.o"),
        "z.so",
        ["clang", "gcc"],
    ),
    "an-object-nobody-recorded": (
        line("cc", "x.o", "x.c") + line("cc", "z.so", "x.o", "nasm.o"),
        "z.so",
        ["clang", "unknown"],
    ),
    "an-unread-response-file": (line("cc", "z.so", "@z.so.rsp"), "z.so", ["unknown"]),
    "start-files-of-the-image": (
        line("cc", "x.o", "x.c")
        + line("ld", "z.so", "/usr/lib/crti.o", "x.o", "/usr/lib/libgcc.a"),
        "z.so",
        ["clang"],
    ),
    "a-version-script-and-a-shared-library": (
        line("cc", "x.o", "x.c")
        + by_gcc("cc", "liby.so.1", "y.c")
        + line("cc", "z.so", "x.o", "liby.so.1", "z.map"),
        "z.so",
        ["clang"],
    ),
    "two-of-one-name-in-the-wheel": (
        line("cc", "build/lib/pkg/a/_impl.so", "a.c")
        + by_gcc("cc", "build/lib/pkg/b/_impl.so", "b.c"),
        "pkg/b/_impl.so",
        ["gcc"],
    ),
    "a-library-that-auditwheel-copied": (
        by_gcc("cc", "build/libx.so.1", "x.c"),
        "pkg.libs/libx-1a2b3c4d.so.1",
        ["gcc"],
    ),
    "a-library-by-its-soname": (
        by_gcc("cc", "libx.so.1.2.3", "x.c"),
        "pkg/lib/libx.so.1",
        ["gcc"],
    ),
    "an-object-below-a-library-s-name": (
        by_gcc("cc", "z.so.p/x.c.o", "x.c") + line("cc", "z.so", "z.so.p/x.c.o"),
        "z.so",
        ["gcc"],
    ),
    "a-link-of-nothing": (line("cc", "z.so"), "z.so", ["unknown"]),
    "a-link-of-itself": (line("ld", "z.so", "z.so"), "z.so", ["unknown"]),
    "stripped-into-another-file": (
        by_gcc("cc", "z.debug", "x.c") + line("strip", "z.so", "z.debug"),
        "z.so",
        ["gcc"],
    ),
    "a-program": (line("cc", "bin/tool", "x.c"), "pkg-1.data/scripts/tool", ["clang"]),
}


@pytest.mark.parametrize(("record", "member", "expected"), TRACED.values(), ids=TRACED.keys())
def test_objects_are_followed_to_their_compilers(
    record: str, member: str, expected: list[str]
) -> None:
    assert compilers(record, member) == [tuple(expected)]


def test_the_callers_names_stand_in_the_record() -> None:
    calls = parse_calls((line("cc", "x.so", "x.c") + by_gcc("cc", "y.so", "y.c")).encode())
    assert trace(calls, ["a/x.so", "y.so"], native="clang 21.1", fallback="gcc 10.2") == (
        ObjectRecord(path="a/x.so", compilers=("clang 21.1",)),
        ObjectRecord(path="y.so", compilers=("gcc 10.2",)),
    )


def test_one_compiler_for_all() -> None:
    assert made_by(["a.so", "b\x1b[0m.so"], "gcc 10.2") == (
        ObjectRecord(path="a.so", compilers=("gcc 10.2",)),
        ObjectRecord(path="b.so", compilers=("gcc 10.2",)),
    )
