"""Makes the containers of one run: with the host's network settings, and native tools if any."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aarch64_wheels.engine.create_args import CreateArgs
from aarch64_wheels.engine.kept import is_kept
from aarch64_wheels.engine.network import container_environment, network_mode
from aarch64_wheels.engine.spec import ContainerSpec, Mount
from aarch64_wheels.engine.watch import Limits
from aarch64_wheels.stages.activation import native_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.commands.inputs import Host
    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.engine.container import ContainerSession
    from aarch64_wheels.native.setup import NativeTools
    from aarch64_wheels.plan import Plan, Target


@dataclass(frozen=True, kw_only=True)
class Containers:
    """Makes containers of one image.

    Attributes:
        engine: runs them. host: whose network settings they get.
        reference: the image's name there.
        emulated: they run under QEMU.
        run_id: names the run in their labels.
        reuse: False: begin with nothing that earlier runs have kept.
        limits: of time, for their commands.
    """

    engine: Engine
    host: Host
    reference: str
    emulated: bool
    run_id: str
    reuse: bool = True
    limits: Limits = field(default_factory=Limits)
    given: CreateArgs = field(default_factory=CreateArgs)

    def plain(
        self, mounts: tuple[Mount, ...] = (), path: str | None = None, keep_as: str = ""
    ) -> AbstractContextManager[ContainerSession]:
        """Make a container.

        Args:
            mounts: its volumes.
            path: stands for the image's own PATH.
            keep_as: the image in which earlier runs have kept what it is to begin with.
        """
        environment = container_environment(self.host.environ, self.host.index)
        spec = ContainerSpec(
            environment={
                **environment,
                **self.given.environment,
                **({"PATH": path} if path else {}),
            },
            ca_bundle=self.host.index.ca_bundle,
            emulated=self.emulated,
            network=network_mode(self.host.environ, self.host.index),
            mounts=mounts,
            run_id=self.run_id,
            keep_as=keep_as,
            limits=self.limits,
            given=self.given,
        )
        kept = self.reuse and keep_as and is_kept(self.engine, keep_as)
        return self.engine.start_session(keep_as if kept else self.reference, spec)

    @contextmanager
    def accelerated(
        self, plan: Plan, target: Target, tools: NativeTools, keep_as: str = ""
    ) -> Iterator[Session]:
        """Make a container in which native tools come before the image's own."""
        mounts = tools.mounts(target.interpreter)
        path = ":".join((*native_path(plan), self.engine.image_path(self.reference)))
        with self.plain(mounts, path, keep_as) as session:
            if not session.is_prepared:
                tools.install(session)
            yield session
