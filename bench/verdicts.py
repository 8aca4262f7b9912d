"""The acceptance of accelerated mode: each line met, missed, or not measured. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.figures import Figures, mean_of_ratios
from bench.model import Way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.model import Results

#: cibuildwheel / accelerated; accelerated / gcc on the mean, and on any; five / one;
#: cibuildwheel in the plain image / in the accelerated one.
FASTER_THAN_CIBUILDWHEEL = 10.0
GCC_ON_THE_MEAN = 1.0
GCC_ON_ANY = 1.4
FIVE_CPYTHONS = 3.0
ACCELERATED_IMAGE = 4.0


class Outcome(enum.StrEnum):
    """How a line of the acceptance came out."""

    MET = "met"
    MISSED = "missed"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One line of the acceptance: what is asked, how it came out, and the number."""

    asked: str
    outcome: Outcome
    number: str


def verdicts(results: Results) -> tuple[Verdict, ...]:
    """Judge a run; what only some sources were measured for says so."""
    figures = Figures(measurements=results.measurements)
    names = [entry.partition(" ")[0] for entry in results.sources]
    heavy = results.heavy.partition(" ")[0]
    return (
        _faster_than_cibuildwheel(figures, names),
        _not_slower_than_emulated(figures, names),
        *_against_gcc(figures, names),
        _five(figures, names),
        _accelerated_image(figures, names),
        _native_only(results, names),
        *([_heavy(figures, heavy)] if heavy else []),
        *(_check(row.name, row.found, ok=row.ok) for row in results.checks),
    )


def _faster_than_cibuildwheel(figures: Figures, names: Sequence[str]) -> Verdict:
    found = _ratios(figures, names, Way.CIBUILDWHEEL, Way.ACCELERATED)
    return _judge(
        f"accelerated at least {FASTER_THAN_CIBUILDWHEEL:g} times faster than cibuildwheel"
        " under QEMU (geometric mean)",
        mean_of_ratios(found.values()),
        at_least=FASTER_THAN_CIBUILDWHEEL,
        remark=_how_many(found, names),
    )


def _not_slower_than_emulated(figures: Figures, names: Sequence[str]) -> Verdict:
    found = _ratios(figures, names, Way.EMULATED, Way.ACCELERATED)
    least = min(found.values(), default=None)
    return _judge(
        "accelerated never slower than emulated on any source",
        least,
        at_least=1.0,
        remark=_at(found, least) + _how_many(found, names),
    )


def _against_gcc(figures: Figures, names: Sequence[str]) -> tuple[Verdict, Verdict]:
    found = _ratios(figures, names, Way.ACCELERATED, Way.GCC)
    mean = _judge(
        f"at most {GCC_ON_THE_MEAN} times a native x86-64 build with gcc (geometric mean)",
        mean_of_ratios(found.values()),
        at_most=GCC_ON_THE_MEAN,
        remark=_how_many(found, names),
    )
    most = max(found.values(), default=None)
    worst = _judge(
        f"at most {GCC_ON_ANY} times a native x86-64 build with gcc on any source",
        most,
        at_most=GCC_ON_ANY,
        remark=_at(found, most) + _how_many(found, names),
    )
    return mean, worst


def _five(figures: Figures, names: Sequence[str]) -> Verdict:
    found = [figures.ratio_of_walls(name, Way.FIVE, Way.ACCELERATED) for name in names]
    return _judge(
        f"five CPythons take at most {FIVE_CPYTHONS:g} times one (whole commands)",
        mean_of_ratios(found),
        at_most=FIVE_CPYTHONS,
    )


def _accelerated_image(figures: Figures, names: Sequence[str]) -> Verdict:
    found = _ratios(figures, names, Way.CIBUILDWHEEL, Way.CIBUILDWHEEL_ACCELERATED)
    return _judge(
        f"cibuildwheel at least {ACCELERATED_IMAGE:g} times faster with the accelerated image",
        mean_of_ratios(found.values()),
        at_least=ACCELERATED_IMAGE,
    )


def _native_only(results: Results, names: Sequence[str]) -> Verdict:
    rows = [row for row in results.measurements if row.way is Way.NATIVE_ONLY]
    built = {row.source for row in rows if row.ok}
    wanted = [name for name in names if any(row.source == name for row in rows)]
    missing = [name for name in wanted if name not in built]
    asked = "all sources build with `--compiler native-only --backend native`"
    if not wanted:
        return Verdict(asked=asked, outcome=Outcome.NOT_MEASURED, number="-")
    number = f"{len(built & set(names))} of {len(names)}"
    return _check(
        asked, number + (f": not {', '.join(missing)}" if missing else ""), ok=not missing
    )


def _heavy(figures: Figures, name: str) -> Verdict:
    return _judge(
        f"{name}, native only, in at most the time of a native x86-64 build with gcc",
        figures.ratio(name, Way.NATIVE_ONLY, Way.GCC),
        at_most=1.0,
    )


def _ratios(figures: Figures, names: Sequence[str], above: Way, below: Way) -> dict[str, float]:
    found = {name: figures.ratio(name, above, below) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _how_many(found: dict[str, float], names: Sequence[str]) -> str:
    return "" if len(found) == len(names) else f" ({len(found)} of {len(names)} sources)"


def _at(found: dict[str, float], value: float | None) -> str:
    return next((f" ({name})" for name, one in found.items() if one == value), "")


def _judge(
    asked: str,
    value: float | None,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    remark: str = "",
) -> Verdict:
    """Compare what is shown, not more digits than that: 1.00 is not above 1."""
    if value is None:
        return Verdict(asked=asked, outcome=Outcome.NOT_MEASURED, number="-")
    shown = round(value, 2)
    ok = (at_least is None or shown >= at_least) and (at_most is None or shown <= at_most)
    return _check(asked, f"{shown:.2f}{remark}", ok=ok)


def _check(asked: str, number: str, *, ok: bool) -> Verdict:
    outcome = Outcome.MET if ok else Outcome.MISSED
    return Verdict(asked=asked, outcome=outcome, number=number)
