"""`before-all`: run once in each image, and kept as an image of the engine by all it depends on."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from aarch64_wheels.engine.kept import is_kept
from aarch64_wheels.environments import our_digest
from aarch64_wheels.native.places import PROJECT
from aarch64_wheels.stages.before import run_command
from aarch64_wheels.stages.project import place_project, project_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aarch64_wheels.commands.hostrooms import HostRoom
    from aarch64_wheels.commands.rooms import ImageRoom
    from aarch64_wheels.plan import Image
    from aarch64_wheels.stages.job import Job

REPOSITORY = "aarch64-wheels/before-all"
#: Commands that read nothing of a project, so that an edit of it does not have them run again.
_PACKAGE_MANAGERS = re.compile(
    r"\s*(?:(?:sudo|env)\s+)?(?:[A-Z_]+=\w*\s+)*"
    r"(?:yum|dnf|microdnf|apt|apt-get|apk)\s[^;&|<>`$(){}./~*?\[\]]*"
)
#: In an assignment, the output of a command: that may read anything.
_SUBSTITUTION = re.compile(r"\$\(|`|[<>]\(")


R = TypeVar("R", "ImageRoom", "HostRoom")


class Maker(Protocol[R]):
    """Makes rooms."""

    def after(self, room: R, job: Job) -> R:
        """Run `before-all` in a room, and give the room with what it has left."""


@dataclass(frozen=True, kw_only=True)
class BeforeAll(Generic[R]):
    """Gives each target its room, with what `before-all` has made of the image: `room.Rooms`.

    Attributes:
        rooms: makes rooms. by_image: those of the plan.
    """

    rooms: Maker[R]
    by_image: Mapping[Image, R]
    _made: dict[tuple[object, ...], Future[R]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def room(self, job: Job) -> R:
        """See `room.Rooms.room`."""
        base, options = self.by_image[job.target.image], job.target.options
        if not options.before_all.strip():
            return base
        # The source is another one once there is an sdist.
        passed = tuple(sorted(job.given.passed.items()))
        key = (base.image, options.before_all, job.source, passed)
        with self._lock:
            is_first = key not in self._made
            future = self._made.setdefault(key, Future())
        if is_first:
            self._settle(future, base, job)
        else:
            job.sink("`before-all` is run for another target of this image")
        return future.result()

    def _settle(self, future: Future[R], base: R, job: Job) -> None:
        """Run it as the first target of the image wants it, as cibuildwheel does.

        Whatever happens, the others go on.
        """
        command, all_of = job.target.options.before_all, base.plan.targets
        own = [row for row in all_of if row.options.before_all == command]
        first = own[0] if own else replace(all_of[0], options=job.target.options)
        try:
            future.set_result(self.rooms.after(base, replace(job, target=first)))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)


def keep_layer(base: ImageRoom, job: Job) -> tuple[str, bool]:
    """Run `before-all` in a container and keep that as an image, unless there is such a one.

    Returns:
        The image's name, and whether it holds the project.

    Raises:
        StageError: it failed.
    """
    options = job.target.options
    alone = reads_no_project(options.before_all, options.environment)
    name = _name(base, job, alone=alone)
    if base.containers.reuse and is_kept(base.containers.engine, name):
        job.sink("using what `before-all` left in an earlier run")
    else:
        _make(base, job, name, alone=alone)
    return name, not alone


def reads_no_project(command: str, environment: str = "") -> bool:
    """Tell whether a command calls nothing but package managers, and names no file.

    Args:
        command: for a shell.
        environment: assignments that are evaluated before it runs.
    """
    return not _SUBSTITUTION.search(environment) and all(
        _PACKAGE_MANAGERS.fullmatch(part) for part in _parts(command)
    )


def _parts(command: str) -> Sequence[str]:
    return re.split(r"&&|;|\n", command)


def _name(base: ImageRoom, job: Job, *, alone: bool) -> str:
    """Name the image by all that it depends on."""
    target, index = job.target, base.setups.environments()
    options = target.options
    parts = [
        *(base.image_id, options.before_all, options.environment),
        # It finds this target's own Python on PATH, and native compilers or none.
        *(target.identifier, target.interpreter.directory, base.plan.mode, base.plan.compiler),
        *(sorted(job.given.passed.items()), index.indexes, index.given, our_digest()),
        "" if alone else project_digest(job.source, job.package, job.left_out, job.git_data),
    ]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
    return f"{REPOSITORY}:{key}"


def _make(base: ImageRoom, job: Job, name: str, *, alone: bool) -> None:
    containers = replace(base.containers, reuse=False)
    with replace(base, containers=containers).start(job.target, name) as session:
        session.begin("before-all")
        if alone:
            session.run(["mkdir", "-p", PROJECT], sink=job.sink)
        else:
            place_project(session, job)
        run_command(session, job, job.target.options.before_all, base.path)
        session.keep()
