"""Telling the steps of a command that has no plan, each with the seconds since it began."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable


def timed_notes() -> Callable[[str], None]:
    """Give a function that prints a step; the clock starts now."""
    started = time.monotonic()

    def note(text: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {one_line(text)}", flush=True)

    return note
