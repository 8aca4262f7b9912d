"""Directories kept under a key: made once, whole or not at all, removed when long out of use."""

from __future__ import annotations

import os
import shutil
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.locking import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Seconds after which what nobody has asked for (another version of this project) goes.
OLD_SECONDS = 7 * 24 * 3600

#: Seconds for which a use is remembered.
FRESH_SECONDS = 24 * 3600
_DRAFT = ".partial"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A directory whose name says what it holds.

    Attributes:
        parent: where such directories are kept.
        name: ends with a key, which changes whenever the content does.
    """

    parent: Path
    name: str

    @property
    def directory(self) -> Path:
        """The directory; it is there only when it is whole."""
        return self.parent / self.name

    def ensure(self, make: Callable[[Path], None], note: Callable[[str], None]) -> Path:
        """Have the directory; returns it.

        Args:
            make: fills a new directory, which has another name until it is whole.
            note: told if another process is at work on the same.

        Raises:
            UnfitError: the disk is full. Whatever `make` raises.
        """
        if not self._is_used():
            with exclusive(self.parent / f"{self.name}.lock", note):
                if not self._is_used():
                    self._make(make)
        return self.directory

    def _is_used(self) -> bool:
        """Tell whether it is there, and remember that it is in use.

        Not each time: another run may be copying it, and `tar` takes a change for a fault.
        """
        try:
            if time.time() - self.directory.stat().st_mtime > FRESH_SECONDS:
                os.utime(self.directory)
        except FileNotFoundError:
            return False
        except OSError:  # a cache that somebody else owns, or that is read-only
            return self.directory.is_dir()
        return True

    def _make(self, make: Callable[[Path], None]) -> None:
        draft = self.directory.with_name(self.name + _DRAFT)
        remove_old(self.parent)
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir()
            make(draft)
            _protect(draft)
            draft.replace(self.directory)
        except OSError as error:
            raise UnfitError(
                f"cannot make {self.directory}",
                found=str(error)[-300:],
                hint="free some disk space in the cache directory (--cache-dir) and run again",
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def remove_old(parent: Path) -> None:
    """Remove directories that nobody has asked for in a week, and drafts of killed runs."""
    for path in parent.iterdir():
        try:
            if path.is_dir() and time.time() - path.stat().st_mtime > OLD_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        except FileNotFoundError:  # another run tidies too
            continue


def _protect(directory: Path) -> None:
    """Let everybody read, and nobody write files; directories stay removable by their owner."""
    directory.chmod(0o755)
    for path in directory.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            path.chmod(0o755)
        elif stat.S_ISREG(mode):
            path.chmod(0o555 if mode & stat.S_IXUSR else 0o444)
