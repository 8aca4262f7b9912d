"""Small x86-64 files with dynamic linking, and stand-ins for the programs that handle them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.native.relocation import Libraries, Relocator
from aarch64_wheels.processes import Processes
from tests.unit.audit_samples import X86_64, Elf, Strings

if TYPE_CHECKING:
    from pathlib import Path

DT_RPATH, DT_RUNPATH = 15, 29


@dataclass(frozen=True, kw_only=True)
class Linked(Elf):
    """An ELF file with search paths of its own."""

    machine: int = X86_64
    rpath: str = ""
    runpath: str = ""

    def _tags(self, strings: Strings) -> list[tuple[int, int | str]]:
        texts = [(DT_RPATH, self.rpath), (DT_RUNPATH, self.runpath)]
        tags = [(number, strings.add(text)) for number, text in texts if text]
        return [*tags, *super()._tags(strings)]


def write_elf(
    path: Path, *needed: str, rpath: str = "", runpath: str = "", machine: int = X86_64
) -> Path:
    """Write a file that asks for some libraries."""
    path.parent.mkdir(parents=True, exist_ok=True)
    linked = Linked(machine=machine, needed=needed, rpath=rpath, runpath=runpath, versions={})
    path.write_bytes(linked.to_bytes())
    return path


def lay_glibc(directory: Path, *more: str) -> Libraries:
    """Write the parts of a C library, and other libraries, that need nothing but it."""
    write_elf(directory / "ld-linux-x86-64.so.2")
    for name in ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", *more):
        write_elf(directory / name, "ld-linux-x86-64.so.2")
    return Libraries(directories=(directory,))


def logging_relocator(place: Path, status: int = 0) -> tuple[Relocator, Path]:
    """Give a relocator whose patchelf writes its arguments to a file, a call on each line."""
    log = place / "patchelf.log"
    log.touch()
    script = f'#!/bin/sh\necho "$*" >> "{log}"\necho "cannot do it" >&2\nexit {status}\n'
    write_script(place / "bin/patchelf", script)
    return Relocator(patchelf=place / "bin/patchelf", processes=Processes()), log
