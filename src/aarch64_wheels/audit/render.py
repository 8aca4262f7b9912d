"""The `audit` command: results as text or JSON, and its exit status."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from aarch64_wheels.audit.check import audit_wheel, parse_plat
from aarch64_wheels.audit.model import AuditResult, Finding, Level
from aarch64_wheels.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: Raised whenever a field of the JSON changes its meaning or goes away.
SCHEMA_VERSION = 1


def run_audit(paths: Sequence[Path], plat: str | None, *, as_json: bool) -> int:
    """Audit the wheels and print the results; what can't be read as a wheel has failed.

    Returns:
        0 when every wheel is in order, else 1; 2 when none of the files is a wheel.

    Raises:
        UsageError: one of the paths does not exist (then nothing is audited), or `plat` is
            not a tag of aarch64 Linux.
    """
    if plat is not None:
        parse_plat(plat)
    _refuse_missing(paths)
    outcomes = [_audited(path, plat) for path in paths]
    results = [result for result, _ in outcomes]
    print(render_audit(results, as_json=as_json), end="")  # the command's output
    if not any(is_wheel for _, is_wheel in outcomes):
        return ExitCode.USAGE
    return ExitCode.OK if all(result.ok for result in results) else ExitCode.TARGET_FAILED


def _refuse_missing(paths: Sequence[Path]) -> None:
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise UsageError(
            f"there is no such wheel: {', '.join(missing)}",
            hint="name wheel files that exist; nothing was audited",
        )


def _audited(path: Path, plat: str | None) -> tuple[AuditResult, bool]:
    """Audit one file; also tell whether it could be read as a wheel."""
    try:
        return audit_wheel(path, plat=plat), True
    except UsageError as error:
        finding = Finding(
            check="archive", level=Level.ERROR, message=error.what, evidence=error.found
        )
        return AuditResult(filename=path.name, tags=(), policy="", findings=(finding,)), False


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
