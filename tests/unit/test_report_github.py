from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from aarch64_wheels.report.github import GitHubObserver
from aarch64_wheels.report.model import Stage
from tests.unit.report_samples import BAD, BROKEN, FAILED_TARGET, GOOD, OK_TARGET, report

if TYPE_CHECKING:
    import pytest

HOSTILE = "::set-output name=wheels::evil"


def observer() -> GitHubObserver:
    return GitHubObserver(stamp=lambda: "12:00:00")


def commands(output: str) -> list[str]:
    """The workflow commands a runner would obey, in order, by name."""
    obeyed, token = [], None
    for line in output.splitlines():
        if token is not None:
            if line == f"::{token}::":
                token = None
            continue
        if match := re.match(r"\s*::([a-z-]+)[ :]", line):
            obeyed.append(match[1])
            if match[1] == "stop-commands":
                token = line.rpartition("::")[2]
        assert "##[" not in line
    assert token is None
    return obeyed


def test_a_target_is_one_group_when_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    told = observer()
    told.stage_started(GOOD, Stage.BUILD)
    told.stage_started(BAD, Stage.BUILD)
    told.output(GOOD, Stage.BUILD, "compiling good")
    told.output(BAD, Stage.BUILD, "compiling bad")
    told.target_finished(OK_TARGET)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "12:00:00 [cp313] build: started",
        "12:00:00 [cp39] build: started",
        f"::group::{GOOD}: ok in 1 min 24 s",
    ]
    assert lines[3].startswith("::stop-commands::")
    assert lines[4:6] == ["--- build ---", "compiling good"]
    assert lines[-1] == "::endgroup::"
    assert "compiling bad" not in lines


def test_a_failed_target_is_annotated(capsys: pytest.CaptureFixture[str]) -> None:
    told = observer()
    told.stage_finished(BAD, BROKEN)
    told.target_finished(FAILED_TARGET)
    output = capsys.readouterr().out
    annotation = next(line for line in output.splitlines() if line.startswith("::error "))
    assert f"title=aarch64-wheels%3A {BAD} failed" in annotation
    assert annotation.endswith("::`gcc` ended with status 1%0Afound: no such header")


def test_a_long_errors_end_is_in_the_annotation(capsys: pytest.CaptureFixture[str]) -> None:
    long = "what\n" + "  noise\n" * 5000 + "  fatal: the end"
    observer().target_finished(replace(FAILED_TARGET, error=long))
    observer().fail(long, title="aarch64-wheels")
    lines = capsys.readouterr().out.splitlines()
    annotations = [line for line in lines if line.startswith("::error ")]
    assert len(annotations) == 2
    for annotation in annotations:
        message = annotation.split("::", 2)[2]
        assert message.startswith("what%0A")
        assert message.endswith("%0A  fatal: the end")
        assert len(message.replace("%0A", "\n")) <= 4000


def test_commands_in_a_builds_output_are_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    told = observer()
    told.stage_started(GOOD, Stage.BUILD)
    for line in (HOSTILE, f"  {HOSTILE}", f"harmless\r{HOSTILE}", "##[add-mask]e"):
        told.output(GOOD, Stage.BUILD, line)
    told.target_finished(OK_TARGET)
    assert commands(capsys.readouterr().out) == ["group", "stop-commands", "endgroup"]


def test_commands_in_notes_are_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    told = GitHubObserver(verbose=True, stamp=lambda: "12:00:00")
    for line in (HOSTILE, f"x\r{HOSTILE}", f"x\n{HOSTILE}", "a ##[add-mask]e"):
        told.note(line)
        told.output(GOOD, Stage.BUILD, line)
    assert commands(capsys.readouterr().out) == []


def test_each_group_has_its_own_token(capsys: pytest.CaptureFixture[str]) -> None:
    told = observer()
    told.target_finished(OK_TARGET)
    told.target_finished(FAILED_TARGET)
    tokens = re.findall(r"::stop-commands::(\w+)", capsys.readouterr().out)
    assert len(set(tokens)) == 2
    assert all(len(token) == 32 for token in tokens)


def test_the_end_names_each_wheel_and_gives_notice(capsys: pytest.CaptureFixture[str]) -> None:
    observer().finished(report(OK_TARGET))
    output = capsys.readouterr().out
    assert "(1.2 MiB, manylinux_2_17_aarch64)" in output
    assert "spring 1.0: 1 wheel in 1 min 40 s (emulated, debian)" in output
    assert commands(output) == ["notice"]


def test_close_shows_what_was_cut_short_once(capsys: pytest.CaptureFixture[str]) -> None:
    told = observer()
    told.output(GOOD, Stage.BUILD, "the last words")
    told.close()
    told.close()
    output = capsys.readouterr().out
    assert output.count("the last words") == 1
    assert f"::group::{GOOD}: not finished" in output
