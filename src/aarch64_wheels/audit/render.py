"""The `audit` command: results as text or JSON, and its exit status."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from aarch64_wheels.audit.check import audit_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from aarch64_wheels.audit.model import AuditResult

#: Raised whenever a field of the JSON changes its meaning or goes away.
SCHEMA_VERSION = 1


def run_audit(paths: Sequence[Path], plat: str | None, *, as_json: bool) -> int:
    """Audit the wheels and print the results.

    Returns:
        0 when every wheel is in order, else 1.

    Raises:
        UsageError: one of them is not a wheel, or `plat` is not a tag of aarch64 Linux.
    """
    results = [audit_wheel(path, plat=plat) for path in paths]
    print(render_audit(results, as_json=as_json), end="")  # the command's output
    return 0 if all(result.ok for result in results) else 1


def render_audit(results: Sequence[AuditResult], *, as_json: bool) -> str:
    """Write the results as text for people, or as JSON; either ends with a line end."""
    if as_json:
        wheels = [{**asdict(result), "ok": result.ok} for result in results]
        return json.dumps({"schema": SCHEMA_VERSION, "wheels": wheels}, indent=2) + "\n"
    return "".join(f"{line}\n" for result in results for line in _lines(result))


def _lines(result: AuditResult) -> Iterator[str]:
    verdict = "ok" if result.ok else "FAILED"
    policy = f", meets {result.policy}" if result.policy else ""
    yield f"{printable(result.filename)}: {verdict}{policy}"
    for finding in result.findings:
        evidence = f" ({finding.evidence})" if finding.evidence else ""
        yield printable(f"  {finding.level} [{finding.check}] {finding.message}{evidence}")


def printable(text: str) -> str:
    """Names come from the archive: control characters must not reach a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
