"""`--sdist`: makes the sdist, keeps it, and has the wheels built from exactly that file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError, UsageError
from aarch64_wheels.native.backend import NotNative, first_choice, second_choice
from aarch64_wheels.source import sdist_source
from aarch64_wheels.stages.job import Job
from aarch64_wheels.stages.sdist import build_sdist
from aarch64_wheels.wheelhouse import LOGS

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.native.backend import BackendOutcome
    from aarch64_wheels.pipeline import Pipeline
    from aarch64_wheels.plan import Plan
    from aarch64_wheels.report.model import SdistRecord
    from aarch64_wheels.room import Room
    from aarch64_wheels.source import Metadata, Source
    from aarch64_wheels.wheelhouse import TargetLog

LOG = "sdist"


@dataclass(frozen=True, kw_only=True)
class FromSdist:
    """What wheels are built from once there is an sdist: how, and the record of the file."""

    pipeline: Pipeline
    record: SdistRecord


def through_sdist(pipeline: Pipeline, source: Source, workdir: Path) -> FromSdist:
    """Have the wheels of a pipeline built from the project's sdist, which is kept beside them.

    A source that is an sdist already stays as it is, and the file is kept.

    Args:
        pipeline: of the project as it is.
        source: the project.
        workdir: of this host; it is there. The sdist is unpacked below it.

    Raises:
        StageError: the backend makes no sdist, or one that cannot be unpacked.
        UnfitError: the output directory cannot be written.
    """
    if source.file is not None:
        pipeline.observer.note(f"{source.file.name} is an sdist already, and is kept as it is")
        return FromSdist(pipeline=pipeline, record=pipeline.wheelhouse.keep_sdist(source.file))
    file = _Making(pipeline=pipeline, directory=workdir).make()
    unpacked = _opened(source.origin, file, workdir)
    # Only what has been seen to be one gets among the finished files.
    record = pipeline.wheelhouse.keep_sdist(file)
    pipeline.observer.note(f"the wheels are built from {record.filename}")
    changed = replace(
        pipeline,
        plan=_planned(pipeline.plan, unpacked.metadata),
        source=unpacked.root,
        package=unpacked.package,
        git_data=None,
        sdist=record.filename,
    )
    return FromSdist(pipeline=changed, record=record)


def _opened(origin: str, file: Path, workdir: Path) -> Source:
    try:
        return sdist_source(origin, file, workdir)
    except UsageError as error:
        hint = "look at how the project's build backend makes it"
        found = "\n".join(filter(None, (error.what, error.found)))
        raise StageError(f"{file.name} is not a good sdist", found=found, hint=hint) from error


def _planned(plan: Plan, metadata: Metadata) -> Plan:
    """Plan the build of the sdist: the targets and their options stay those of the project."""
    return replace(
        plan,
        project=metadata.name or plan.project,
        version=metadata.version or plan.version,
        build_requires=tuple(dict.fromkeys(metadata.build_requires)),
        build_backend=metadata.build_backend,
        backend_path=metadata.backend_path,
    )


@dataclass(frozen=True, kw_only=True)
class _Making:
    """Makes the sdist in a container of the first target; natively, where that can be done."""

    pipeline: Pipeline
    directory: Path

    def make(self) -> Path:
        """Make it; raises as `through_sdist`."""
        pipeline = self.pipeline
        pipeline.observer.note("building the sdist")
        with pipeline.wheelhouse.log(LOG) as log:
            try:
                return self._make(log)
            except StageError as error:
                log.write(f"\n{error}")
                raise StageError(
                    "the sdist cannot be built, so no wheel was",
                    found=str(error),
                    hint=f"see {LOGS}/{LOG}.log in the output directory, or build without --sdist",
                ) from error

    def _make(self, log: TargetLog) -> Path:
        pipeline, job = self.pipeline, self._job(log)
        room = pipeline.rooms.room(job)
        outcome = first_choice(pipeline.plan, room.setup(job.target))
        try:
            return self._attempt(room, job, outcome)
        except NotNative as refusal:
            second = second_choice(pipeline.plan, refusal)
            text = f"the sdist is made under emulation, in a new container: {refusal.reason}"
            log.write(f"\n{text}\n")
            pipeline.observer.note(text)
            return self._attempt(room, job, second)

    def _attempt(self, room: Room, job: Job, outcome: BackendOutcome) -> Path:
        setup = room.setup(job.target)
        name = room.environments().of(job.plan, job.target, outcome, setup, job.given.constraints)
        with room.start(job.target, name) as session:
            session.begin("sdist")
            return build_sdist(
                session, job, setup, outcome, self.directory, is_placed=room.has_project
            )

    def _job(self, log: TargetLog) -> Job:
        pipeline, target = self.pipeline, self.pipeline.plan.targets[0]
        return Job(
            plan=pipeline.plan,
            target=target,
            source=pipeline.source,
            left_out=pipeline.left_out,
            wheelhouse=pipeline.wheelhouse,
            sink=log.write,
            given=pipeline.given(target),
            package=pipeline.package,
            git_data=pipeline.git_data,
        )
