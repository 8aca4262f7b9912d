"""The files that `audit` is given by name: what it reads, and what it writes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from aarch64_wheels.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# os.path answers where Path raises: for names that are too long, or beyond a closed directory.


def find_wheels(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Find the files to audit, in the order given, each once.

    Args:
        paths: files of any name, and directories, of which the `.whl` files are taken.

    Raises:
        UsageError: there is nothing at one of the paths, no wheel in it, or no regular file.
    """
    if not paths:
        raise UsageError(
            "there is nothing to audit", hint="name WHEEL files, or directories that hold them"
        )
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _files(path):
            found.setdefault(file.resolve(), file)
    return tuple(found.values())


def check_sarif(path: Path) -> None:
    """See that a file can be written, as far as that can be seen before.

    Raises:
        UsageError: it is a directory or a device, or there is no directory for it.
    """
    hint = "name a file to write, in a directory that exists; nothing was audited"
    if os.path.isdir(path) or (os.path.exists(path) and not os.path.isfile(path)):  # noqa: PTH110, PTH112, PTH113
        raise UsageError(f"--sarif must name a file: {path}", hint=hint)
    if not os.path.isdir(path.parent):  # noqa: PTH112
        raise UsageError(f"--sarif names a file in no directory: {path}", hint=hint)


def is_named(path: Path) -> bool:
    """Tell whether a file has the name of a wheel, so that it was meant to be one."""
    try:
        parse_wheel_filename(path.name)
    except InvalidWheelFilename:
        return False
    return True


def _files(path: Path) -> Sequence[Path]:
    if not os.path.isdir(path):  # noqa: PTH112
        hint = "name wheel files that exist; nothing was audited"
        if not os.path.exists(path):  # noqa: PTH110
            raise UsageError(f"there is no such wheel: {path}", hint=hint)
        if not os.path.isfile(path):  # noqa: PTH113 - a pipe or a device may never end
            raise UsageError(f"this is no regular file: {path}", hint=hint)
        return [path]
    try:
        inside = sorted(row for row in path.iterdir() if row.suffix == ".whl" and row.is_file())
    except OSError as error:
        raise UsageError(f"cannot look for wheels in {path}", found=str(error.strerror)) from error
    if not inside:
        hint = "name wheel files, or another directory; nothing was audited"
        raise UsageError(f"there is no wheel in {path}", hint=hint)
    return inside
