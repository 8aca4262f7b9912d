"""The files of a run: results.json, results.md and the chart; whole at any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.chart import draw
from bench.model import Results
from bench.tables import render

if TYPE_CHECKING:
    from pathlib import Path

CHART = "results.svg"


@dataclass(frozen=True)
class Output:
    """Where results go."""

    directory: Path

    def write(self, results: Results) -> None:
        """Write all three anew; the old ones are there until the new ones are whole."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._replace("results.json", results.to_json())
        self._replace("results.md", render(results, CHART))
        draft = self.directory / f".{CHART}"
        draw(results, draft)
        draft.replace(self.directory / CHART)

    def read(self) -> Results:
        """Read what `write` has written.

        Raises:
            OSError, ValueError: there is none, or not of this form.
        """
        return Results.from_json((self.directory / "results.json").read_text(encoding="utf-8"))

    def text(self) -> str:
        """Give results.md as it is written."""
        return (self.directory / "results.md").read_text(encoding="utf-8")

    def _replace(self, name: str, text: str) -> None:
        draft = self.directory / f".{name}"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.directory / name)
