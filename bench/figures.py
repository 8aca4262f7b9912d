"""Statistics over measurements: medians, ratios within a round, geometric means. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import geometric_mean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.model import Measurement, Way


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the measurements of one run say.

    Attributes:
        measurements: in any order.
    """

    measurements: Sequence[Measurement]

    def of(self, source: str, way: Way) -> tuple[Measurement, ...]:
        """Give the builds that count: warm ones; where there is none, the cold ones (`is_cold`).

        Those of round 0 only fill caches, and count nowhere but in `cold_of`.
        """
        rows = [row for row in self._ok(source, way) if row.round > 0]
        return tuple([row for row in rows if not row.cold] or rows)

    def is_cold(self, source: str, way: Way) -> bool:
        """Whether all that counts had to make its build environment first."""
        rows = self.of(source, way)
        return bool(rows) and all(row.cold for row in rows)

    def cold_of(self, source: str, way: Way) -> Measurement | None:
        """Give the first build that had to make its environment."""
        return next((row for row in self._ok(source, way) if row.cold), None)

    def median(
        self, source: str, way: Way, part: Callable[[Measurement], float | None]
    ) -> float | None:
        """Give the median of what `part` takes (seconds); None if nothing was measured."""
        values = [value for row in self.of(source, way) if (value := part(row)) is not None]
        return median(values) if values else None

    def ratios(self, source: str, above: Way, below: Way) -> tuple[float, ...]:
        """Divide the seconds of two ways, round by round; only rounds that have both."""
        upper = {row.round: seconds(row) for row in self.of(source, above)}
        lower = {row.round: seconds(row) for row in self.of(source, below)}
        common = sorted(upper.keys() & lower.keys())
        return tuple(upper[number] / lower[number] for number in common if lower[number] > 0)

    def ratio(self, source: str, above: Way, below: Way) -> float | None:
        """Give the median of the ratios within a round; None if no round has both."""
        found = self.ratios(source, above, below)
        return median(found) if found else None

    def ratio_of_walls(self, source: str, above: Way, below: Way) -> float | None:
        """Give the same for the wall time of the whole commands."""
        upper = {row.round: row.wall for row in self.of(source, above)}
        lower = {row.round: row.wall for row in self.of(source, below)}
        common = [number for number in upper.keys() & lower.keys() if lower[number] > 0]
        return median([upper[number] / lower[number] for number in common]) if common else None

    def _ok(self, source: str, way: Way) -> list[Measurement]:
        return [
            row for row in self.measurements if row.source == source and row.way is way and row.ok
        ]


def seconds(row: Measurement) -> float:
    """Give what is compared."""
    return row.seconds


def mean_of_ratios(values: Iterable[float | None]) -> float | None:
    """Give the geometric mean of the ratios there are; None if there is none."""
    found = [value for value in values if value is not None and value > 0]
    return geometric_mean(found) if found else None
