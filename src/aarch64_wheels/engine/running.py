"""What runs in a container, for people: which program holds a build up.

Engines answer as their `ps` does. Docker's is that of its host and takes options, Podman has
titles and times of its own (`1m2.5s`); what a table lacks is left out here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from aarch64_wheels.engine.failures import ENGINE_FAILURES
from aarch64_wheels.engine.watch import span
from aarch64_wheels.redaction import redact_logins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: With ages in seconds; a `ps` that refuses it (busybox) is asked in its own way.
_COLUMNS = "-eo pid,ppid,etimes,pcpu,args"
_TITLES = {
    "pid": ("PID",),
    "parent": ("PPID",),
    "age": ("ELAPSED", "ETIMES", "ETIME"),
    "busy": ("%CPU", "C", "PCPU", "CPU"),
    "command": ("COMMAND", "CMD", "ARGS"),
}
_GO_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_GO_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)")
_CLOCK = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)")
#: QEMU's user-mode emulator, as the kernel starts it (`binfmt_misc`).
_EMULATOR = re.compile(r"(.+-)?qemu-aarch64(-static)?|aarch64-binfmt(-P)?")
#: Under this name Debian's is given the path of the program and its argv[0] (flag P).
_KEEPS_NAME = "-P"

#: Processes that are listed, and characters of a command line.
MOST = 12
WIDTH = 160


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process: who started it, its age in seconds (None: unknown), its share of a core."""

    pid: int
    parent: int
    age: float | None
    busy: float
    command: str

    def __str__(self) -> str:
        age = "" if self.age is None else f"{span(self.age)}: "
        # Before it is cut: half a login could not be told from anything else.
        command = redact_logins(self.command)
        return age + (command if len(command) <= WIDTH else f"{command[:WIDTH]}…")


def running_in(client: Any, container: str) -> tuple[str, ...]:
    """Describe what a container runs, one line for each process, what matters most first.

    Empty if the engine cannot tell: it is asked where something has failed already.
    """
    try:
        root = int(client.api.inspect_container(container)["State"]["Pid"])
        found = processes(_top(client.api, container))
    except (*ENGINE_FAILURES, LookupError, TypeError, ValueError):
        return ()
    return describe(without_own(found, root))


def _top(api: Any, container: str) -> Mapping[str, Any]:
    try:
        table: Mapping[str, Any] = api.top(container, ps_args=_COLUMNS)
    except ENGINE_FAILURES:
        table = api.top(container)
    return table


def processes(table: Mapping[str, Any]) -> tuple[Process, ...]:
    """Read an engine's table of processes (`Titles`, `Processes`); rows that say nothing go."""
    titles = [str(title).upper() for title in table.get("Titles") or ()]
    places = {
        name: next((titles.index(title) for title in known if title in titles), None)
        for name, known in _TITLES.items()
    }
    rows = (_process(row, places) for row in table.get("Processes") or ())
    return tuple(row for row in rows if row is not None)


def _process(row: Sequence[str], places: Mapping[str, int | None]) -> Process | None:
    def cell(name: str) -> str:
        place = places[name]
        return "" if place is None or place >= len(row) else str(row[place]).strip()

    command = cell("command")
    if not command or "<defunct>" in command:  # ended, and only not buried yet
        return None
    return Process(
        pid=int(_number(cell("pid"))),
        parent=int(_number(cell("parent"))),
        age=_age(cell("age")),
        busy=_number(cell("busy")),
        command=emulated_program(command),
    )


def _number(text: str) -> float:
    found = re.match(r"\d+(\.\d+)?", text)
    return float(found[0]) if found else 0.0


def _age(text: str) -> float | None:
    """Read seconds, `[[days-]hours:]minutes:seconds`, or Go's `1h2m3.5s`."""
    if text.isdecimal():
        return float(text)
    if found := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
    parts = _GO_PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _GO_UNITS[unit] for number, unit in parts)
    return None


def emulated_program(command: str) -> str:
    """Take the emulator off a command line: `qemu-aarch64-static /usr/bin/cc1plus …`."""
    emulator, *words = command.split(" ")
    name = PurePosixPath(emulator).name
    if not _EMULATOR.fullmatch(name) or not words or words[0].startswith("-"):
        return command  # with options: somebody's own call of it
    program, *rest = words
    same = rest and PurePosixPath(rest[0]).name == PurePosixPath(program).name
    if rest and (name.endswith(_KEEPS_NAME) or same):
        rest = rest[1:]
    return " ".join([program, *rest])


def without_own(found: Sequence[Process], root: int) -> tuple[Process, ...]:
    """Leave out the container's own process, which sleeps, and the init program above it.

    Args:
        found: all processes.
        root: the container's first one, in the engine's numbers; in the container's own it is 1.
    """
    roots = (root, 1)
    return tuple(
        row
        for row in found
        if row.pid not in roots
        and not (row.parent in roots and row.command.endswith("sleep infinity"))
    )


def describe(found: Sequence[Process]) -> tuple[str, ...]:
    """List processes, the deepest of the tree first, and of those the busiest: these work."""
    depths = _depths(found)
    ordered = sorted(found, key=lambda row: (-depths[row.pid], -row.busy, row.pid))
    more = len(ordered) - MOST
    rest = (f"and {more} more",) if more > 0 else ()
    return (*(str(row) for row in ordered[:MOST]), *rest)


def _depths(found: Iterable[Process]) -> dict[int, int]:
    parents = {row.pid: row.parent for row in found}

    def depth(pid: int) -> int:
        seen = list[int]()
        while pid in parents and pid not in seen:
            seen.append(pid)
            pid = parents[pid]
        return len(seen)

    return {pid: depth(pid) for pid in parents}
