"""Whether a wheel tagged `abi3` keeps to Python's stable ABI, as abi3audit judges it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.text import some

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.model import Finding

_CHECK = "abi3"
#: Seconds; a large library takes a few.
_PATIENCE = 300
_SHOWN = 6


def stable_abi(path: Path, content: WheelContent) -> Iterator[Finding]:
    """Find symbols that are no part of the stable ABI that the tag promises (PEP 425, PEP 384)."""
    if content.problems or not content.elfs or not any(tag.abi == "abi3" for tag in content.tags):
        return
    with tempfile.TemporaryDirectory(prefix="aarch64-wheels-") as scratch:
        report = Path(scratch) / "report.json"
        words = _audit(path, report)
        findings, problem = ([], words) if words is not None else _read(report, content.names)
    if problem:
        yield found(_CHECK, f"abi3audit cannot judge {path.name}", evidence=problem)
    yield from findings


def _audit(path: Path, report: Path) -> str | None:
    """Run abi3audit, whose command is its only public interface; gives its words if it fails."""
    argv = [sys.executable, "-P", "-m", "abi3audit", "--strict", "--report", "--output"]
    try:
        done = subprocess.run(
            [*argv, str(report), str(path.absolute())],
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it took more than {_PATIENCE} s"
    # Its status is 1, too, where it has found something, which the report tells.
    if report.is_file() and report.stat().st_size:
        return None
    said = (done.stderr + done.stdout).decode(errors="replace").split()
    return " ".join(said)[-300:] or f"status {done.returncode}"


def _read(report: Path, names: Sequence[str]) -> tuple[list[Finding], str]:
    """Give what a report finds, or why it says nothing."""
    try:
        rows = list(_objects(json.loads(report.read_text(encoding="utf-8"))))
        return ([finding for row in rows for finding in _judged(row, names)], "")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return ([], f"its report cannot be read: {type(error).__name__}: {error}")


def _objects(report: Any) -> Iterator[Any]:
    for spec in report["specs"].values():
        yield from spec.get("wheel", [])


def _judged(row: Any, names: Sequence[str]) -> Iterator[Finding]:
    name, result = _member(row["name"], names), row["result"]
    if not result["is_abi3"]:
        symbols = sorted(result["non_abi3_symbols"])
        message = f"{name} uses what is no part of the stable ABI"
        yield found(
            _CHECK,
            message,
            evidence=some(symbols, _SHOWN),
            file=name,
            symbol=next(iter(symbols), ""),
        )
    if not result["is_abi3_baseline_compatible"]:
        later = [f"{one} ({since})" for one, since in result["future_abi3_objects"].items()]
        what = f"{name} needs Python {result['computed']}, its tag says {result['baseline']}"
        yield found(_CHECK, what, evidence=some(sorted(later), _SHOWN), file=name)


def _member(base: str, names: Sequence[str]) -> str:
    """Find the member of a base name, which is all that is reported; unless there are two."""
    found = [name for name in names if name.rpartition("/")[2] == base]
    return found[0] if len(found) == 1 else base
