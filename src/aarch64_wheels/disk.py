"""Room for a build: free space where it is needed, and an output directory to write to."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine

MIB = 1 << 20
GIB = 1 << 30
#: Wheels and logs of a few targets.
OUTPUT_BYTES = 200 * MIB
#: An image with its unpacked form, and the containers of a few targets.
ENGINE_BYTES = 2 * GIB
#: The same for the embedded image; and in the cache its packages, its root and its archive.
EMBEDDED_BYTES = 3 * GIB


@dataclass(frozen=True, kw_only=True)
class Need:
    """Space that a build takes.

    Attributes:
        name: of the place, in words. path: the place, which need not be there yet.
        needed: bytes. hint: what helps if there are fewer.
    """

    name: str
    path: Path
    needed: int
    hint: str


def space_needs(
    engine: Engine | None, *, output_dir: Path, cache_dir: Path, embedded: bool
) -> tuple[Need, ...]:
    """List where a build takes how much space.

    Args:
        engine: its storage counts if it is on this machine and can be seen; None: no engine.
        output_dir: gets wheels and logs.
        cache_dir: used for the embedded image only.
        embedded: the build is in the embedded image.
    """
    needs = []
    if engine is not None and engine.storage is not None:
        hint = f"free some, e.g. `{engine.name} system prune` removes what no container uses"
        needed = EMBEDDED_BYTES if embedded else ENGINE_BYTES
        needs.append(Need(name="engine", path=engine.storage, needed=needed, hint=hint))
    if embedded:
        hint = "free some, or choose another place with --cache-dir"
        needs.append(Need(name="cache", path=cache_dir, needed=EMBEDDED_BYTES, hint=hint))
    hint = "free some, or choose another place with --output-dir"
    needs.append(Need(name="output", path=output_dir, needed=OUTPUT_BYTES, hint=hint))
    return tuple(needs)


def check_space(
    engine: Engine | None, *, output_dir: Path, cache_dir: Path, embedded: bool
) -> None:
    """See that there is space wherever a build takes some (see `space_needs`).

    Raises:
        UnfitError: with the figures.
    """
    for need in space_needs(engine, output_dir=output_dir, cache_dir=cache_dir, embedded=embedded):
        check_disk(need.path, need.needed, hint=need.hint)


def check_disk(path: Path, needed: int, *, hint: str = "free some") -> None:
    """See that `needed` bytes are free where `path` is or will be.

    Raises:
        UnfitError: with the figures.
    """
    free = free_bytes(path)
    if free < needed:
        raise UnfitError(
            f"too little disk space at {path}",
            found=f"{shown(free)} free, {shown(needed)} needed",
            hint=hint,
        )


def check_output_dir(path: Path) -> None:
    """Make the output directory if there is none, and see that files can be written to it.

    Raises:
        UnfitError: it is something else, or cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Asking for permissions is not enough: root may do anything, yet not on a read-only disk.
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        found = "it is not a directory" if isinstance(error, FileExistsError) else error.strerror
        raise UnfitError(
            f"cannot write to the output directory {path}",
            found=found or str(error),
            hint="choose another with --output-dir",
        ) from None


def free_bytes(path: Path) -> int:
    """Count the bytes free for this user where `path` is or will be.

    Raises:
        UnfitError: the disk does not answer.
    """
    place = path.absolute()
    # Not `Path.exists`, which raises PermissionError below a directory that cannot be entered.
    while not os.path.exists(place) and place != place.parent:  # noqa: PTH110
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError as error:
        raise UnfitError(f"cannot see how much space is free at {path}", found=str(error)) from None


def shown(count: int) -> str:
    """Write a number of bytes for people."""
    return f"{count / MIB:.0f} MiB" if count < GIB else f"{count / GIB:.1f} GiB"
