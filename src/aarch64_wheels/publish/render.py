"""The publishing plan as a table, as JSON, and as Markdown; and the page that gets the latter."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from aarch64_wheels.report import wording
from aarch64_wheels.report.markdown import escape
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from aarch64_wheels.publish.distributions import Distribution
    from aarch64_wheels.publish.plan import IndexPlan
    from aarch64_wheels.publish.release import ReleasePlan

#: Of a hash, so many characters tell files apart for a reader.
_SHORT = 12


def as_table(
    files: Sequence[Distribution], index: IndexPlan | None, release: ReleasePlan | None
) -> Table:
    """Draw the plan: a row for each file, a column for each destination."""
    table = Table()
    table.add_column("file", overflow="fold")
    table.add_column("size", justify="right")
    table.add_column("sha256")
    for title in _titles(index, release):
        table.add_column(one_line(title), overflow="fold")
    for name, size, sha256, *steps in _rows(files, index, release):
        table.add_row(name, size, f"{sha256[:_SHORT]}…" if sha256 else "", *steps)
    return table


def as_json(
    files: Sequence[Distribution], index: IndexPlan | None, release: ReleasePlan | None
) -> str:
    """Write the plan as JSON."""
    document = {
        "schema": 1,
        "project": files[0].project,
        "version": str(files[0].version),
        "files": [
            {"filename": one.filename, "size": one.size, "sha256": one.sha256} for one in files
        ],
        "index": None if index is None else _index(index),
        "release": None if release is None else _release(release),
    }
    return json.dumps(document, indent=2) + "\n"


def _index(plan: IndexPlan) -> dict[str, Any]:
    steps = {item.distribution.filename: item.step for item in plan.items}
    return {"url": plan.destination, "steps": steps}


def _release(plan: ReleasePlan) -> dict[str, Any]:
    return {"tag": plan.tag, "exists": plan.exists, "steps": plan.steps}


def as_markdown(
    files: Sequence[Distribution],
    index: IndexPlan | None,
    release: ReleasePlan | None,
    *,
    kind: str = "",
) -> str:
    """Write the table of files, and what becomes of them, for a page or a comment on GitHub.

    Args:
        files: a row for each.
        index: a column, if there is one.
        release: likewise.
        kind: for the heading: what the table is of the release, such as its plan.
    """
    titles = ["file", "size", "SHA-256", *_titles(index, release)]
    heading = f"{files[0].project} {files[0].version}" + (f" - {kind}" if kind else "")
    lines = [f"### {escape(heading)}", ""]
    lines += [_row(map(escape, titles)), _row(["---"] * len(titles))]
    for name, size, sha256, *steps in _rows(files, index, release):
        digest = f"`{sha256}`" if sha256 else ""
        lines.append(_row([escape(name), size, digest, *map(escape, steps)]))
    return "\n".join(lines) + "\n\n"


@dataclass(kw_only=True)
class Page:
    """A page of Markdown, as a job's summary: what it cannot take stops nothing.

    Attributes:
        path: appended to; None: there is no page. note: told if it cannot be written, once.
    """

    path: Path | None
    note: Callable[[str], None]

    def write(self, text: str) -> None:
        """Write at its end."""
        if self.path is None:
            return
        try:
            with self.path.open("a", encoding="utf-8") as page:
                page.write(text)
        except OSError as error:
            self.note(f"cannot write the summary {self.path}: {error.strerror or error}")
            self.path = None

    def tell(self, outcome: str) -> None:
        """Write a line of a list."""
        self.write(f"- {escape(outcome)}\n")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _titles(index: IndexPlan | None, release: ReleasePlan | None) -> list[str]:
    titles = [] if index is None else [index.destination]
    return titles if release is None else [*titles, f"release {release.tag}"]


def _rows(
    files: Sequence[Distribution], index: IndexPlan | None, release: ReleasePlan | None
) -> Iterator[list[str]]:
    """Give name, size, SHA-256 and steps of each file, then of what only the release gets."""
    there = {item.distribution.filename: str(item.step) for item in index.items} if index else {}
    assets = release.steps if release else {}
    known = {one.filename: [wording.size(one.size), one.sha256] for one in files}
    for name in dict.fromkeys([*known, *assets]):
        steps = [] if index is None else [there.get(name, "-")]
        steps += [] if release is None else [str(assets.get(name, "-"))]
        yield [name, *known.get(name, ["", ""]), *steps]
