"""Builds the shim: freestanding C, by the bundle's own compiler."""

from __future__ import annotations

import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from aarch64_wheels.processes import Processes

#: Without optimisation: it would take clang seconds, and save a call microseconds.
_COMPILE = (
    *("clang", "--target=x86_64-linux-none", "-std=c17", "-O0", "-ffreestanding", "-nostdlib"),
    *("-fno-stack-protector", "-fno-builtin", "-Wall", "-Wextra", "-c"),
)


def build_shim(zig: Path, output: Path, processes: Processes) -> None:
    """Compile and link the shim.

    Args:
        zig: the program whose hidden commands are clang and lld.
        output: the static program to write.
        processes: runs it, so that an interrupt ends it.

    Raises:
        UnfitError: it does not compile.
    """
    with (
        resources.as_file(resources.files("aarch64_wheels.native") / "shim") as sources,
        tempfile.TemporaryDirectory(prefix="aarch64-wheels-") as scratch,
    ):
        made = Path(scratch) / "shim.o"
        resource = zig.parent / "lib"
        for argv in (
            [zig, *_COMPILE, "-resource-dir", resource, sources / "shim.c", "-o", made],
            [zig, "ld.lld", "-static", made, "-o", output],
        ):
            result = processes.run([str(word) for word in argv])
            if result.returncode != 0:
                raise UnfitError("the shim does not compile", found=result.stderr.strip()[-500:])
    output.chmod(0o755)
