"""Writing `report.json`."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
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
    path = output_dir / FILE_NAME
    draft = output_dir / f".{FILE_NAME}.{secrets.token_hex(4)}"
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        draft.write_text(report.to_json(), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise UnfitError(
            f"could not write the report to {path}",
            found=error.strerror or str(error),
            hint="free space there, or name another directory with --output-dir",
        ) from error
    return path
