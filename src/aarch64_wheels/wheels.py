"""Installs hash-locked wheels into a directory, for an interpreter that need not exist here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

    from aarch64_wheels.hostindex import IndexSettings
    from aarch64_wheels.processes import Processes

#: Variables that would lead uv back to a directory or a file with settings of a project.
_LEADING = ("UV_CONFIG_FILE", "UV_PROJECT", "UV_WORKING_DIR", "UV_WORKING_DIRECTORY")
#: Variables that may name a place relative to this process's directory, which uv is not run in.
_PLACES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "UV_CACHE_DIR", "UV_PYTHON_INSTALL_DIR")


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
    words = [
        "pip",
        "install",
        "--quiet",
        f"--target={directory.absolute()}",
        f"--python-version={python}",
        f"--python-platform={platform}",
        "--only-binary=:all:",
        "--require-hashes",
        "--no-deps",
        f"--link-mode={link_mode}",
        f"--requirements={lock.absolute()}",
    ]
    result = run_uv(words, {**os.environ, **index.uv_environment()}, processes)
    if result.returncode != 0:
        raise UnfitError(
            f"cannot install the wheels of {lock.name} for CPython {python}",
            found=result.stderr.strip()[-500:],
            hint="check the network, index and proxy settings",
        )


def run_uv(
    words: Sequence[str], environ: Mapping[str, str], processes: Processes
) -> subprocess.CompletedProcess[str]:
    """Run this project's uv, which obeys no project.

    The working directory is often that of a source that nobody trusts on this host: its
    `[tool.uv]` may say where interpreters are downloaded from, and its `.venv` is run.

    Args:
        words: uv's arguments; places in them are absolute.
        environ: all variables; those that would lead uv to a configuration are left out.
        processes: runs it.
    """
    places = {name: str(Path(environ[name]).absolute()) for name in _PLACES if environ.get(name)}
    kept = {name: value for name, value in environ.items() if name not in _LEADING}
    return processes.run([find_uv(), *words, "--no-config"], env=kept | places, cwd=Path("/"))


def find_uv() -> str:
    """Give the path of the `uv` program that this project depends on."""
    import uv

    return str(uv.find_uv_bin())
