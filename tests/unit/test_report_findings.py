"""The audit's findings as a build leaves them: `audit.sarif`, and lines on the console."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.report.console import ConsoleObserver, make_console
from aarch64_wheels.report.writer import write_findings
from tests.unit.report_samples import (
    FAILED_TARGET,
    OK_TARGET,
    REFUSAL,
    WARNING,
    WHEEL,
    report,
)

if TYPE_CHECKING:
    from pathlib import Path

assert OK_TARGET.wheel is not None
WARNED = replace(OK_TARGET, wheel=replace(OK_TARGET.wheel, findings=(WARNING,)))
REFUSED = replace(FAILED_TARGET, findings=(REFUSAL,))


def test_they_are_at_the_wheel_or_at_the_log_of_one_that_was_refused(tmp_path: Path) -> None:
    ended = report(WARNED, WARNED, REFUSED, FAILED_TARGET)
    path = write_findings(ended, tmp_path / "wheelhouse", tmp_path)
    assert path == tmp_path / "wheelhouse" / "audit.sarif"
    rows = json.loads(path.read_text())["runs"][0]["results"]
    found = [
        (row["ruleId"], row["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for row in rows
    ]
    assert found == [
        ("symbol-version", f"wheelhouse/{REFUSED.log}"),
        ("debug-info", f"wheelhouse/{WHEEL}"),
    ]


def test_a_build_without_findings_has_a_file_too(tmp_path: Path) -> None:
    path = write_findings(report(OK_TARGET), tmp_path, tmp_path)
    assert json.loads(path.read_text())["runs"][0]["results"] == []
    assert [item.name for item in tmp_path.iterdir()] == ["audit.sarif"]


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnfitError, match="could not write the audit's findings"):
        write_findings(report(OK_TARGET), tmp_path / "file", tmp_path)


def test_warnings_are_told_at_the_end_of_a_build() -> None:
    stream = io.StringIO()
    ConsoleObserver(make_console(stream, {})).finished(report(WARNED, REFUSED))
    lines = [line for line in stream.getvalue().splitlines() if line.startswith("audit: ")]
    assert len(lines) == 1  # the refusal is the failed target's error
    assert lines[0].startswith(
        "audit: warning: debug information is left in an object [debug-info]"
    )
