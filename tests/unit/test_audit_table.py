"""What people see of an audit: a table in a wide terminal, lines elsewhere."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from aarch64_wheels.audit.catalogue import checks
from aarch64_wheels.audit.groups import closing, grouped, sentence
from aarch64_wheels.audit.table import explain, tell
from aarch64_wheels.report.console import make_console
from tests.unit.audit_findings import (
    BAD,
    COIL,
    DEBUG,
    GOOD,
    HOSTILE,
    NAME,
    SUFFIX,
    SVE,
    hostile,
)

if TYPE_CHECKING:
    from aarch64_wheels.audit.model import AuditResult


def told(result: AuditResult, *, width: int | None = None) -> str:
    """What is printed without a terminal, or in one of a width."""
    stream = io.StringIO()
    if width is None:
        console = make_console(stream, {})
    else:
        console = Console(
            file=stream, width=width, force_terminal=True, color_system=None, highlight=False
        )
    tell(console, result)
    return stream.getvalue()


def test_a_good_wheel_is_two_lines() -> None:
    others = "GCC 3.0 (__eqtf2) in spring.libs/libx.so"
    assert told(GOOD).splitlines() == [
        f"{NAME}: ok, meets manylinux_2_17_aarch64",
        f"  asks for GLIBC 2.17 (memcpy), GLIBCXX 3.4.19 in {COIL}; {others}",
    ]


def test_without_a_terminal_each_finding_is_a_line_and_many_are_folded() -> None:
    first, _, *lines = told(BAD).splitlines()
    names = ("suffix", "cpu-baseline", "debug-info")
    assert first == f"{NAME}: FAILED, meets manylinux_2_17_aarch64"
    assert lines == [
        "  error [suffix] spring/_b.so is never imported",
        f"  error [cpu-baseline] {SVE.message} (.text, step; ptrue p0.b at 0x4a0)",
        *(
            f"  warning [debug-info] spring/_{number}.so: holds debug information (.debug_*)"
            for number in range(5)
        ),
        "  warning [debug-info] and 4 more files",
        *(f"  {name}: {checks()[name].remedy}" for name in names),
    ]


def test_a_wide_terminal_has_a_table() -> None:
    text = told(BAD, width=160)
    header = next(line for line in text.splitlines() if "evidence" in line)
    assert header.split() == ["level", "check", "what", "where", "evidence"]
    assert "has SVE instructions that nothing guards" in " ".join(text.split())
    assert text.count("spring/_coil.cpython-313") == 2
    assert "and 4 more files" in text
    assert max(map(len, text.splitlines()[3:-3])) <= 160


@pytest.mark.parametrize("width", [20, 60, 99])
def test_a_narrow_terminal_has_lines(width: int) -> None:
    text = told(BAD, width=width)
    assert "─" not in text
    assert "error [cpu-baseline]" in text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("width", [None, 160])
def test_what_a_wheel_says_is_only_text(text: str, width: int | None) -> None:
    shown = told(hostile(text), width=width)
    assert all(line.isprintable() for line in shown.splitlines())
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
    assert "##[" not in shown
    assert len(shown) < 15_000


@pytest.mark.parametrize("name", ["file", "a", "e"])
def test_a_name_that_is_part_of_any_message_is_told(name: str) -> None:
    finding = replace(SUFFIX, message="holds a file that is never imported", file=name)
    assert sentence(finding) == f"{name}: holds a file that is never imported"
    assert finding.words == f"holds a file that is never imported ({name})"


@pytest.mark.parametrize("length", [10, 400, 60_000])
def test_a_long_name_leaves_the_reason(length: int) -> None:
    name = "x" * length
    for message in (f"{name} is never imported", "is never imported"):
        text = sentence(replace(SUFFIX, message=message, file=name))
        assert text.endswith(" is never imported")
        assert text.startswith("xxxxxxxxxx")
        assert len(text) < 400


def test_findings_are_grouped_by_check_errors_first() -> None:
    groups = grouped([*DEBUG, SVE, SUFFIX])
    assert [group.check.name for group in groups] == ["suffix", "cpu-baseline", "debug-info"]
    assert [len(group.findings) for group in groups] == [1, 1, 9]


def test_more_findings_of_one_file_are_not_called_files() -> None:
    (group,) = grouped([DEBUG[0]] * 7)
    assert group.rest == "and 2 more"


def test_the_closing_line_counts() -> None:
    results = [(row.ok, row.findings) for row in (GOOD, BAD, GOOD)]
    assert closing(results) == "3 wheels: 2 ok, 1 failed; 2 errors, 9 warnings"
    assert closing(results[:1]) == "1 wheel: 1 ok"


def test_all_checks_are_listed() -> None:
    rows = [line.split(maxsplit=2) for line in explain("").splitlines()]
    assert rows == [[row.name, str(row.level), row.title] for row in checks().values()]


def test_one_check_is_explained() -> None:
    check, text = checks()["rpath"], explain("rpath")
    assert text.splitlines()[0] == f"rpath: {check.title}"
    for words in (check.why, check.remedy, "level: error"):
        assert words in text
