"""Build real projects unchanged, and write a table of what came of it: `make test-projects`.

Usage: python -m tests.real [OUTPUT-DIRECTORY [NAME ...]]
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.real.projects import PROJECTS, RealProject

_COLUMNS = ("project", "kind", "mode", "CPythons", "wheels", "tests", "seconds", "fell back")
_COMMAND = (sys.executable, "-P", "-m", "aarch64_wheels")


def main(words: list[str]) -> int:
    """Build those that are named, or all; the exit status is the number of failed ones."""
    output = Path(words[0] if words else "test-projects").absolute()
    wanted = [row for row in PROJECTS if not words[1:] or row.name in words[1:]]
    rows, failed = [_row(_COLUMNS), _row(["---"] * len(_COLUMNS))], 0
    for project in wanted:
        print(f"== {project.requirement} ==", flush=True)
        started = time.monotonic()
        status = _build(project, output / project.name)
        seconds = time.monotonic() - started
        cells, is_good = _told(project, output / project.name, status, seconds)
        failed += not is_good
        rows.append(_row(cells))
        (output / "table.md").write_text("\n".join(rows) + "\n", encoding="utf-8")
    print("\n".join(rows))
    return failed


def _build(project: RealProject, output: Path) -> int:
    output.mkdir(parents=True, exist_ok=True)
    words = ["build", project.requirement, *project.options, "--python", *project.python]
    words += ["--image", "debian", "--output-dir", str(output)]
    with (output / "console.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(
            [*_COMMAND, *words], stdout=log, stderr=subprocess.STDOUT, cwd=output, check=False
        )
    return done.returncode


def _told(
    project: RealProject, output: Path, status: int, seconds: float
) -> tuple[list[str], bool]:
    """Fill a line of the table, and tell whether all is as it should be."""
    report = _report(output)
    targets = report.get("targets", [])
    good = [row for row in targets if row["status"] == "ok"]
    wheels = {row["wheel"]["filename"] for row in good}
    tested = [row for row in good if _stage(row, "test") == "ok"]
    is_good = status == 0 and len(wheels) == (project.wheels or len(targets)) and tested != []
    cells = [
        project.requirement if is_good else f"**{project.requirement}: failed ({status})**",
        *(project.kind, report.get("mode", "-"), " ".join(_tags(targets))),
        f"{len(wheels)}",
        f"{len(tested)} of {len(targets)}",
        *(f"{seconds:.0f}", "; ".join(sorted(_fallbacks(targets))) or "none"),
    ]
    return cells, is_good


def _report(output: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((output / "report.json").read_text(encoding="utf-8"))
    except OSError:
        return {}
    return found


def _stage(target: dict[str, Any], name: str) -> str:
    found = [str(row["status"]) for row in target["stages"] if row["stage"] == name]
    return found[0] if found else "not run"


def _tags(targets: list[dict[str, Any]]) -> list[str]:
    return [str(row["identifier"]).partition("-")[0] for row in targets]


def _fallbacks(targets: list[dict[str, Any]]) -> set[str]:
    backend = {f"backend: {row['backend_reason']}" for row in targets if row["backend_reason"]}
    calls = [row["calls"] for row in targets if row["calls"]]
    return backend | {f"compiler: {reason}" for row in calls for reason, _ in row["reasons"]}


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
