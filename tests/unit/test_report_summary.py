from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.report import wording
from aarch64_wheels.report.markdown import escape
from aarch64_wheels.report.model import Status, TargetRecord
from aarch64_wheels.report.summary import render_summary
from aarch64_wheels.report.writer import write_report
from tests.unit.report_samples import (
    BAD,
    CUT_SHORT,
    FAILED_TARGET,
    NEVER,
    OK_TARGET,
    WHEEL,
    report,
)

if TYPE_CHECKING:
    from pathlib import Path


def rows(markdown: str) -> list[list[str]]:
    """The cells of the first table."""
    first = markdown.partition("<details>")[0].partition("### Audit")[0]
    lines = [line for line in first.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_has_a_row_for_each_target_and_a_total() -> None:
    header, ruler, good, bad, total = rows(render_summary(report(OK_TARGET, FAILED_TARGET)))
    assert header == [
        *("target", "wheel", "size", "policy"),
        *map(str, report().stages),
        *("total", "result"),
    ]
    assert len({len(row) for row in (header, ruler, good, bad, total)}) == 1
    assert good[1] == escape(WHEEL)
    assert good[2] == "1.2 MiB"
    assert good[4:6] == ["1.2 s", "1 min 23 s"]
    assert good[-1].endswith(" ok")
    assert bad[0] == escape(BAD)
    assert bad[-1].endswith(" failed")
    assert total[1] == "1 of 2"


def test_a_failure_has_its_error_in_a_details_block() -> None:
    markdown = render_summary(report(FAILED_TARGET))
    assert "<pre>\n`gcc` ended with status 1\nfound: no such header\n</pre>" in markdown
    assert markdown.count("<details>") == markdown.count("</details>") == 1


def test_the_chart_lays_stages_end_to_end() -> None:
    lines = render_summary(report(OK_TARGET, FAILED_TARGET)).splitlines()
    begin, end = lines.index("```mermaid"), lines.index("```")
    assert lines[begin + 1 : end] == [
        "gantt",
        "  dateFormat X",
        "  axisFormat %M:%S",
        "  section cp313",
        "  environment : 0, 1",
        "  build : 1, 84",
        "  section cp39",
        "  build : crit, 0, 3",
    ]


def test_no_chart_without_stages() -> None:
    record = TargetRecord(identifier=BAD, status=Status.NOT_RUN)
    assert "mermaid" not in render_summary(report(record))


@pytest.mark.parametrize(
    "evil",
    ["a | b | c", "a\n| x |", "</pre></details><script>x</script>", "`|`", "![x](y)", "@someone"],
)
def test_hostile_text_breaks_nothing(evil: str) -> None:
    target = replace(FAILED_TARGET, identifier=evil, error=f"{evil}\n```\n{evil}", log=evil)
    markdown = render_summary(replace(report(target), project=evil, image=evil))
    assert len({len(row) for row in rows(markdown)}) == 1
    assert len(rows(markdown)) == 4
    assert markdown.count("</pre>") == markdown.count("</details>") == 1
    assert "<script" not in markdown
    assert "![" not in markdown.replace(target.error, "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("spring-1.0", "spring-1.0"),
        ("a|b", "a&#124;b"),
        ("<b>", "&#60;b&#62;"),
        ("a_b", "a&#95;b"),
        ("www.a.b WWW.a", "www&#46;a.b WWW&#46;a"),
        ("one\ntwo", "one two"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("@me & `you`", "&#64;me &#38; &#96;you&#96;"),
    ],
)
def test_escape(value: str, expected: str) -> None:
    assert escape(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
    ],
)
def test_seconds(value: float, expected: str) -> None:
    assert wording.seconds(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0 B"), (812, "812 B"), (1024, "1.0 KiB"), (1_468_006, "1.4 MiB"), (3 << 30, "3.0 GiB")],
)
def test_size(value: int, expected: str) -> None:
    assert wording.size(value) == expected


def test_stages_that_never_ran_have_no_time() -> None:
    markdown = render_summary(report(OK_TARGET, CUT_SHORT))
    _, _, good, bad, _ = rows(markdown)
    assert bad[4:8] == ["-", "3.4 s", "-", "-"]
    assert good[4:8] == ["1.2 s", "1 min 23 s", "-", "-"]
    chart = markdown.partition("```mermaid")[2]
    assert chart.count("repair") == chart.count("audit") == 0
    assert chart.count("build") == 2


def test_no_section_in_the_chart_for_a_target_that_never_ran() -> None:
    idle = TargetRecord(identifier=BAD, status=Status.FAILED, stages=NEVER)
    assert "mermaid" not in render_summary(report(idle))
    assert "section cp39" not in render_summary(report(OK_TARGET, idle))


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        pytest.param("what\nfound: x", 40, "what\nfound: x", id="short"),
        pytest.param("what\n" + "a\n" * 50 + "fatal", 17, "what\n  …\na\nfatal", id="long"),
        pytest.param("what\n" + "a" * 50, 15, "what\n  …\naaaaaa", id="one-long-line"),
    ],
)
def test_shorten_keeps_the_first_line_and_the_end(text: str, limit: int, expected: str) -> None:
    assert wording.shorten(text, limit) == expected
    assert len(expected) <= limit


def test_a_long_errors_end_is_in_the_summary() -> None:
    target = replace(FAILED_TARGET, error="what\n" + "  noise\n" * 5000 + "  fatal: the end")
    markdown = render_summary(report(target))
    assert "<pre>\nwhat\n" in markdown
    assert "  fatal: the end\n</pre>" in markdown
    assert len(markdown) < 10_000


def test_the_report_replaces_the_one_before(tmp_path: Path) -> None:
    write_report(report(FAILED_TARGET), tmp_path / "new")
    path = write_report(report(OK_TARGET), tmp_path / "new")
    assert path == tmp_path / "new" / "report.json"
    assert json.loads(path.read_text())["targets"][0]["wheel"]["filename"] == WHEEL
    assert [item.name for item in path.parent.iterdir()] == ["report.json"]


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnfitError, match="could not write the report"):
        write_report(report(OK_TARGET), tmp_path / "file")
