"""The tables of results.md. Pure: from results to Markdown."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from bench.figures import Figures, mean_of_ratios, seconds
from bench.model import Way
from bench.verdicts import verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.model import Measurement, Results

_WAYS = (Way.CIBUILDWHEEL, Way.EMULATED, Way.ACCELERATED, Way.NATIVE_ONLY, Way.GCC, Way.CLANG)
#: Ratios that are shown: above the line, below it, and what their column is called.
RATIOS = (
    (Way.CIBUILDWHEEL, Way.ACCELERATED, "cibuildwheel / accelerated"),
    (Way.EMULATED, Way.ACCELERATED, "emulated / accelerated"),
    (Way.ACCELERATED, Way.GCC, "accelerated / x86-64 gcc"),
    (Way.ACCELERATED, Way.CLANG, "accelerated / x86-64 clang"),
)


def render(results: Results, chart: str) -> str:
    """Write results.md.

    Args:
        results: of a run, complete or not.
        chart: the file name of the chart beside it.
    """
    figures = Figures(measurements=results.measurements)
    names = [entry.partition(" ")[0] for entry in results.sources]
    parts = [
        "# Measurements\n",
        _headline(results),
        f"![seconds of each source and way]({chart})\n",
        _section("Acceptance", _acceptance(results)),
        _section("Ratios", _ratios(figures, names)),
        _section("Environment + build + repair", _medians(figures, names, seconds)),
        _section("Stage by stage", _stages(figures, names)),
        _section("Whole commands", _medians(figures, names, lambda row: row.wall)),
        _section("First builds", _first_builds(figures, names)),
        _section("Who did the work", _work(figures, names)),
        _section("For one source only", _main_only(figures, names)),
        _section(f"The big source: {results.heavy}", _heavy(results, figures)),
        _section("What failed", _failures(results)),
        _section("How it was measured", _how()),
        _section("The machine", _facts(results)),
    ]
    return "\n".join(part for part in parts if part)


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def _how() -> str:
    return (files("bench") / "how.md").read_text(encoding="utf-8")


def _headline(results: Results) -> str:
    state = "" if results.complete else " **The run was cut off: this is a part.**"
    return (
        f"Made by `make bench` on {results.started}: {len(results.sources)} sources, CPython "
        f"{results.python}, {_count(results.rounds, 'round')}.{state}\n"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: bool = True) -> str:
    """Write a Markdown table, the first column to the left and, for numbers, the others right."""
    rule = ["---", *["---:" if right else "---"] * (len(head) - 1)]
    lines = [list(head), rule, *(list(row) for row in rows)]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _acceptance(results: Results) -> str:
    rows = [(row.asked, f"**{row.outcome}**", row.number) for row in verdicts(results)]
    return table(("asked", "outcome", "number"), rows, right=False)


def _ratios(figures: Figures, names: Sequence[str]) -> str:
    rows = []
    for name in names:
        found = [figures.ratio(name, above, below) for above, below, _ in RATIOS]
        rows.append((name, *map(_number, found)))
    means = [
        mean_of_ratios(figures.ratio(name, above, below) for name in names)
        for above, below, _ in RATIOS
    ]
    rows.append(("**geometric mean**", *(f"**{_number(mean)}**" for mean in means)))
    return table(("source", *(title for _, _, title in RATIOS)), rows)


def _medians(
    figures: Figures, names: Sequence[str], part: Callable[[Measurement], float | None]
) -> str:
    rows = [(name, *(_cell(figures, name, way, part) for way in _WAYS)) for name in names]
    text = table(("source", *(way.label for way in _WAYS)), rows)
    remark = "In parentheses the number of builds, where it is not the number of rounds; "
    return f"{text}\n{remark}`*`: its build environment had to be made.\n"


def _cell(
    figures: Figures, name: str, way: Way, part: Callable[[Measurement], float | None]
) -> str:
    value = figures.median(name, way, part)
    if value is None:
        return "-"
    star = "*" if figures.is_cold(name, way) else ""
    count = len(figures.of(name, way))
    usual = max(len(figures.of(name, one)) for one in _WAYS)
    return f"{value:.1f}{star}" + (f" ({count})" if count != usual else "")


def _stages(figures: Figures, names: Sequence[str]) -> str:
    rows = [
        (name, way.label, *_three(figures, name, way))
        for name in names
        for way in _WAYS
        if figures.of(name, way)
    ]
    return table(("source", "way", "environment", "build", "repair"), rows) if rows else ""


def _three(figures: Figures, name: str, way: Way) -> tuple[str, str, str]:
    values = (
        figures.median(name, way, lambda row: row.stages.environment),
        figures.median(name, way, lambda row: row.stages.build),
        figures.median(name, way, lambda row: row.stages.repair),
    )
    first, second, third = ("in build" if value is None else f"{value:.1f}" for value in values)
    return first, second, third


def _first_builds(figures: Figures, names: Sequence[str]) -> str:
    rows = []
    for name in names:
        if row := figures.cold_of(name, Way.ACCELERATED):
            parts = (row.stages.environment, row.stages.build, row.stages.repair)
            seconds_each = (f"{part or 0.0:.1f}" for part in parts)
            rows.append((name, *seconds_each, f"{row.stages.total:.1f}", f"{row.wall:.1f}"))
    head = ("source, accelerated", "environment", "build", "repair", "total", "whole command")
    note = "With no build environment kept: it is resolved, fetched and made.\n\n"
    return note + table(head, rows) if rows else ""


def _work(figures: Figures, names: Sequence[str]) -> str:
    rows = [
        (name, way.label, found[-1].detail)
        for name in names
        for way in (Way.ACCELERATED, Way.NATIVE_ONLY)
        if (found := figures.of(name, way)) and found[-1].detail
    ]
    return table(("source", "way", "backend and compiler calls"), rows, right=False) if rows else ""


def _main_only(figures: Figures, names: Sequence[str]) -> str:
    rows = []
    for name in names:
        for way in (Way.FIVE, Way.CIBUILDWHEEL_ACCELERATED):
            if found := figures.of(name, way):
                part = figures.median(name, way, seconds) or 0.0
                wall = figures.median(name, way, lambda row: row.wall) or 0.0
                star = "*" if figures.is_cold(name, way) else ""
                detail = found[-1].detail
                rows.append((name, way.label, f"{part:.1f}{star}", f"{wall:.1f}", detail or "-"))
    return table(("source", "way", "seconds", "whole command", "each"), rows) if rows else ""


def _heavy(results: Results, figures: Figures) -> str:
    name = results.heavy.partition(" ")[0]
    ways = [way for way in _WAYS if name and figures.of(name, way)]
    if not ways and not results.checks:
        return ""
    rows = [
        (way.label, *_three(figures, name, way), _cell(figures, name, way, seconds)) for way in ways
    ]
    times = table(("way", "environment", "build", "repair", "total"), rows)
    checks = [(row.name, "yes" if row.ok else "no", row.found) for row in results.checks]
    return f"{times}\n{table(('asked', 'true', 'found'), checks, right=False)}" if checks else times


def _failures(results: Results) -> str:
    rows = [
        (row.source, row.way.label, str(row.round), row.error)
        for row in results.measurements
        if row.error
    ]
    text = table(("source", "way", "round", "reason"), rows, right=False) if rows else ""
    return text + "".join(f"\n- {note}\n" for note in results.notes)


def _facts(results: Results) -> str:
    return table(("what", "is"), results.machine.items(), right=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
