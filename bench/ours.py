"""Builds by the command itself: emulated, accelerated; the stages are those of report.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.model import Measurement, Stages, Way

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.schedule import Task
    from bench.workplace import Workplace

_OPTIONS = {
    Way.EMULATED: ("--mode", "emulated"),
    Way.ACCELERATED: ("--mode", "accelerated"),
    Way.NATIVE_ONLY: (
        *("--mode", "accelerated"),
        *("--compiler", "native-only", "--backend", "native"),
    ),
    Way.FIVE: ("--mode", "accelerated"),
}


def options_of(way: Way) -> tuple[str, ...]:
    """Give the options that make the command build in a way."""
    return _OPTIONS[way]


def build(
    task: Task, place: Workplace, log: Path, *, source: Path, pythons: tuple[str, ...]
) -> Measurement:
    """Run the command on an sdist or a directory, and read its report.

    Raises:
        CommandError: it failed.
    """
    output = place.fresh(f"{task.source.name}-{task.way}")
    arguments: list[str | Path] = ["build", source, "--image", "debian", "--python", *pythons]
    arguments += [*options_of(task.way), "--output-dir", output]
    try:
        wall = place.command(arguments, log)
    finally:
        _append_logs(output, log)
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    return measurement(task, report, wall)


def measurement(task: Task, report: dict[str, Any], wall: float) -> Measurement:
    """Make a measurement of a report: the stages of its one target, or of none for several."""
    targets = report["targets"]
    return Measurement(
        source=task.source.name,
        round=task.round,
        way=task.way,
        stages=_stages(targets[0]) if len(targets) == 1 else Stages(),
        wall=round(wall, 3),
        wheel=targets[0]["wheel"]["filename"],
        detail=_times(targets) if len(targets) > 1 else _calls(targets[0]),
    )


def _stages(target: dict[str, Any]) -> Stages:
    times = {row["stage"]: float(row["seconds"]) for row in target["stages"]}
    return Stages(environment=times["environment"], build=times["build"], repair=times["repair"])


def _times(targets: Sequence[dict[str, Any]]) -> str:
    """Tell what each of several targets took, by its interpreter's tag."""
    tags = [str(row["identifier"]).partition("-")[0] for row in targets]
    each = [_stages(row).total for row in targets]
    return ", ".join(f"{tag} {total:.1f} s" for tag, total in zip(tags, each, strict=True))


def _calls(target: dict[str, Any]) -> str:
    """Tell who ran the backend and the compiler calls; nothing where all was emulated."""
    calls = target.get("calls")
    if not calls:
        return ""
    counts = f"{calls['native']} calls native, {calls['fallback']} fallback"
    reasons = "; ".join(f"{reason} ({number})" for reason, number in calls["reasons"])
    return f"backend {target['backend']}, {counts}" + (f": {reasons}" if reasons else "")


def _append_logs(output: Path, log: Path) -> None:
    """Keep each target's log beside what the command itself has printed."""
    with log.open("ab") as file:
        for one in sorted((output / "logs").glob("*.log")):
            file.write(f"\n--- {one.name}\n".encode() + one.read_bytes())
