"""Sessions on the host itself, and commands that leave something running."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.hostengine.session import HostSession

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import Argv
    from aarch64_wheels.engine.watch import Limits
    from aarch64_wheels.processes import Processes

PATH = os.environ["PATH"]


def sh(script: str, *arguments: str) -> Argv:
    return ("sh", "-c", script, "sh", *arguments)


#: Starts what the end of the command does not reach, and says its number.
SAY = "until [ -s pid ]; do sleep 0.01; done; cat pid;"
DAEMON = f"setsid sh -c 'echo $$ >pid; exec sleep 300 >&- 2>&-' & {SAY}"


def open_session(
    place: Path, processes: Processes, limits: Limits | None = None, **variables: str
) -> HostSession:
    """A session below this place, whose commands see PATH and these variables."""
    return HostSession(place.resolve(), {"PATH": PATH, **variables}, processes, limits)


def gone(pid: int) -> bool:
    """Whether a process has ended; its entry may stay where nobody buries it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in "ZX"


def wait_until_gone(pid: int) -> bool:
    patience = time.monotonic() + 10
    while not gone(pid) and time.monotonic() < patience:
        time.sleep(0.02)
    return gone(pid)
