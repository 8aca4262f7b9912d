"""Chooses where native libraries and interpreters come from: by the image that is built in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.native.debian import DebianSystem
from aarch64_wheels.native.host_interpreters import HostInterpreters
from aarch64_wheels.native.host_system import HostSystem, host_libraries, own_program, own_version
from aarch64_wheels.native.relocation import Relocator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.native.system import NativeSystem
    from aarch64_wheels.processes import Processes


def choose_system(
    *,
    embedded: bool,
    cache_dir: Path,
    patchelf: Path,
    processes: Processes,
    environ: Mapping[str, str],
) -> NativeSystem:
    """Choose the native system of a run.

    Args:
        embedded: whether the image is the embedded one; Debian's packages are there then.
        cache_dir: what is fetched is kept below it.
        patchelf: the program; it need not exist before something is laid out.
        processes: runs patchelf, uv and interpreters, so that an interrupt ends them.
        environ: this process's variables; say where uv, pyenv and a CI runner keep interpreters.
    """
    if embedded:
        return DebianSystem.of_this_version(cache_dir, patchelf, processes)
    home = Path(environ.get("HOME") or "/nonexistent")
    interpreters = HostInterpreters(
        environ=environ, home=home, own=own_program(), processes=processes
    )
    return HostSystem(
        libraries=host_libraries(),
        interpreters=interpreters,
        cache_dir=cache_dir,
        relocator=Relocator(patchelf=patchelf, processes=processes),
        own_version=own_version(),
    )
