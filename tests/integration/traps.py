"""Builds in containers that keep a record of every emulated program, and fail most of them."""

from __future__ import annotations

import functools
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.commands import build, rooms
from aarch64_wheels.commands.containers import Containers
from aarch64_wheels.native.places import TOOLS_PYTHON
from aarch64_wheels.report.observer import make_observer
from tests.layers import layers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.setup import NativeTools
    from aarch64_wheels.plan import Plan, Target
    from aarch64_wheels.report.model import Report
    from aarch64_wheels.settings.schema import Settings

_PLACE = PurePosixPath("/traps")
_SCRIPT, _KEPT, _RECORD = _PLACE / "lay_traps.py", _PLACE / "kept", _PLACE / "record"
_MAX_RECORD = 1 << 22

#: What may run under emulation: the shell, and small programs of the system that answer a question,
#: or alter a finished file (`strip`, which some backends run on each library they install). None of
#: them compiles, links or runs a build tool.
#: auditwheel asks the image which package a grafted library is of (PEP 770).
_PACKAGES = {"apt", "dpkg", "dpkg-query"}
ALLOWED = frozenset(
    {
        *("aarch64-linux-gnu-strip", "dash", "file", "git", "ls", "mkdir", "pkgconf", "tail"),
        *("uname", *_PACKAGES),
    }
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What was started under emulation in one container.

    Attributes:
        ran: command lines of programs that may; trapped: of those that may not, and failed.
        programs: aarch64 programs that came to be there during the build.
    """

    ran: tuple[str, ...]
    trapped: tuple[str, ...]
    programs: tuple[str, ...]

    def names(self) -> set[str]:
        """Give the names of all programs that ran."""
        return {PurePosixPath(line.split()[0]).name for line in self.ran}


@dataclass(frozen=True, kw_only=True)
class TrappingContainers(Containers):
    """Containers in which emulated programs are trapped once they are ready for a build.

    Attributes:
        records: gets a record for each container that was left.
    """

    records: list[Record]

    @contextmanager
    def accelerated(
        self,
        plan: Plan,
        target: Target,
        tools: NativeTools,
        keep_as: str = "",  # noqa: ARG002 - what is trapped must not be kept for others
    ) -> Iterator[Session]:
        """Make such a container, and its build environment among the traps."""
        with super().accelerated(plan, target, tools) as session:
            lay_traps(session)
            try:
                yield session
            finally:
                self.records.append(read_record(session))


def lay_traps(session: Session) -> None:
    """Replace every emulated program of a container."""
    script = Path(__file__).with_name("lay_traps.py").read_bytes()
    session.write(_SCRIPT, script)
    session.run([TOOLS_PYTHON, _SCRIPT, "lay", _RECORD, _KEPT, *sorted(ALLOWED)], sink=print)


def read_record(session: Session) -> Record:
    """Read what was started since."""
    lines = session.read(_RECORD, _MAX_RECORD).decode(errors="replace").splitlines()
    calls = [line.split("\t", 1) for line in lines if line.startswith(("ran\t", "trapped\t"))]
    listed = session.capture([TOOLS_PYTHON, _SCRIPT, "list", _KEPT])
    return Record(
        ran=tuple(call for word, call in calls if word == "ran"),
        trapped=tuple(call for word, call in calls if word == "trapped"),
        programs=tuple(listed.split()),
    )


def build_among_traps(settings: Settings) -> tuple[Report, Record]:
    """Build for one target; what an earlier run has learnt of the image is not asked again."""
    records: list[Record] = []
    with pytest.MonkeyPatch.context() as patch:
        containers = functools.partial(TrappingContainers, records=records)
        patch.setattr(rooms, "Containers", containers)
        observer = make_observer({}, verbose=True)
        _, report = build.run_build(layers_of(settings), os.environ, observer)
    (record,) = records
    return report, record
