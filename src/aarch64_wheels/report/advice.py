"""When an arm64 machine would be the better choice: one line at the end of a run, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.report import wording
from aarch64_wheels.report.model import Stage
from aarch64_wheels.settings.schema import Backend, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.report.model import Report, TargetRecord

#: Seconds that emulated stages must have taken in all, and their share of the time of all stages:
#: who waits less needs no advice.
_WORTH_SECONDS, _WORTH_SHARE = 60.0, 0.5

#: What the build backend runs in.
_OF_BACKEND = frozenset({Stage.ENVIRONMENT, Stage.BUILD})
#: What is emulated in every mode but `native`.
_ALWAYS_EMULATED = frozenset({"test"})


def advice(report: Report) -> str:
    """Say that, and why, an arm64 machine would serve better; empty where it would not by much."""
    if report.mode == Mode.NATIVE:
        return ""
    parts = list(_emulated(report))
    emulated = sum(seconds for _, seconds in parts)
    everything = sum(target.seconds for target in report.targets)
    if emulated < _WORTH_SECONDS or emulated < _WORTH_SHARE * everything:
        return ""
    return (
        f"{wording.seconds(emulated)} of {wording.seconds(everything)} went into emulation "
        f"({_causes(report, {name for name, _ in parts})}): on an arm64 machine (on GitHub "
        "`runs-on: ubuntu-24.04-arm`) the same job builds natively"
    )


def _emulated(report: Report) -> Iterator[tuple[str, float]]:
    """Give the stages whose work was emulated as a whole, with their seconds."""
    for target in report.targets:
        for record in target.stages:
            if record.seconds and _is_emulated(report, target, record.stage):
                yield record.stage, record.seconds


def _is_emulated(report: Report, target: TargetRecord, stage: Stage) -> bool:
    if stage is Stage.AUDIT:  # this program's own
        return False
    if report.mode == Mode.EMULATED or stage in _ALWAYS_EMULATED:
        return True
    return target.backend == Backend.EMULATED and stage in _OF_BACKEND


def _causes(report: Report, stages: set[str]) -> str:
    """Name what was emulated: the backends before the tests."""
    if report.mode == Mode.EMULATED:
        return "mode emulated"
    words = ["build backends"] if stages & _OF_BACKEND else []
    return " and ".join([*words, *(["tests"] if stages & _ALWAYS_EMULATED else [])])
