"""What a workflow's page and log, and a build's last lines, tell of audits."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from aarch64_wheels.audit.model import AuditResult, Level
from aarch64_wheels.report.audits import audited, lines, make_annotations, render_audits
from aarch64_wheels.report.github import GitHubObserver
from aarch64_wheels.report.markdown import escape
from aarch64_wheels.report.summary import render_summary
from tests.unit.audit_findings import BAD, DEBUG, GOOD, HOSTILE, NAME, SVE, hostile
from tests.unit.report_samples import FAILED_TARGET, OK_TARGET, REFUSAL, WARNING, report

REFUSED = replace(FAILED_TARGET, findings=(REFUSAL,))
WARNED = replace(
    OK_TARGET, wheel=replace(OK_TARGET.wheel, findings=(WARNING,)) if OK_TARGET.wheel else None
)


def rows(markdown: str) -> list[list[str]]:
    found = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found]


def test_the_section_has_a_row_for_each_wheel() -> None:
    header, _, good, bad = rows(render_audits([GOOD, BAD]))
    assert header == ["wheel", "policy", "highest versions", "errors", "warnings"]
    assert good[0] == escape(NAME)
    assert good[2:] == ["GLIBC 2.17, GLIBCXX 3.4.19, GCC 3.0", "0", "0"]
    assert bad[3:] == ["2", "9"]


def test_findings_are_folded_with_their_remedies() -> None:
    text = render_audits([GOOD, BAD])
    assert text.count("<details><summary>2 errors, 9 warnings</summary>") == 1
    assert text.count("</details>") == 1
    assert "  - warning: **debug-info**" in text
    assert "    - and 4 more files" in text
    assert text.count("*Remedy:*") == 3


def test_nothing_is_folded_where_nothing_was_found() -> None:
    assert "<details>" not in render_audits([GOOD])
    assert render_audits([]) == ""


def test_a_page_stays_within_its_limit() -> None:
    many = replace(BAD, findings=BAD.findings * 50)
    text = render_audits([many] * 300)
    assert "| and 100 more | | | | |" in re.sub(r" +", " ", text)
    assert "more lines, see audit.sarif\n" in text
    assert len(text) < 500_000


@pytest.mark.parametrize("text", ["|" * 300, "\U0001f40d" * 300], ids=["escaped", "wide"])
def test_a_page_stays_within_its_limit_in_bytes(text: str) -> None:
    page = render_audits([hostile(text)] * 300, sarif="")
    assert re.search(r"- and [0-9]+ more lines\n", page)
    assert re.search(r"\| and [0-9]+ more \|", page)
    assert len(page.encode()) < 500_000


def test_the_summary_of_a_build_has_the_section() -> None:
    text = render_summary(report(WARNED, REFUSED))
    section = text.partition("### Audit\n")[2]
    _, _, warned, refused = rows(section.partition("<details>")[0])
    assert (warned[3:], refused[3:]) == (["0", "1"], ["1", "0"])
    assert refused[0] == escape(REFUSED.identifier)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_a_wheel_says_breaks_nothing(text: str) -> None:
    page = render_audits([hostile(text), GOOD])
    assert len({len(row) for row in rows(page)}) == 1
    assert page.count("</details>") == 1
    assert "<script" not in page
    assert "](" not in page
    assert "@someone" not in page
    assert not re.search(r"^\s*::", page, re.MULTILINE)


def test_each_check_of_a_wheel_is_an_annotation() -> None:
    found = make_annotations([GOOD, BAD])
    assert [row.level for row in found] == [Level.ERROR, Level.ERROR, Level.WARNING]
    assert found[2].title == "aarch64-wheels audit: debug-info"
    first, *rest = found[2].message.splitlines()
    assert first == f"{NAME}: debug information is left in an object"
    assert rest[-2] == "and 4 more files"
    assert rest[-1].startswith("next: Build with `--strip`")


def test_there_are_at_most_ten_of_each_level() -> None:
    found = make_annotations([BAD] * 7)
    errors = [row for row in found if row.level is Level.ERROR]
    assert (len(errors), len(found) - len(errors)) == (10, 7)
    assert errors[-1].message.startswith("5 more like it, see the step's summary: ")
    assert len(make_annotations([BAD] * 7, errors=9)) == 8
    assert [row.level for row in make_annotations([BAD], errors=10)] == [Level.WARNING]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_annotation_is_one_command(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    GitHubObserver().audited([hostile(text)])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("::error title=aarch64-wheels audit%3A cpu-baseline,")
    assert line.isprintable()
    assert len(line) < 4000


def test_a_build_annotates_warnings_and_refusals(capsys: pytest.CaptureFixture[str]) -> None:
    GitHubObserver().finished(report(WARNED, REFUSED))
    output = capsys.readouterr().out
    assert "::warning title=aarch64-wheels audit%3A debug-info," in output
    assert "::error title=aarch64-wheels audit%3A symbol-version," in output


def test_a_build_tells_each_check_in_a_line() -> None:
    other = replace(GOOD, findings=DEBUG)
    first, second, third = lines([BAD, GOOD, other])
    assert first.startswith("audit: error: ")
    assert "[cpu-baseline] in 1 wheel. " in second
    assert third.startswith("audit: warning: debug information is left in an object [debug-info] ")
    assert "in 2 wheels. Build with" in third


def test_audited_are_the_wheels_and_what_was_refused() -> None:
    found = audited(report(WARNED, REFUSED, FAILED_TARGET))
    assert len(found) == 2
    assert [len(row.findings) for row in found] == [1, 1]


def test_a_check_of_another_version_is_told_by_its_name() -> None:
    strange = AuditResult(
        filename=NAME, tags=(), policy="", findings=(replace(SVE, check="not-ours\n| x |"),)
    )
    assert "not-ours" in render_audits([strange])
    assert make_annotations([strange])[0].title == "aarch64-wheels audit: not-ours | x |"
