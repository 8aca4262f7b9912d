"""When a run ends with the advice to use an arm64 machine, and when it does not."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from aarch64_wheels.report.advice import advice
from aarch64_wheels.report.console import ConsoleObserver
from aarch64_wheels.report.github import GitHubObserver
from aarch64_wheels.report.model import Report, Stage, StageRecord, Status, TargetRecord
from aarch64_wheels.report.summary import render_summary
from tests.unit.report_samples import GOOD, report


def stages(**seconds: float) -> tuple[StageRecord, ...]:
    """Stages by name; `test` may be none of the model's yet."""
    names: Any = {str(stage): stage for stage in Stage}
    return tuple(
        StageRecord(stage=names.get(name, name), status=Status.OK, seconds=value)
        for name, value in seconds.items()
    )


def run(mode: str, backend: str = "", count: int = 1, **seconds: float) -> Report:
    target = TargetRecord(
        identifier=GOOD, status=Status.OK, stages=stages(**seconds), backend=backend
    )
    return replace(report(), mode=mode, targets=(target,) * count)


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (run("emulated", environment=20, build=50), "1 min 10 s of 1 min 10 s"),
        (run("emulated", environment=20, build=50), "(mode emulated)"),
        (run("accelerated", "emulated", environment=30, build=300, repair=5), "(build backends)"),
        (run("accelerated", "native", build=30, test=90), "1 min 30 s of 2 min 00 s"),
        (run("accelerated", "native", build=30, test=90), "(tests)"),
        (run("accelerated", "emulated", build=90, test=90), "(build backends and tests)"),
        (run("accelerated", "native", count=3, build=10, test=25), "1 min 15 s of 1 min 45 s"),
    ],
)
def test_where_emulation_took_most_of_the_time(sample: Report, words: str) -> None:
    line = advice(sample)
    assert words in line
    assert "arm64 machine (on GitHub `runs-on: ubuntu-24.04-arm`)" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "sample",
    [
        run("native", build=900, test=900),
        run("emulated", environment=20, build=30),
        run("accelerated", "native", build=900, repair=20, audit=100),
        run("accelerated", "native", build=100, test=80),
        run("accelerated", "native", build=5, test=40),
        replace(run("emulated"), targets=()),
    ],
    ids=["native", "short", "nothing-emulated", "most-is-native", "short-tests", "nothing"],
)
def test_who_gains_little_is_not_bothered(sample: Report) -> None:
    assert advice(sample) == ""


SLOW, QUICK = run("emulated", build=120), run("emulated", build=5)


@pytest.mark.parametrize(("sample", "count"), [(SLOW, 1), (QUICK, 0)], ids=["slow", "quick"])
def test_it_is_told_once(sample: Report, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    ConsoleObserver(Console(file=stream, width=300)).finished(sample)
    GitHubObserver(verbose=False).finished(sample)
    for told in (stream.getvalue(), capsys.readouterr().out, render_summary(sample)):
        assert told.count("went into emulation") == count
