"""One command of the host: its output as it comes, and the end of all that it has started."""

from __future__ import annotations

import math
import os
import selectors
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

    from aarch64_wheels.engine.watch import Patience

OnOutput = Callable[[int, bytes], None]

_CHUNK = 1 << 16
#: Seconds between two looks at a program that says nothing: has it ended, and left others behind
#: that hold its pipes open?
_PATIENCE = 0.1
#: Pieces of output that are still read of a program that has ended. More than a pipe holds, but
#: not all: what has left the group may hold the pipe open, and talk for ever.
_LAST_PIECES = 32


def follow(child: subprocess.Popen[bytes], on_output: OnOutput, patience: Patience) -> int:
    """Give (stream number, bytes) to `on_output` until a program ends; returns its exit status.

    What it leaves running in its process group is killed, as a container's end would do it.

    Raises:
        Overran: a limit is reached; the program still runs.
    """
    deadline = _deadline(patience)
    with selectors.DefaultSelector() as selector:
        for number, pipe in ((1, child.stdout), (2, child.stderr)):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ, number)
        over, pieces = False, _LAST_PIECES
        while selector.get_map() and pieces:
            ready = selector.select(_PATIENCE)
            if ready:
                deadline = _deadline(patience)
            elif patience.clock() >= deadline and not over:
                raise patience.overran()
            for key, _events in ready:
                if data := os.read(key.fd, _CHUNK):
                    on_output(key.data, data)
                else:
                    selector.unregister(key.fileobj)
            if over and not ready:
                break  # a process that has left the group holds a pipe open
            over = over or _end_group(child)
            pieces -= over
    if not over:
        _await(child, patience, deadline)
    status = child.wait()
    return status if status >= 0 else 128 - status


def _await(child: subprocess.Popen[bytes], patience: Patience, deadline: float) -> None:
    """Wait for the end of a program that has closed its output."""
    while not _end_group(child):
        if patience.clock() >= deadline:
            raise patience.overran()
        time.sleep(_PATIENCE / 10)


def _deadline(patience: Patience) -> float:
    """Give the time, by its own clock, until which a program may say nothing."""
    left = patience.left()
    return math.inf if left is None else patience.clock() + left


def _end_group(child: subprocess.Popen[bytes]) -> bool:
    """Kill what a program that has ended left behind; False as long as it has not.

    Its own entry in the process table must not be taken away before: until then, the number of
    the group cannot belong to anybody else.
    """
    try:
        ended = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # ended, and its entry taken away, by an interrupt
        return True
    if ended is None:
        return False
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    return True
