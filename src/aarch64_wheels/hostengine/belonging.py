"""The processes of a session, wherever they have gone: found by a mark, and by who started them.

The mark is a variable of all commands of a session, and names its directory. So a daemon is found
too, which has left its group and its parent. Only one that has left those two and has cleared its
variables as well is not; nor can another user's variables be read.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.engine.running import Process, describe, emulated_program
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Its value is the directory of the session.
MARK = "AARCH64_WHEELS_SESSION"

#: Seconds until no more is tried: the kernel does not end what waits for a broken disk.
_PATIENCE = 5.0

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One process that has not ended, as the kernel has it; times are ticks of its clock."""

    pid: int
    parent: int
    group: int
    worked: int
    started: int


def running(place: Path) -> tuple[str, ...]:
    """Describe what a session runs, one line for each process, what matters most first.

    This asks the kernel and no `ps`: small systems have none, or one with other options.
    """
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    rows = (_process(entry, now) for entry in _belonging(place))
    return describe([row for row in rows if row.command])


def kill_all(place: Path) -> None:
    """Kill the processes of a session, or of all sessions whose directories are below this one.

    They are looked for again until none is left, for they may have started others meanwhile.
    """
    patience, refused = time.monotonic() + _PATIENCE, set[int]()
    while left := {entry.pid for entry in _belonging(place)} - refused:
        refused |= _kill(left)
        if time.monotonic() > patience:
            return
        time.sleep(0.01)


def _kill(pids: Iterable[int]) -> set[int]:
    """Kill processes, and give those that are another user's; sudo may end these, if it can."""
    refused = set()
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        except PermissionError:
            refused.add(pid)
    if refused:
        argv = ["sudo", "-n", "kill", "-s", "KILL", "--", *map(str, refused)]
        with suppress(OSError):
            subprocess.run(argv, capture_output=True, check=False)
    return refused


def _belonging(place: Path) -> list[_Entry]:
    """List the processes whose mark is a directory or below it, and all that these started."""
    entries = _entries()
    found = {entry.pid for entry in entries if _is_marked(entry.pid, place)}
    more = found
    while more:
        more = {row.pid for row in entries if {row.parent, row.group} & found} - found
        found |= more
    return [entry for entry in entries if entry.pid in found - {os.getpid()}]


def _entries() -> list[_Entry]:
    try:
        numbers = [int(path.name) for path in _PROC.iterdir() if path.name.isdecimal()]
    except OSError:
        return []
    return [entry for number in numbers if (entry := _entry(number)) is not None]


def _entry(pid: int) -> _Entry | None:
    """Read a process's state (proc_pid_stat(5)); None if it has ended."""
    # The name in field 2 may hold spaces and parentheses; fields are counted after its end.
    state, *fields = _read(pid, "stat").rpartition(b")")[2].split() or [b"X"]
    if state in (b"Z", b"X"):
        return None
    return _Entry(
        pid=pid,
        parent=int(fields[0]),
        group=int(fields[1]),
        worked=int(fields[10]) + int(fields[11]),
        started=int(fields[18]),
    )


def _is_marked(pid: int, place: Path) -> bool:
    name, own = f"{MARK}=".encode(), os.fsencode(place)
    marks = [row for row in _read(pid, "environ").split(b"\0") if row.startswith(name)]
    values = [row.removeprefix(name) for row in marks]
    return any(value == own or value.startswith(own + b"/") for value in values)


def _process(entry: _Entry, now: float) -> Process:
    words = _read(entry.pid, "cmdline").rstrip(b"\0").replace(b"\0", b" ")
    age = max(now - entry.started / _TICKS, 0.0)
    return Process(
        pid=entry.pid,
        parent=entry.parent,
        age=age,
        busy=100 * entry.worked / _TICKS / max(age, 1.0),
        command=emulated_program(one_line(words.decode(errors="replace"))),
    )


def _read(pid: int, name: str) -> bytes:
    """Read what the kernel tells of a process; nothing if it is gone or another user's."""
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""
