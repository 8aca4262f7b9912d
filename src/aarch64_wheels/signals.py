"""Ending tidily when told to: Ctrl-C, `kill`, a cancelled job."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived: ends like Ctrl-C, with every container removed."""


def install() -> None:
    """Have SIGINT raise KeyboardInterrupt and SIGTERM raise Terminated, in the main thread.

    Only the first signal counts as far as SIGTERM goes: a runner that cancels a job sends
    it a few seconds after SIGINT, and it must not cut the removal of containers short.
    """
    signal.signal(signal.SIGTERM, _terminate)
    # A shell's background job is started with SIGINT ignored, and is to stay so.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, _already_ending)
    raise KeyboardInterrupt


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, _already_ending)
    raise Terminated


def _already_ending(_number: int, _frame: FrameType | None) -> None:
    """Do nothing; unlike SIG_IGN, this is not inherited by programs that are started."""
