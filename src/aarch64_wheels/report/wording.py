"""Small pieces of text that every way of telling a report shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.report.model import Status

if TYPE_CHECKING:
    from aarch64_wheels.plan import Plan
    from aarch64_wheels.report.model import Report, Stage, TargetRecord

_KIB = 1024


def short(identifier: str) -> str:
    """Shorten a target's identifier to its interpreter's tag: `cp313`, `cp313-musl`."""
    tag, _, platform = identifier.partition("-")
    return f"{tag}-musl" if platform.startswith("musllinux") else tag


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
    ran = [record for record in target.stages if record.status is not Status.NOT_RUN]
    times = [record.seconds for record in ran if record.stage is stage]
    return seconds(sum(times)) if times else "-"


def shorten(text: str, limit: int) -> str:
    """Cut a long error to its first line and its end, where compilers say what is wrong."""
    if len(text) <= limit:
        return text
    first = text.partition("\n")[0][: limit // 2]
    gap = "\n  …\n"
    end = text[len(first) + len(gap) - limit :]
    return first + gap + (end.partition("\n")[2] or end)


def places(plan: Plan) -> str:
    """Name the images that a plan's targets are built in."""
    return ", ".join(image.name for image in plan.images)


def headline(report: Report) -> str:
    """Tell in one line how a run ended."""
    total, failed = len(report.targets), len(report.failed)
    name = f"{report.project} {report.version}".strip()
    made = len(report.wheels)
    noun = "wheel" if (total if failed else made) == 1 else "wheels"
    built = f"{total - failed} of {total} {noun}" if failed else f"{made} {noun}"
    how = ", ".join(filter(None, (report.mode, report.image)))  # an image only where one was used
    return f"{name}: {built} in {seconds(report.seconds)} ({how})"
