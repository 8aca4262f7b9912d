"""How publishing tells things."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    return Teller(note=_note, mask=hide if environ.get("GITHUB_ACTIONS") else _forget)


def _note(text: str) -> None:
    sys.stderr.write(f"{one_line(text)}\n")
    sys.stderr.flush()


def hide(secret: str) -> None:
    """Have the runner's log show `***`.

    It reads commands on both streams; standard output may have to be JSON.
    """
    with contextlib.redirect_stdout(sys.stderr):
        for line in filter(None, secret.splitlines()):
            core.set_secret(line)
    sys.stderr.flush()


def _forget(_secret: str) -> None:
    """Outside of a job nothing keeps what is printed, and no secret is."""
