"""Small pieces of text that every way of telling a report shares."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aarch64_wheels.report.model import Report, Stage, TargetRecord

# ECMA-48: CSI and OSC sequences, then the two-character escapes.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_KIB = 1024


def clean(line: str) -> str:
    """Take colours, cursor movements and control characters out of a line of output.

    Of a progress bar that redraws itself with carriage returns the last state stays.
    """
    last = line.rstrip("\r\n").rsplit("\r", 1)[-1]
    plain = _ESCAPES.sub("", last).replace("\t", "    ")
    return "".join(char for char in plain if char.isprintable())


def short(identifier: str) -> str:
    """Shorten a target's identifier to its interpreter's tag: `cp313`."""
    return identifier.partition("-")[0]


def seconds(value: float) -> str:
    """Write a duration: `0.4 s`, `12 s`, `3 min 05 s`."""
    if value < 9.95:  # noqa: PLR2004  # from here on tenths say nothing
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def size(value: int) -> str:
    """Write a size in bytes: `812 B`, `1.4 MiB`."""
    amount = float(value)
    for unit in ("B", "KiB", "MiB"):
        if amount < _KIB:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= _KIB
    return f"{amount:.1f} GiB"


def stage_seconds(target: TargetRecord, stage: Stage) -> str:
    """Write how long a stage of a target took; `-` when it did not run."""
    times = [record.seconds for record in target.stages if record.stage is stage]
    return seconds(sum(times)) if times else "-"


def headline(report: Report) -> str:
    """Tell in one line how a run ended."""
    total, failed = len(report.targets), len(report.failed)
    name = f"{report.project} {report.version}".strip()
    noun = "wheel" if total == 1 else "wheels"
    built = f"{total - failed} of {total} {noun}" if failed else f"{total} {noun}"
    return f"{name}: {built} in {seconds(report.seconds)} ({report.mode}, {report.image})"
