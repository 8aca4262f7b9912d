"""What rooms have in common, with containers and without: see `room.Room`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.stages.activation import own_path
from aarch64_wheels.stages.project import place_project
from aarch64_wheels.stages.test import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from aarch64_wheels.commands.setups import Setups
    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.environments import Environments
    from aarch64_wheels.native.backend import BackendSetup
    from aarch64_wheels.plan import Image, Plan, Target
    from aarch64_wheels.stages.job import Job


@dataclass(frozen=True, kw_only=True)
class BuildRoom(ABC):
    """Where targets are built.

    Attributes:
        image: of the plan; image_id: what it is in the engine, or on the host itself.
        plan: of these targets alone. setups: what their build backends may be run with.
    """

    image: Image
    image_id: str
    plan: Plan
    setups: Setups

    @property
    @abstractmethod
    def has_project(self) -> bool:
        """See `room.Room.has_project`."""

    @property
    @abstractmethod
    def path(self) -> str:
        """The PATH that commands get from the image, or from the host."""

    @abstractmethod
    def start(self, target: Target, environment: str) -> AbstractContextManager[Session]:
        """See `room.Room.start`."""

    def environments(self) -> Environments:
        """See `room.Room.environments`."""
        return self.setups.environments()

    def setup(self, target: Target) -> BackendSetup:
        """See `room.Room.setup`."""
        return self.setups.of(target)

    def bench(self, job: Job, session: Session | None) -> AbstractContextManager[Bench]:
        """See `room.Room.bench`."""
        if session is not None:
            return nullcontext(self._bench(job, session))
        return self._new_bench(job)

    @contextmanager
    def _new_bench(self, job: Job) -> Iterator[Bench]:
        with self.start(job.target, "") as session:
            if not self.has_project:
                place_project(session, job)
            yield self._bench(job, session)

    def _bench(self, job: Job, session: Session) -> Bench:
        python, setup = job.target.interpreter.python, self.setup(job.target)
        path = own_path(self.plan, python, self.path)
        return Bench(
            session=session, python=python, path=path, native=setup.python, parallel=setup.parallel
        )
