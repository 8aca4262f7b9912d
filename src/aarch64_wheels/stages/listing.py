"""Which wheel a stage has left in a directory of the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Session


def only_wheel(session: Session, directory: PurePosixPath) -> PurePosixPath:
    """Give the one wheel in a directory of the container.

    Raises:
        StageError: there is none, or more than one.
    """
    names = session.capture(["ls", "-A", directory]).splitlines()
    wheels = [name for name in names if name.endswith(".whl")]
    if len(wheels) != 1:
        raise StageError(
            f"expected one wheel, found {len(wheels)}",
            found=", ".join(names) or "an empty directory",
        )
    return directory / wheels[0]
