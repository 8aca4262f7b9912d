"""What is told of an accelerated run: the backend, the compilers, the fallbacks."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from aarch64_wheels.report import compiled
from aarch64_wheels.report.console import ConsoleObserver, make_console
from aarch64_wheels.report.github import GitHubObserver
from aarch64_wheels.report.model import CallSummary, Report, TargetRecord
from aarch64_wheels.report.summary import render_summary
from tests.unit.report_samples import (
    MIXED_TARGET,
    OBJECTS,
    OK_TARGET,
    QUICK_TARGET,
    SLOW_TARGET,
    WHEEL,
    accelerated,
    report,
)

MIXED_LINE = "3 compiler calls done by the image's own tools, emulated (openmp 2, fortran 1)"
ALL = accelerated(QUICK_TARGET, MIXED_TARGET, SLOW_TARGET)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param(QUICK_TARGET, ["native", "34 native"], id="native"),
        pytest.param(MIXED_TARGET, ["native", "31 native + 3 gcc (openmp, fortran)"], id="mixed"),
        pytest.param(SLOW_TARGET, ["emulated", "-"], id="backend-fell-back"),
        pytest.param(
            replace(QUICK_TARGET, calls=CallSummary(fallback=2, reasons=(("openmp", 2),))),
            ["native", "2 gcc (openmp)"],
            id="no-native-call",
        ),
        pytest.param(replace(QUICK_TARGET, calls=CallSummary()), ["native", "-"], id="pure-python"),
        pytest.param(
            replace(
                QUICK_TARGET, calls=CallSummary(fallback=9, reasons=(("a", 3), ("b", 3), ("c", 3)))
            ),
            ["native", "9 gcc (a, b, …)"],
            id="many-reasons",
        ),
        pytest.param(
            replace(MIXED_TARGET, calls=None),
            ["native", "clang 21.1, gcc 10.2"],
            id="no-calls-recorded",
        ),
    ],
)
def test_the_cells_of_a_target(target: TargetRecord, expected: list[str]) -> None:
    assert compiled.cells(accelerated(target), target) == expected


def test_other_modes_have_no_such_cells() -> None:
    assert compiled.cells(report(MIXED_TARGET), MIXED_TARGET) == []
    assert compiled.fallbacks(report(MIXED_TARGET, SLOW_TARGET)) == []


def test_the_total_adds_up_all_targets() -> None:
    assert compiled.total(ALL) == "65 native + 3 gcc"


def test_fallbacks_are_told_once_with_their_targets() -> None:
    second = replace(MIXED_TARGET, identifier="cp39-manylinux_aarch64")
    assert compiled.fallbacks(accelerated(QUICK_TARGET, MIXED_TARGET, second, SLOW_TARGET)) == [
        f"cp311, cp39: {MIXED_LINE}",
        "cp39: the build backend ran emulated: it imports what it has just built",
    ]


@pytest.mark.parametrize(
    "target",
    [QUICK_TARGET, OK_TARGET, replace(QUICK_TARGET, backend="emulated")],
    ids=["native", "nothing-known", "emulated-by-choice"],
)
def test_no_word_of_fallbacks_where_there_was_none(target: TargetRecord) -> None:
    assert compiled.fallbacks(accelerated(target)) == []


def _rows(markdown: str) -> list[list[str]]:
    lines = markdown.partition("\n- ")[0].splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("|")
    ]


def test_the_summary_has_both_columns_and_their_total() -> None:
    header, ruler, quick, mixed, slow, total = _rows(render_summary(ALL))
    rows = (header, ruler, quick, mixed, slow, total)
    assert len({len(row) for row in rows}) == 1
    assert header[4:6] == ["backend", "compiled"]
    assert ruler[4:8] == ["---", "---", "--:", "--:"]
    assert mixed[4:6] == ["native", "31 native + 3 gcc (openmp, fortran)"]
    assert total[4:6] == ["", "65 native + 3 gcc"]
    assert total[-2].endswith(" s")


def test_the_summary_lists_fallbacks_and_objects() -> None:
    markdown = render_summary(ALL)
    assert "\n- cp39: the build backend ran emulated&#58; it imports" in markdown.replace(
        "cp39&#58;", "cp39:"
    )
    assert "spring/&#95;omp.so | clang 21.1, gcc 10.2 |" in markdown
    assert markdown.count("<details>") == markdown.count("</details>") == 2


def test_the_summary_of_many_objects_has_an_end() -> None:
    assert MIXED_TARGET.wheel is not None
    wheel = replace(MIXED_TARGET.wheel, objects=OBJECTS * 40)
    markdown = render_summary(accelerated(replace(MIXED_TARGET, wheel=wheel)))
    assert "and 30 more, see report.json" in markdown
    assert markdown.count(".so |") == 50


@pytest.mark.parametrize("evil", ["a | b", "x\n| y |", "</details><script>", "::error::x"])
def test_hostile_reasons_and_names_break_no_summary(evil: str) -> None:
    assert MIXED_TARGET.wheel is not None
    target = replace(
        MIXED_TARGET,
        backend="emulated",
        backend_reason=evil,
        calls=CallSummary(fallback=1, reasons=((evil, 1),)),
        wheel=replace(
            MIXED_TARGET.wheel, objects=(replace(OBJECTS[0], path=evil, compilers=(evil,)),)
        ),
    )
    markdown = render_summary(accelerated(target))
    assert "<script" not in markdown
    assert len({line.count("|") for line in markdown.splitlines() if line.count("|") > 6}) == 1
    assert not re.search(r"^\s*::", markdown, re.MULTILINE)


def _told(ended: Report, width: int | None = None) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False, markup=False)
    ConsoleObserver(
        console if width else make_console(stream, {}), stamp=lambda: "12:00:00"
    ).finished(ended)
    return stream.getvalue()


def test_the_console_has_both_columns_and_one_line_for_each_fallback() -> None:
    text = _told(ALL)
    header = next(line for line in text.splitlines() if "wheel" in line and "result" in line)
    assert header.split()[:4] == ["wheel", "backend", "compiled", "environment"]
    row = next(line for line in text.splitlines() if line.strip().startswith(WHEEL))
    assert "34 native" in row
    assert row.rstrip().endswith(OK_TARGET.log)
    assert text.count(MIXED_LINE) == 1
    assert text.count("the build backend ran emulated") == 1


@pytest.mark.parametrize("width", [80, 105, 130, 200])
def test_the_table_fits_and_nothing_is_left_out(width: int) -> None:
    text = _told(ALL, width)
    table = text[text.rindex("\n ", 0, text.index("result")) : text.rindex("spring 1.0:")]
    assert "…" not in table
    for word in ("native", "34 native", "31 native", "+ 3 gcc", "fortran", "emulated", WHEEL):
        assert word in table


def test_without_room_the_columns_become_lines() -> None:
    lines = _told(ALL, 80).splitlines()
    assert "cp311: backend native, compiled 31 native + 3 gcc (openmp, fortran)" in lines
    header = next(line for line in lines if "result" in line)
    assert "backend" not in header
    assert "…" not in header


def test_other_modes_have_neither_column_on_the_console() -> None:
    text = _told(report(MIXED_TARGET))
    assert "compiled" not in text
    assert "emulated, debian" in text


def test_github_gets_one_notice_of_all_fallbacks(capsys: pytest.CaptureFixture[str]) -> None:
    GitHubObserver(stamp=lambda: "12:00:00").finished(ALL)
    lines = capsys.readouterr().out.splitlines()
    notices = [line for line in lines if line.startswith("::notice ")]
    assert len(notices) == 2
    assert "cp311: 3 compiler calls done" in notices[0]
    assert "%0Acp39: the build backend ran emulated" in notices[0]
    assert not any(line.startswith(("::warning", "::error")) for line in lines)


def test_github_gets_no_notice_of_fallbacks_without_any(
    capsys: pytest.CaptureFixture[str],
) -> None:
    GitHubObserver(stamp=lambda: "12:00:00").finished(accelerated(QUICK_TARGET))
    assert capsys.readouterr().out.count("::notice ") == 1


def test_the_json_has_calls_reasons_and_objects() -> None:
    data = json.loads(ALL.to_json())
    assert data["schema"] == 1
    _, mixed, slow = data["targets"]
    assert mixed["calls"]["reasons"] == [["openmp", 2], ["fortran", 1]]
    assert (mixed["calls"]["native"], mixed["calls"]["fallback_seconds"]) == (31, 12.25)
    assert mixed["wheel"]["objects"][1] == {
        "path": "spring/_omp.so",
        "compilers": ["clang 21.1", "gcc 10.2"],
        "producers": ["GCC: (Debian 10.2.1-6) 10.2.1", "clang version 21.1.0"],
        "sha256": "5" * 64,
        "package": "",
    }
    assert (slow["backend"], slow["calls"]) == ("emulated", None)
    assert slow["backend_reason"].startswith("it imports")
