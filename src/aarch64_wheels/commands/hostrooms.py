"""Where targets are built without containers: the counterpart of `rooms` on the host itself."""

from __future__ import annotations

import platform
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aarch64_wheels.commands.build_room import BuildRoom
from aarch64_wheels.commands.setups import Setups
from aarch64_wheels.engine.watch import Limits
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.hostengine.environment import host_environment
from aarch64_wheels.hostengine.image import with_path
from aarch64_wheels.hostengine.interpreters import Finder, no_headers
from aarch64_wheels.hostengine.tools import find_patchelf, lay_tools
from aarch64_wheels.native.places import PROJECT
from aarch64_wheels.stages.before import run_command
from aarch64_wheels.stages.project import place_project
from aarch64_wheels.wheels import run_uv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from aarch64_wheels.commands.inputs import Host
    from aarch64_wheels.engine.api import LineSink
    from aarch64_wheels.hostengine.engine import HostEngine
    from aarch64_wheels.hostengine.interpreters import HostInterpreter
    from aarch64_wheels.hostengine.session import HostSession
    from aarch64_wheels.plan import Plan, Target
    from aarch64_wheels.settings.schema import BuildOptions, Settings
    from aarch64_wheels.stages.job import Job


@dataclass(frozen=True, kw_only=True)
class LeftProject:
    """A project as `before-all` has left it: an archive, and the session's root it was made in.

    What `before-all` has configured or compiled knows its own paths (`*.pc`, CMake's cache, the
    RPATHs of libraries), as it may in a container. Here each session has a directory of its own,
    for targets are built at the same time, and the names of these are equally long: so paths
    below the old root are written over with the new one's. Paths in compressed files are not,
    nor is what `before-all` has put elsewhere, such as into the first target's interpreter.
    """

    archive: Path
    root: Path


@dataclass(frozen=True, kw_only=True)
class HostRoom(BuildRoom):
    """Where all targets are built: the image is the host, as the plan has it.

    Attributes:
        engine: runs commands. environment: all their variables.
        limits: of the time that commands may take.
        project: what `before-all` has left, None without that.
    """

    engine: HostEngine
    environment: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    project: LeftProject | None = None

    @property
    def has_project(self) -> bool:
        """See `room.Room.has_project`: what `before-all` made of it is put into each session."""
        return self.project is not None

    @property
    def path(self) -> str:
        """See `BuildRoom.path`."""
        return self.environment["PATH"]

    @contextmanager
    def start(self, _target: Target, _environment: str) -> Iterator[HostSession]:
        """Make a target's session; no build environment is kept for later runs."""
        with self.engine.session(self.environment, self.limits) as session:
            if self.project is not None:
                left = self.project
                session.restore(left.archive, PROJECT.parent, made_in=left.root)
            yield session


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
        return (self._room(plan, environment),)

    def after(self, room: HostRoom, job: Job) -> HostRoom:
        """Run `before-all` on this machine, and keep the project as it leaves it."""
        archive = self.engine.scratch / f"project-{uuid.uuid4().hex}.tar"
        with room.start(job.target, "") as session:
            session.begin("before-all")
            place_project(session, job)
            run_command(session, job, job.target.options.before_all, room.path)
            session.save(PROJECT, archive)
            left = LeftProject(archive=archive, root=session.root)
        return replace(room, project=left)

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
            limits=Limits.of_minutes(
                time=self.settings.time_limit, silence=self.settings.silence_limit
            ),
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
        seed = ["--seed"] if _has_commands(target.options) else []
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


def _has_commands(options: BuildOptions) -> bool:
    """Tell whether a project has commands of its own, which may call pip."""
    before = (options.before_all, options.before_build, options.before_test)
    later = (options.repair_wheel_command, options.audit_command, options.test_command)
    return any(command.strip() for command in (*before, *later))


def _nothing_for(missing: list[Target]) -> UnfitError:
    names = ", ".join(row.interpreter.program for row in missing)
    return UnfitError(
        f"this machine has no interpreter for {', '.join(row.identifier for row in missing)}",
        found=f"neither below /opt/python nor on PATH nor known to uv: {names}",
        hint="install them (`uv python install` has most), or select others with --python",
    )
