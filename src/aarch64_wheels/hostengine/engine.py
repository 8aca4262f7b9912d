"""The host itself in the place of a container engine, for one run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.disk import GIB, Need, check_disk, space_needs
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.hostengine.belonging import kill_all
from aarch64_wheels.hostengine.mapping import is_ours
from aarch64_wheels.hostengine.session import HostSession
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.engine.watch import Limits

#: Projects, build environments and what is compiled, of a few targets.
_SCRATCH_BYTES = GIB


class HostEngine:
    """The machine that this runs on, and a private directory there.

    Args:
        machine: its architecture, as `platform.machine()` says it.

    Attributes:
        architecture: the same. cores: how many this process may use.
        scratch: holds all that a run makes, and goes with it; there are no links in its path.
        processes: run all commands.

    Raises:
        UnfitError: what this run makes would be where a container has the project.
    """

    def __init__(self, machine: str) -> None:
        self.architecture = machine
        self.cores = len(os.sched_getaffinity(0))
        self._scratch = tempfile.TemporaryDirectory(
            prefix="aarch64-wheels-", dir=scratch_parent(), ignore_cleanup_errors=True
        )
        self.scratch = Path(self._scratch.name).resolve()
        self.processes = Processes()

    def __str__(self) -> str:
        return "none (this machine itself)"

    def session(self, environment: Mapping[str, str], limits: Limits | None = None) -> HostSession:
        """Make a session, which begins when it is entered.

        Args:
            environment: all variables of its commands.
            limits: of their time.
        """
        return HostSession(self.scratch, environment, self.processes, limits)

    def check_space(self, output_dir: Path) -> None:
        """See that there is space for a build.

        Raises:
            UnfitError: with the figures.
        """
        for need in host_needs(output_dir):
            check_disk(need.path, need.needed, hint=need.hint)

    def close_all(self) -> None:
        """End all processes, and remove what they have made. Safe at any time."""
        self.processes.kill_all()
        kill_all(self.scratch)
        self._scratch.cleanup()


def scratch_parent() -> Path:
    """Give the directory of this host that is for temporary files, without links in its path.

    Raises:
        UnfitError: it is where a container has our files: a path there could mean either.
    """
    place = Path(tempfile.gettempdir()).resolve()
    if is_ours(PurePosixPath(place)):
        raise UnfitError(
            "temporary files must be elsewhere",
            found=f"{place}: commands of a project mean its copy by paths below /{place.parts[1]}",
            hint="set TMPDIR to a directory elsewhere, as /tmp",
        )
    return place


def host_needs(output_dir: Path) -> tuple[Need, ...]:
    """List where a build takes how much space."""
    place = Path(tempfile.gettempdir())
    hint = "free some, or choose another place with TMPDIR"
    own = Need(name="builds", path=place, needed=_SCRATCH_BYTES, hint=hint)
    others = space_needs(None, output_dir=output_dir, cache_dir=place, embedded=False)
    return (own, *others)
