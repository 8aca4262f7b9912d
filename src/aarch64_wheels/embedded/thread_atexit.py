"""Lets C++ `thread_local` objects be destroyed without asking for glibc 2.18.

The parts of libstdc++.a that register their destructors are replaced; `data/thread_atexit.c`
says by what.
"""

from __future__ import annotations

import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.embedded.toolchain import TRIPLET
from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath

    from aarch64_wheels.embedded.host_programs import HostPrograms
    from aarch64_wheels.processes import Processes

_SOURCE = "thread_atexit.s"
#: The member of the archives that has the same function.
_MEMBER = "atexit_thread.o"
_ARCHIVES = ("libstdc++.a", "libsupc++.a")


def replace_thread_atexit(
    root: Path, sysroot: PurePosixPath, version: str, programs: HostPrograms, processes: Processes
) -> None:
    """Replace the member of the sysroot's C++ libraries.

    Args:
        root: the image's root on this host.
        sysroot: a directory of the image.
        version: GCC's major version.
        programs: have an assembler and an archiver for aarch64.
        processes: runs them.

    Raises:
        UnfitError: one of them did not run, or the libraries have no such member.
    """
    directory = root / str(sysroot).lstrip("/") / f"usr/lib/gcc/{TRIPLET}/{version}"

    def run(name: str, *words: str | Path) -> str:
        return _run(processes, [*programs.argv(f"{TRIPLET}-{name}"), *words])

    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / _MEMBER
        with resources.as_file(resources.files("aarch64_wheels.data") / _SOURCE) as source:
            run("as", "-o", made, source)
        for archive in (directory / name for name in _ARCHIVES):
            if _MEMBER not in run("ar", "t", archive).splitlines():
                raise _outdated(f"{archive.name} has no {_MEMBER}")
            # D: no times and owners, so that every assembly makes the same archive.
            run("ar", "rD", archive, made)


def _run(processes: Processes, argv: Sequence[str | Path]) -> str:
    result = processes.run(argv)
    if result.returncode != 0:
        raise _outdated((result.stdout + result.stderr).strip()[-300:])
    return result.stdout


def _outdated(found: str) -> UnfitError:
    return UnfitError(
        "cannot prepare the C++ libraries of the embedded image",
        found=found,
        hint="free some disk space, or run again with --no-cache; else please report it",
    )
