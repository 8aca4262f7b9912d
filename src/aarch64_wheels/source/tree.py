"""Writes the members of an archive, once they were found harmless, below one new directory."""

from __future__ import annotations

import math
import os
import shutil
import stat
from typing import IO, TYPE_CHECKING

from aarch64_wheels.epoch import EARLIEST

if TYPE_CHECKING:
    from pathlib import Path

#: Times of files end here: the largest one a tar header's octal field holds.
_LATEST = 8**11
#: What stands for a time that cannot be. Now would be another one in every run, and a build's time
#: may follow from it (see `epoch`).
_IMPOSSIBLE = EARLIEST


class Tree:
    """A new directory and what is written below it. No link in it is ever followed.

    Names are relative, with `/`, as `Members` gives them. The methods raise OSError.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made = {""}

    def directory(self, name: str) -> None:
        """Make a directory and those above it; their modes are ours (PEP 706)."""
        if name in self._made:
            return
        self.directory(name.rpartition("/")[0])
        path = self._root / name
        try:
            path.mkdir(mode=0o755)
        except FileExistsError:
            # Other than by its name: on a file system that takes `A` and `a` for the same.
            if not stat.S_ISDIR(path.lstat().st_mode):
                raise
        self._made.add(name)

    def file(self, name: str, content: IO[bytes], *, mode: int, mtime: float | None) -> None:
        """Write a file; one of that name, which came before in the archive, is replaced.

        Args:
            name: its path.
            content: what it holds.
            mode: of it only what PEP 706 keeps.
            mtime: seconds since the epoch; None means now, a time that cannot be the same always.
        """
        self.directory(name.rpartition("/")[0])
        path = self._root / name
        path.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            shutil.copyfileobj(content, file)
            file.flush()
            os.fchmod(file.fileno(), file_mode(mode))
            if mtime is not None:
                is_time = math.isfinite(mtime) and 0 <= mtime < _LATEST
                seconds = int(mtime) if is_time else _IMPOSSIBLE
                os.utime(file.fileno(), (seconds, seconds))

    def copy(self, name: str, original: str) -> None:
        """Write a second file with what the first holds."""
        first = self._root / original
        status = first.lstat()
        with first.open("rb") as content:
            self.file(name, content, mode=status.st_mode, mtime=status.st_mtime)

    def link(self, name: str, target: str) -> None:
        """Make a symbolic link that holds `target`."""
        self.directory(name.rpartition("/")[0])
        (self._root / name).symlink_to(target)


def file_mode(mode: int) -> int:
    """Mask a file's mode as PEP 706's data filter does.

    The owner may read and write; nobody else writes; no setuid and the like; executable for
    others only where it is for the owner.
    """
    kept = mode & 0o755 | 0o600
    return kept if kept & stat.S_IXUSR else kept & 0o644
