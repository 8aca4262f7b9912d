"""How publishing tells things."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from actions_toolkit import core

from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Teller:
    """Whom to tell.

    Attributes:
        note: told each step, a line for people.
        mask: told each secret before its first use, to keep it out of a job's log.
    """

    note: Callable[[str], None]
    mask: Callable[[str], None]


def job_teller(environ: Mapping[str, str]) -> Teller:
    """Tell steps on standard error; secrets are told only to GitHub's runner, which hides them.

    Args:
        environ: says whether the runner is there.
    """
    return Teller(note=_note, mask=Hider() if environ.get("GITHUB_ACTIONS") else _forget)


def _note(text: str) -> None:
    sys.stderr.write(f"{one_line(text)}\n")
    sys.stderr.flush()


@dataclass
class Hider:
    """Has the runner's log show `***`.

    The runner reads commands on both streams; standard output may have to be JSON. Where standard
    error is a file, no runner reads it, and a command would keep the secret there.
    """

    _told: bool = False

    def __call__(self, secret: str) -> None:
        """Hide one secret."""
        if _is_kept(sys.stderr):
            self._tell()
            return
        with contextlib.redirect_stdout(sys.stderr):
            for line in filter(None, secret.splitlines()):
                core.set_secret(line)
        sys.stderr.flush()

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            _note("standard error is a file: secrets are not masked in the job's log")


def _is_kept(stream: TextIO) -> bool:
    """Tell whether what is written stays where it is written: in a file."""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):  # it is none of the system's
        return False


def _forget(_secret: str) -> None:
    """Outside of a job nothing keeps what is printed, and no secret is."""
