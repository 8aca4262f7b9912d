"""What an accelerated run tells besides: who ran the backend, what compiled, what fell back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.report import wording
from aarch64_wheels.settings.schema import Backend, Mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aarch64_wheels.report.model import CallSummary, Report, TargetRecord

COLUMNS = ("backend", "compiled")

#: How many reasons a cell of a table, and a line of text, have room for.
_IN_CELL, _IN_LINE = 2, 5


def is_accelerated(report: Report) -> bool:
    """Tell whether the run has anything to say here."""
    return report.mode == Mode.ACCELERATED


def cells(report: Report, target: TargetRecord) -> list[str]:
    """Fill a target's cells of the columns `backend` and `compiled`; none in other modes."""
    if not is_accelerated(report):
        return []
    return [target.backend or "-", _calls(target.calls) if target.calls else _compilers(target)]


def lines(report: Report) -> list[str]:
    """Say what the cells of all targets hold, for where a table has no room for them."""
    filled = {target.identifier: cells(report, target) for target in report.targets}
    return [
        f"{wording.short(identifier)}: backend {cell[0]}, compiled {cell[1]}"
        for identifier, cell in filled.items()
        if cell
    ]


def total(report: Report) -> str:
    """Add up the compiler calls of all targets: `65 native + 3 gcc`."""
    native = sum(target.calls.native for target in report.targets if target.calls)
    fallback = sum(target.calls.fallback for target in report.targets if target.calls)
    return _counts(native, fallback)


def fallbacks(report: Report) -> list[str]:
    """Tell which targets fell back, and why, one line for all with the same story."""
    told: dict[str, list[str]] = {}
    for target in report.targets if is_accelerated(report) else ():
        for line in (_backend_line(target), _calls_line(target)):
            if line:
                told.setdefault(line, []).append(wording.short(target.identifier))
    return [f"{', '.join(names)}: {line}" for line, names in told.items()]


def _backend_line(target: TargetRecord) -> str:
    if target.backend != Backend.EMULATED or not target.backend_reason:
        return ""
    return f"the build backend ran emulated: {' '.join(target.backend_reason.split())}"


def _calls_line(target: TargetRecord) -> str:
    calls = target.calls
    if not calls or not calls.fallback:
        return ""
    noun = "compiler call" if calls.fallback == 1 else "compiler calls"
    reasons = _reasons((f"{reason} {count}" for reason, count in calls.reasons), _IN_LINE)
    return f"{calls.fallback} {noun} done by the image's own tools, emulated{reasons}"


def _calls(calls: CallSummary) -> str:
    shown = (reason for reason, _ in calls.reasons) if calls.fallback else ()
    return _counts(calls.native, calls.fallback) + _reasons(shown, _IN_CELL)


def _counts(native: int, fallback: int) -> str:
    parts = [(native, "native"), (fallback, "gcc")]
    return " + ".join(f"{count} {name}" for count, name in parts if count) or "-"


def _compilers(target: TargetRecord) -> str:
    """Name what compiled the wheel where no calls are recorded, as with `--compiler gcc`."""
    objects = target.wheel.objects if target.wheel else ()
    return ", ".join(sorted({name for item in objects for name in item.compilers})) or "-"


def _reasons(reasons: Iterable[str], limit: int) -> str:
    shown = list(reasons)
    more = ["…"] if len(shown) > limit else []
    return f" ({', '.join([*shown[:limit], *more])})" if shown else ""
