"""Writing `report.json`, and the audit's findings beside it."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

from aarch64_wheels.audit.sarif import FILE_NAME as SARIF_NAME
from aarch64_wheels.audit.sarif import Subject, as_sarif, uri_of
from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aarch64_wheels.report.model import Report

FILE_NAME = "report.json"


def write_report(report: Report, output_dir: Path) -> Path:
    """Write the report, so that a reader finds the old one or the new one, never a part.

    Returns:
        The path of `report.json` in `output_dir`.

    Raises:
        UnfitError: the directory can't be written.
    """
    return write_whole(output_dir / FILE_NAME, report.to_json(), what="the report")


def write_findings(report: Report, output_dir: Path, base: Path) -> Path:
    """Write what the audit found, as SARIF; raises as `write_report`.

    Args:
        report: of a build.
        output_dir: where its wheels are.
        base: the root of the repository, or the working directory.

    Returns:
        The path of `audit.sarif` in `output_dir`.
    """
    text = as_sarif(_subjects(report, output_dir, base))
    return write_whole(output_dir / SARIF_NAME, text, what="the audit's findings")


def _subjects(report: Report, output_dir: Path, base: Path) -> Iterator[Subject]:
    """Give the wheels; the log stands for one that was refused, and so is not there."""
    for wheel in report.wheels:
        uri = uri_of(output_dir / wheel.filename, base)
        yield Subject(uri=uri, name=wheel.filename, findings=wheel.findings)
    for target in report.targets:
        if target.findings:
            uri = uri_of(output_dir / target.log, base)
            yield Subject(uri=uri, name=target.identifier, findings=target.findings)


def write_whole(path: Path, text: str, *, what: str) -> Path:
    """Write a file, so that a reader finds the old one or the new one, never a part.

    Raises:
        UnfitError: the directory can't be written; `what` names what was to be in it.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise UnfitError(
            f"could not write {what} to {path}",
            found=error.strerror or str(error),
            hint="free space there, or name another place",
        ) from error
    return path
