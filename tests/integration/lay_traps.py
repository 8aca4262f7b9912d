"""Runs natively in a container: puts a small script in place of every emulated program.

Usage: lay_traps.py lay RECORD KEPT ALLOWED [ALLOWED ...]
       lay_traps.py list KEPT

`lay` puts a script in place of each aarch64 program of the image. It adds a line to RECORD, and
then runs the program, moved to KEPT, if its name is allowed, or else fails. `list` prints the
aarch64 programs that are there besides.

Only what the kernel hands to QEMU matters: scripts are run by a program that is replaced itself.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: ELF, 64 bits, little-endian; an executable or a shared object; for aarch64.
_MAGIC, _KINDS, _MACHINE = b"\x7fELF\x02\x01", (2, 3), 183
_OTHERS = ("/proc", "/sys", "/dev", "/native")
_SHELL = "dash"
_STATUS = 97


def programs(kept: Path) -> Iterator[Path]:
    """Find all aarch64 programs; shared libraries and the loader are called `*.so*`."""
    for directory, names, files in os.walk("/"):
        names[:] = [
            name
            for name in names
            if not os.path.join(directory, name).startswith((*_OTHERS, str(kept)))  # noqa: PTH118
        ]
        yield from (Path(directory, name) for name in files if _is_program(directory, name))


def _is_program(directory: str, name: str) -> bool:
    path = Path(directory, name)
    status = path.lstat()
    if ".so" in name or not stat.S_ISREG(status.st_mode) or not status.st_mode & 0o111:
        return False
    with path.open("rb") as stream:
        head = stream.read(20)
    kind, machine = (int.from_bytes(head[at : at + 2], "little") for at in (16, 18))
    return head.startswith(_MAGIC) and kind in _KINDS and machine == _MACHINE


def lay(record: Path, kept: Path, allowed: frozenset[str]) -> None:
    """Put the scripts in place; each stands below its program's own name."""
    record.touch()
    record.chmod(0o666)
    kept.mkdir()
    for path in sorted(programs(kept)):
        word, then = "trapped", f"exit {_STATUS}"
        if path.name in allowed:
            word, then = "ran", f'exec {shutil.move(path, kept / path.name)} "$@"'
        else:
            path.unlink()
        path.write_text(_script(kept / _SHELL, f"{word} {path}", record, then))
        path.chmod(0o755)


def _script(shell: Path, words: str, record: Path, then: str) -> str:
    return f"#!{shell}\nprintf '%s\\t%s\\t%s\\n' {words} \"$*\" >>{record}\n{then}\n"


def main(task: str, *arguments: str) -> None:
    """Do what is asked for."""
    if task == "lay":
        record, kept, *allowed = arguments
        lay(Path(record), Path(kept), frozenset(allowed))
    else:
        print(*sorted(programs(Path(*arguments))), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
