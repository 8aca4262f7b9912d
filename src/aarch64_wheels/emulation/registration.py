"""Registering an installed QEMU with the kernel, with the flags that containers need."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.emulation.binfmt import BINFMT, aarch64_entries
from aarch64_wheels.errors import CommandError, UnfitError
from aarch64_wheels.host import as_root, call, write_as_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aarch64_wheels.engine.api import LineSink

NAME = "qemu-aarch64"
#: The distribution's own registration: its line knows the magic, and which flags its program
#: was made for (Debian's wants P). Arch and Fedora add `-static` to the name.
CONFIGURATIONS = tuple(
    Path(directory, f"qemu-aarch64{suffix}.conf")
    for directory in ("/usr/lib/binfmt.d", "/etc/binfmt.d")
    for suffix in ("", "-static")
)
#: Where the program is if there is no such file.
PROGRAMS = (Path("/usr/bin/qemu-aarch64-static"), Path("/usr/bin/qemu-aarch64"))
_MAGIC = (
    r"\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00",
    r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff",
)
_PROGRAM_INTERPRETER = 3  # PT_INTERP


def find_line(
    configurations: Sequence[Path] = CONFIGURATIONS, programs: Sequence[Path] = PROGRAMS
) -> str | None:
    """Find the line for the kernel, with the flag F; None if no static QEMU is installed."""
    for path in configurations:
        for line in path.read_text().splitlines() if path.is_file() else ():
            if line.startswith(":") and is_static(Path(interpreter_of(line))):
                return with_flag_f(line)
    for program in programs:
        if is_static(program):
            # P: QEMU is told by the kernel that argv[0] is kept (Linux 5.12, QEMU 6).
            return f":{NAME}:M::{_MAGIC[0]}:{_MAGIC[1]}:{program}:PF"
    return None


def interpreter_of(line: str) -> str:
    """Give the program that a registration line names."""
    return line.strip().split(line[0])[6]


def with_flag_f(line: str) -> str:
    """Give the same line with the flag F: the kernel opens QEMU at once, for all containers."""
    head, _, flags = line.strip().rpartition(line[0])
    return f"{head}{line[0]}{flags if 'F' in flags else flags + 'F'}"


def is_static(path: Path) -> bool:
    """Tell whether this is an ELF program that needs no loader: a container has none for it."""
    try:
        with path.open("rb") as stream:
            return _has_no_interpreter(stream.read(64 * 1024))
    except OSError:
        return False


def _has_no_interpreter(data: bytes) -> bool:
    if not data.startswith(b"\x7fELF\x02\x01"):
        return False
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    kinds = {struct.unpack_from("<I", data, offset + size * i)[0] for i in range(count)}
    return _PROGRAM_INTERPRETER not in kinds


def register(line: str, sink: LineSink, *, root: Path = BINFMT) -> None:
    """Register the line, in place of every entry for aarch64 that lacks F or is switched off.

    Raises:
        UnfitError: the kernel does not allow it (no root, or a container without privileges).
    """
    try:
        _mount(sink, root)
        for entry in aarch64_entries(root):
            if entry.enabled and "F" in entry.flags:
                return
            sink(f"removing the registration {entry.name} (flags {entry.flags or 'none'})")
            write_as_root(root / entry.name, b"-1")
        sink(f"registering {interpreter_of(line)} for aarch64 programs")
        write_as_root(root / "register", line.encode())
    except (CommandError, OSError) as error:
        raise UnfitError(
            "cannot register QEMU with the kernel",
            found=str(error),
            hint="run `aarch64-wheels doctor --fix` as root, outside of a container",
        ) from None


def _mount(sink: LineSink, root: Path) -> None:
    """See that binfmt_misc is mounted and switched on."""
    status = root / "status"
    if not status.exists():
        sink(f"mounting binfmt_misc at {root}")
        call(as_root(["mount", "-t", "binfmt_misc", "binfmt_misc", str(root)]), sink=sink)
    if status.read_text().strip() != "enabled":
        sink("switching binfmt_misc on")
        write_as_root(status, b"1")
