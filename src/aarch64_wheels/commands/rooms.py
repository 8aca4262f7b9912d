"""Rooms: one for each image of a plan, with all that a build of its targets needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aarch64_wheels.commands.before_all import keep_layer
from aarch64_wheels.commands.build_room import BuildRoom
from aarch64_wheels.commands.containers import Containers
from aarch64_wheels.commands.inputs import native_system
from aarch64_wheels.commands.setups import Setups
from aarch64_wheels.commands.test_image import TestImage
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.engine.create_args import read_create_args
from aarch64_wheels.engine.images import ensure_image, interpreters_of
from aarch64_wheels.engine.watch import Limits
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.native.setup import NativeTools, Preparation
from aarch64_wheels.settings.schema import Mode

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from aarch64_wheels.commands.inputs import Host
    from aarch64_wheels.engine.api import LineSink, Session
    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.plan import Image, Plan, Target
    from aarch64_wheels.settings.schema import Settings
    from aarch64_wheels.stages.job import Job
    from aarch64_wheels.stages.test import Bench


@dataclass(frozen=True, kw_only=True)
class ImageRoom(BuildRoom):
    """Where the targets of one image are built.

    Attributes:
        containers: of the image. tools: native ones, None in the modes without.
        tests: where wheels are tested, None where they are built.
        has_project: the image holds the project, as `before-all` has left it.
    """

    containers: Containers
    tools: NativeTools | None
    tests: TestImage | None = None
    has_project: bool = False

    @property
    def path(self) -> str:
        """See `BuildRoom.path`."""
        return self.containers.engine.image_path(self.containers.reference)

    def start(self, target: Target, environment: str) -> AbstractContextManager[Session]:
        """See `room.Room.start`."""
        if self.tools is None:
            return self.containers.plain(keep_as=environment)
        return self.containers.accelerated(self.plan, target, self.tools, environment)

    def bench(self, job: Job, session: Session | None) -> AbstractContextManager[Bench]:
        """See `room.Room.bench`; `--test-image` stands for the image that was built in."""
        if self.tests is not None:
            return self.tests.bench(job, self.setup(job.target))
        return super().bench(job, session)


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """Makes the rooms of a plan.

    Attributes:
        settings, host, engine: of the run. run_id: names it in labels.
        emulated: containers run under QEMU.
        note: told what takes time, and what is left out.
    """

    settings: Settings
    host: Host
    engine: Engine
    run_id: str
    emulated: bool
    note: LineSink

    def open(self, plan: Plan) -> tuple[ImageRoom, ...]:
        """Have the engine hold the images, and make what builds in them need.

        Raises:
            UnfitError: an image or native tools cannot be had, or no interpreter is there.
        """
        containers = {image: self._containers(image, plan) for image in plan.images}
        kept = self._without_missing(plan, containers)
        return tuple(self._room(kept, image, containers[image]) for image in kept.images)

    def after(self, room: ImageRoom, job: Job) -> ImageRoom:
        """Make a room of the image that `before-all` makes of another room's."""
        reference, has_project = keep_layer(room, job)
        containers = replace(room.containers, reference=reference)
        made = self._room(room.plan, room.image, containers)
        return replace(made, has_project=has_project)

    def _room(self, plan: Plan, image: Image, containers: Containers) -> ImageRoom:
        own = plan.with_targets(tuple(row for row in plan.targets if row.image == image))
        image_id = self.engine.image_id(containers.reference)
        tools = self._native_tools(own, image, image_id, containers)
        setups = Setups(
            plan=own,
            image_id=image_id,
            cache_dir=self.settings.cache_dir,
            index=self.host.index,
            reuse=not self.settings.no_cache,
            tools=tools,
            cores=self.engine.cores,
            at_once=min(plan.jobs or self.engine.cores, len(plan.targets)),
            given=containers.given.key,
        )
        return ImageRoom(
            image=image,
            image_id=image_id,
            containers=containers,
            tools=tools,
            plan=own,
            setups=setups,
            tests=self._tests(plan, tools),
        )

    def _tests(self, plan: Plan, tools: NativeTools | None) -> TestImage | None:
        if plan.test_image is None or not any(target.is_tested for target in plan.targets):
            return None
        return TestImage(containers=self._containers(plan.test_image, plan), tools=tools)

    def _containers(self, image: Image, plan: Plan) -> Containers:
        # The user's own words are the same for all targets, or at least for those of an image.
        rows = [row for row in plan.targets if row.image == image] or plan.targets
        text = rows[0].options.container_engine
        return Containers(
            given=read_create_args(text, self.host.environ),
            engine=self.engine,
            host=self.host,
            reference=self._reference(image),
            emulated=self.emulated,
            run_id=self.run_id,
            reuse=not self.settings.no_cache,
            limits=Limits.of_minutes(
                time=self.settings.time_limit, silence=self.settings.silence_limit
            ),
        )

    def _reference(self, image: Image) -> str:
        """Have the engine hold an image; gives its name there."""
        if not image.embedded:
            return ensure_image(self.engine, image, self.note)
        kept = EmbeddedImage.of_this_version(self.settings.cache_dir, self.host.index)
        if self.settings.no_cache:
            return kept.rebuild(self.engine, self.note, kept.recipe.sets)
        return kept.ensure(self.engine, self.note)

    def _without_missing(self, plan: Plan, containers: dict[Image, Containers]) -> Plan:
        """Keep of the plan what the images turn out to have an interpreter for."""
        there = {
            image: interpreters_of(image, rooms.plain(), rooms.given)
            for image, rooms in containers.items()
        }
        missing = [row for row in plan.targets if row.interpreter.directory not in there[row.image]]
        kept = tuple(row for row in plan.targets if row not in missing)
        names = ", ".join(row.identifier for row in missing)
        if missing and (plan.explicit or not kept):
            found = sorted({name for image in there for name in there[image]})
            raise UnfitError(
                f"the image has no interpreter for {names}",
                found=", ".join(found) or "nothing below /opt/python",
                hint="select others with --python, or another --image",
            )
        if missing:
            self.note(f"left out, for the image has no interpreter for them: {names}")
        return plan.with_targets(kept)

    def _native_tools(
        self, plan: Plan, image: Image, image_id: str, containers: Containers
    ) -> NativeTools | None:
        """Have native tools ready, in the mode that uses them."""
        if plan.mode is not Mode.ACCELERATED:
            return None
        cache_dir, index = self.settings.cache_dir, self.host.index
        with native_system(image.embedded, cache_dir, self.host, self.note) as system:
            preparation = Preparation(
                engine=self.engine,
                system=system,
                cache_dir=cache_dir,
                index=index,
                note=self.note,
                reuse=not self.settings.no_cache,
            )
            return preparation.prepare(plan, image_id, containers.plain)
