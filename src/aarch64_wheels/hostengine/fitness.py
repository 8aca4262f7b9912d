"""What `doctor` looks at where builds are to run without containers."""

from __future__ import annotations

import platform
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from aarch64_wheels.catalogue import interpreters
from aarch64_wheels.commands.inputs import host_system
from aarch64_wheels.doctor import Check, disk_check
from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.hostengine.engine import host_needs, scratch_parent
from aarch64_wheels.hostengine.environment import search_path
from aarch64_wheels.hostengine.image import refuse_foreign
from aarch64_wheels.hostengine.interpreters import Finder, no_headers
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aarch64_wheels.plan import Interpreter

#: Programs, any of which will do: what for, the names, whether all builds need one.
_PROGRAMS = (
    ("C compiler", ("cc", "gcc", "clang"), True),
    ("git", ("git",), False),  # sources of version control, and versions taken from it
)


def examine_host(
    environ: Mapping[str, str], output_dir: Path, machine: str = "", finder: Finder | None = None
) -> tuple[Check, ...]:
    """Look at everything that a build on this machine itself needs.

    Args:
        environ: this process's variables.
        output_dir: gets wheels and logs.
        machine: the architecture, if not this machine's.
        finder: looks for interpreters, if not the usual.
    """
    with Processes() as processes:
        looking = finder or Finder(environ=environ, processes=processes)
        return (
            machine_check(machine or platform.machine(), host_system()),
            interpreters_check(looking, interpreters()),
            *(
                program_check(name, programs, environ, required=required)
                for name, programs, required in _PROGRAMS
            ),
            scratch_check(),
            *(disk_check(need) for need in host_needs(output_dir)),
        )


def machine_check(machine: str, system: str) -> Check:
    """Check that what is compiled here runs on aarch64 Linux."""
    try:
        refuse_foreign(machine, system)
    except UsageError as error:
        return Check(name="machine", ok=False, found=error.found, hint=error.hint)
    return Check(name="machine", ok=True, found=f"{machine}, {system}")


def scratch_check() -> Check:
    """Check that what builds make there is not where a container would have it."""
    name = "temporary files"
    try:
        return Check(name=name, ok=True, found=str(scratch_parent()))
    except UnfitError as error:
        return Check(name=name, ok=False, found=error.found, hint=error.hint)


def interpreters_check(finder: Finder, rows: Sequence[Interpreter]) -> Check:
    """Check that there is an interpreter to build for, with what C code is compiled with."""
    with ThreadPoolExecutor() as pool:
        found = dict(zip(rows, pool.map(finder.find, rows), strict=True))
    there = {row.tag: own for row, own in found.items() if own is not None}
    listing = ", ".join(f"{tag} ({own.program})" for tag, own in there.items()) or "none"
    bare = [no_headers(own.program) for own in there.values() if not own.has_headers]
    whole = len(there) > len(bare)
    hint = "; ".join(bare) if there else "install some: `uv python install 3.13`"
    return Check(
        name="interpreters",
        ok=whole and not bare,
        found=listing,
        hint=hint,
        required=not whole,
    )


def program_check(
    name: str, programs: Sequence[str], environ: Mapping[str, str], *, required: bool
) -> Check:
    """Check for one of some programs on PATH."""
    path = ":".join(map(str, search_path(environ)))
    found = next(filter(None, (shutil.which(word, path=path) for word in programs)), None)
    hint = "" if found else f"install {programs[0]} with the system's package manager"
    return Check(
        name=name, ok=bool(found), found=found or "not on PATH", hint=hint, required=required
    )
