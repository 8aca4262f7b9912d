"""Who made a container: enough to tell later, from another process, whether it is dead."""

from __future__ import annotations

import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL = "aarch64-wheels.run"
_PREFIX = "aarch64-wheels.owner."
PID_LABEL = f"{_PREFIX}pid"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A process, named so that no other process can be mistaken for it.

    Attributes:
        host: machine id and host name. boot: the kernel's boot id.
        namespace: the PID namespace (`pid:[…]`): a PID means nothing outside of it.
        pid, started: the process, and its start time in clock ticks since boot (proc(5)).
    """

    host: str
    boot: str
    namespace: str
    pid: str
    started: str

    @classmethod
    def current(cls) -> Owner:
        """Describe this process."""
        return cls(
            host=f"{_read(Path('/etc/machine-id'))}/{socket.gethostname()}",
            boot=_read(Path("/proc/sys/kernel/random/boot_id")),
            namespace=str(Path("/proc/self/ns/pid").readlink()),
            pid=str(os.getpid()),
            started=start_time(os.getpid()) or "",
        )

    @classmethod
    def from_labels(cls, labels: Mapping[str, str]) -> Owner | None:
        """Read the owner a container's labels name, None if they do not."""
        try:
            owner = cls(**{name: labels[_PREFIX + name] for name in cls.__dataclass_fields__})
        except KeyError:
            return None
        return owner if owner.pid.isdecimal() else None

    def labels(self, run_id: str) -> dict[str, str]:
        """Make the labels for a container of this owner."""
        return {LABEL: run_id, **{_PREFIX + name: value for name, value in asdict(self).items()}}

    def is_dead(self, observer: Owner) -> bool:
        """Tell whether the owner is surely dead, as far as `observer` can know.

        False where it cannot know: another host, another PID namespace (a build in a
        container that shares the host's engine).
        """
        if self.host != observer.host:
            return False
        if self.boot != observer.boot:
            return True
        if self.namespace != observer.namespace:
            return False
        return has_ended(int(self.pid), self.started)


def has_ended(pid: int, started: str, proc: Path = Path("/proc")) -> bool:
    """Tell whether a process has surely ended.

    Another user's process may be hidden (proc(5), hidepid), which is not to have ended.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's process, or no PID of this kernel
        pass
    fields = _stat(pid, proc)
    return fields is not None and (fields[0] in "ZX" or fields[19] != started)


def start_time(pid: int, proc: Path = Path("/proc")) -> str | None:
    """Field 22 of /proc/PID/stat, None if there is no such process or only its zombie."""
    fields = _stat(pid, proc)
    return None if fields is None or fields[0] in "ZX" else fields[19]


def _stat(pid: int, proc: Path) -> list[str] | None:
    """Fields 3 and on of /proc/PID/stat, None if it cannot be read."""
    try:
        text = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name in field 2 may hold spaces and parentheses; fields are counted after its end.
    return text.rpartition(")")[2].split()


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
