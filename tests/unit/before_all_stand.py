"""`before-all` on a stand: a project, an image, and rooms whose containers are doubles."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from aarch64_wheels.commands.before_all import BeforeAll, keep_layer
from aarch64_wheels.environments import Environments
from aarch64_wheels.settings.schema import BuildOptions
from aarch64_wheels.stages.job import Given, Job
from tests.unit.fake_engine import KeptImages
from tests.unit.fake_session import FakeSession
from tests.unit.report_samples import DEBIAN, plan
from tests.unit.stage_samples import make_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aarch64_wheels.plan import Plan

YUM, STEP = "yum install -y libffi-devel", "sh step.sh {project}"


@dataclass(kw_only=True)
class FakeEngine(KeptImages):
    """Knows which images it has kept; each use of a PATH is that of one container."""

    def image_path(self, reference: str) -> str:
        assert reference == "image"
        return "/usr/bin"


@dataclass(frozen=True, kw_only=True)
class FakeContainers:
    engine: FakeEngine
    reference: str = "image"
    reuse: bool = True


@dataclass(frozen=True, kw_only=True)
class FakeRoom:
    """A room whose container is a double, and says by which name it is kept."""

    image: object = DEBIAN
    image_id: str = "sha256:1"
    containers: FakeContainers
    plan: Plan
    begun: list[str]
    effects: dict[str, Callable[[FakeSession], str]]
    indexes: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    sessions: list[FakeSession] = field(default_factory=list)

    @property
    def path(self) -> str:
        return self.containers.engine.image_path(self.containers.reference)

    @property
    def setups(self) -> FakeRoom:
        return self

    def environments(self) -> Environments:
        return Environments(image_id=self.image_id, indexes=self.indexes, given=self.given)

    @contextmanager
    def start(self, _target: object, environment: str) -> Iterator[FakeSession]:
        assert not self.containers.reuse
        self.begun.append(environment)
        session = FakeSession(effects=self.effects)
        self.sessions.append(session)
        yield session
        assert session.events[-1] == "keep"
        self.containers.engine.kept.add(environment)


class Upon:
    """Makes rooms of images that were made of others."""

    def after(self, room: Any, job: Job) -> Any:
        return (room.image_id, *keep_layer(room, job))


@dataclass(kw_only=True)
class Stand:
    """A project, an image, and what has happened."""

    directory: Path
    engine: FakeEngine = field(default_factory=FakeEngine)
    effects: dict[str, Callable[[FakeSession], str]] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    sessions: list[FakeSession] = field(default_factory=list)

    def run(self) -> tuple[BeforeAll[Any], FakeRoom]:
        return self.run_of()

    def run_of(self, *, reuse: bool = True, **changes: Any) -> tuple[BeforeAll[Any], FakeRoom]:
        """Begin a run, of which some things are other."""
        sample = replace(plan(), **{key: changes.pop(key) for key in ("mode",) if key in changes})
        fields: dict[str, Any] = {"plan": sample, **changes}
        room = FakeRoom(
            containers=FakeContainers(engine=self.engine, reuse=reuse),
            begun=self.begun,
            effects=self.effects,
            sessions=self.sessions,
            **fields,
        )
        rooms: Any = {DEBIAN: room}
        return BeforeAll(rooms=cast("Any", Upon()), by_image=rooms), room

    def job(self, command: str = STEP, number: int = 0, **options: Any) -> Job:
        given = Given(passed=options.pop("passed", {}))
        package = PurePosixPath(options.pop("package", "."))
        job = make_job(self.directory, self.lines)
        wanted = BuildOptions(before_all=command, **options)
        target = replace(job.plan.targets[number], options=wanted)
        return replace(job, target=target, given=given, package=package)
