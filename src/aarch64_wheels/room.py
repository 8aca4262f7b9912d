"""What the pipeline sees of an image that targets are built in: a protocol, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.environments import Environments
    from aarch64_wheels.native.backend import BackendSetup
    from aarch64_wheels.plan import Target
    from aarch64_wheels.stages.job import Job
    from aarch64_wheels.stages.test import Bench


class Room(Protocol):
    """An image, as `before-all` has left it, and what builds in it need."""

    @property
    def has_project(self) -> bool:
        """The project is in the image already, as `before-all` has left it."""

    def start(self, target: Target, environment: str) -> AbstractContextManager[Session]:
        """Make a target's container, with its build environment if that is kept by this name."""

    def environments(self) -> Environments:
        """Say what build environments depend on here."""

    def setup(self, target: Target) -> BackendSetup:
        """Say how a target's build backend may be run."""

    def bench(self, job: Job, session: Session | None) -> AbstractContextManager[Bench]:
        """Have a place to test a wheel in: the container it was built in, or a new one.

        Args:
            job: what is tested.
            session: the container of the build, None if there was none.
        """


class Rooms(Protocol):
    """All rooms of a run."""

    def room(self, job: Job) -> Room:
        """Give a target's room; the first that needs one has `before-all` run for it.

        Raises:
            StageError: `before-all` has failed.
        """
