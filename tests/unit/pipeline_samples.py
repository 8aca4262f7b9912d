"""Pipelines over containers that are doubles, and an observer that listens."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from aarch64_wheels.environments import Environments
from aarch64_wheels.errors import StageError
from aarch64_wheels.pipeline import Pipeline
from aarch64_wheels.stages.test import Bench
from aarch64_wheels.wheelhouse import Wheelhouse
from tests.unit.backend_samples import setup
from tests.unit.report_samples import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path, PurePosixPath

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.backend import BackendSetup
    from aarch64_wheels.plan import Plan, Target
    from aarch64_wheels.report.model import Stage
    from aarch64_wheels.stages.job import Job
    from tests.unit.fake_session import FakeSession


@dataclass
class Refusal:
    """A container whose start does some work, and then fails."""

    work: Callable[[], object]
    error: str = "enough"

    def __enter__(self) -> FakeSession:
        self.work()
        raise StageError(self.error)

    def __exit__(self, *_error: object) -> None:
        pytest.fail("left, but never entered")


@dataclass(kw_only=True)
class Listener:
    """An observer that keeps what it is told, in order."""

    told: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def stage_started(self, target_id: str, stage: Stage) -> None:
        self.told.append((target_id, "started", stage))

    def output(self, target_id: str, stage: Stage, line: str) -> None:
        self.told.append((target_id, "output", stage, line))

    def stage_finished(self, target_id: str, record: Any) -> None:
        self.told.append((target_id, "finished", record.stage, record.status))

    def target_finished(self, target: Any) -> None:
        self.told.append((target.identifier, "done", target.status))

    def of(self, identifier: str) -> list[tuple[str, ...]]:
        return [words[1:] for words in self.told if words[0] == identifier]


@dataclass(frozen=True, kw_only=True)
class OneRoom:
    """A room of doubles, and the way into it."""

    begin: Callable[[], object]
    backend: BackendSetup
    has_project: bool = False

    def room(self, _job: Job) -> OneRoom:
        return self

    def start(self, _target: Target, _environment: str) -> Any:
        return self.begin()

    def environments(self) -> Environments:
        return Environments(image_id="sha256:1")

    def setup(self, _target: Target) -> BackendSetup:
        return self.backend

    @contextmanager
    def bench(self, job: Job, session: Session | None) -> Iterator[Bench]:
        assert session is not None
        yield Bench(session=session, python=job.target.interpreter.python, path="/bin")


def make_pipeline(
    tmp_path: Path,
    start: Callable[[], object],
    listener: Listener,
    sample: Plan | None = None,
    python: PurePosixPath | None = None,
) -> Pipeline:
    wheelhouse = Wheelhouse(tmp_path / "wheelhouse")
    wheelhouse.directory.mkdir(exist_ok=True)
    wheelhouse.prepare()
    return Pipeline(
        plan=sample or replace(plan(), jobs=1),
        source=tmp_path / "project",
        left_out=(),
        wheelhouse=wheelhouse,
        rooms=OneRoom(begin=start, backend=setup(tmp_path, python)),
        observer=cast("Any", listener),
    )


def sessions_of(*sessions: FakeSession) -> Callable[[], FakeSession]:
    left = list(sessions)
    return lambda: left.pop(0)
