"""What is run in which order. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.model import Way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.sources import Source

#: Quick ones first and last: what drifts on the machine meets both sides of a ratio.
_QUICK = (Way.ACCELERATED, Way.GCC, Way.NATIVE_ONLY, Way.CLANG)
_SLOW = (Way.EMULATED, Way.CIBUILDWHEEL)
_MAIN = (Way.CIBUILDWHEEL_ACCELERATED, Way.FIVE)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One build to run: round 0 fills caches (and shows what a first build costs)."""

    source: Source
    way: Way
    round: int


def make_schedule(
    sources: Sequence[Source], rounds: int, *, quick: bool = False
) -> tuple[Task, ...]:
    """Order all builds: a round of every source, then the next round, ways interleaved.

    Args:
        sources: what is built.
        rounds: how often (slow ways: see `Source.slow_rounds`).
        quick: warm up accelerated mode only, which is what shows its first build's cost.
    """
    warm = [task for source in sources for task in _warm_up(source, quick=quick)]
    numbers = range(1, rounds + 1)
    return (*warm, *(task for number in numbers for one in sources for task in _round(one, number)))


def _warm_up(source: Source, *, quick: bool) -> list[Task]:
    ways = [Way.ACCELERATED] if quick else [Way.ACCELERATED, Way.NATIVE_ONLY, Way.GCC]
    if source.main and not quick:
        ways.append(Way.FIVE)
    return [Task(source=source, way=way, round=0) for way in ways]


def _round(source: Source, number: int) -> list[Task]:
    slow = _SLOW if number <= source.slow_rounds else ()
    ways = [*_QUICK[:2], *slow, *_QUICK[2:], *(_MAIN if source.main else ())]
    if number % 2 == 0:
        ways.reverse()
    return [Task(source=source, way=way, round=number) for way in ways]
