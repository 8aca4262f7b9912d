"""Which wheel a stage has left in a directory that was copied out of the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def only_wheel(files: Sequence[Path]) -> Path:
    """Give the one wheel among files.

    Raises:
        StageError: there is none, or more than one.
    """
    wheels = [path for path in files if path.suffix == ".whl"]
    if len(wheels) != 1:
        raise StageError(
            f"expected one wheel, found {len(wheels)}",
            found=", ".join(path.name for path in files) or "an empty directory",
        )
    return wheels[0]
