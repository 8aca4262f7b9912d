"""Installs hash-locked wheels into a directory, for an interpreter that need not exist here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.hostindex import IndexSettings
    from aarch64_wheels.processes import Processes


def install_wheels(
    lock: Path,
    directory: Path,
    *,
    python: str,
    platform: str,
    index: IndexSettings,
    processes: Processes,
    link_mode: str = "copy",
) -> None:
    """Install the wheels of a lock into a directory.

    Args:
        lock: a requirements file, pinned with hashes.
        directory: becomes the packages' directory (as with `pip install --target`).
        python: the interpreter's version, such as `3.13`.
        platform: uv's name for where the wheels will be used: `aarch64-manylinux_2_28`.
        index: where the wheels come from.
        processes: runs uv, so that an interrupt ends it.
        link_mode: `hardlink` is quicker where the files will only be read: they are those of
            uv's cache.

    Raises:
        UnfitError: the index cannot be reached or has no such file.
    """
    argv = [
        find_uv(),
        "pip",
        "install",
        "--quiet",
        f"--target={directory}",
        f"--python-version={python}",
        f"--python-platform={platform}",
        "--only-binary=:all:",
        "--require-hashes",
        "--no-deps",
        f"--link-mode={link_mode}",
        f"--requirements={lock}",
    ]
    result = processes.run(argv, env={**os.environ, **index.uv_environment()})
    if result.returncode != 0:
        raise UnfitError(
            f"cannot install the wheels of {lock.name} for CPython {python}",
            found=result.stderr.strip()[-500:],
            hint="check the network, index and proxy settings",
        )


def find_uv() -> str:
    """Give the path of the `uv` program that this project depends on."""
    import uv

    return str(uv.find_uv_bin())
