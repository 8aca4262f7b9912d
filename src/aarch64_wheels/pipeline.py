"""Runs a plan: targets in parallel, each in its own container, one failure stopping no other."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from aarch64_wheels.engine.api import Session
from aarch64_wheels.errors import AarchWheelsError, StageError
from aarch64_wheels.native.backend import (
    BackendOutcome,
    BackendSetup,
    NotNative,
    first_choice,
    second_choice,
)
from aarch64_wheels.native.places import CALLS
from aarch64_wheels.native.provenance import MAX_BYTES, Call, parse_calls, summarize
from aarch64_wheels.plan import Plan, Target
from aarch64_wheels.report.model import Stage, StageRecord, Status, TargetRecord, WheelRecord
from aarch64_wheels.settings.schema import Compiler, Mode
from aarch64_wheels.stages.audit import audit_repaired
from aarch64_wheels.stages.build import build_wheel
from aarch64_wheels.stages.environment import prepare_environment
from aarch64_wheels.stages.job import Job
from aarch64_wheels.stages.repair import repair_wheel
from aarch64_wheels.wheelhouse import LOGS, TargetLog, Wheelhouse

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

    from aarch64_wheels.environments import Environments
    from aarch64_wheels.report.observer import Observer

T = TypeVar("T")

#: Makes the container of one target, with its build environment if an earlier run has kept it
#: by this name; entered and left by the pipeline.
SessionFactory = Callable[[Target, str], AbstractContextManager[Session]]
#: Says how one target's build backend may be run.
SetupFactory = Callable[[Target], BackendSetup]


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """How a plan is run.

    Attributes:
        source: the unpacked project; left_out: what of it stays on the host.
        wheelhouse: gets finished wheels at once, and each target's log.
        environments: names a target's build environments that are kept for later runs.
        start: makes a target's container. setup: says how its build backend may be run.
        observer: told what happens, from several threads.
    """

    plan: Plan
    source: Path
    left_out: Collection[Path]
    wheelhouse: Wheelhouse
    environments: Callable[[Target], Environments]
    start: SessionFactory
    setup: SetupFactory
    observer: Observer
    _interrupted: threading.Event = field(default_factory=threading.Event)

    def run(self) -> tuple[TargetRecord, ...]:
        """Build all targets; gives their records in the plan's order.

        An interrupt (Ctrl-C, SIGTERM) starts no further target and is raised again once the
        caller has removed the containers (see `commands.build`).
        """
        pool = ThreadPoolExecutor(max_workers=self._workers())
        try:
            futures = [pool.submit(self._one, target) for target in self.plan.targets]
            return tuple(future.result() for future in futures)
        except BaseException:
            self._interrupted.set()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _workers(self) -> int:
        wanted = self.plan.jobs or len(os.sched_getaffinity(0))
        return max(1, min(wanted, len(self.plan.targets)))

    def _one(self, target: Target) -> TargetRecord:
        with self.wheelhouse.log(target.identifier) as log:
            record = TargetRun(pipeline=self, target=target, log=log).record()
        if not self._interrupted.is_set():
            if log.problem:
                self.observer.note(log.problem)
            self.observer.target_finished(record)
        return record


@dataclass(kw_only=True)
class TargetRun:
    """One target on its way through the stages, which may take two attempts.

    Attributes:
        stages: of the last attempt. spent: seconds, of all attempts.
        outcome: who runs the build backend in the last attempt. calls: its compiler calls.
    """

    pipeline: Pipeline
    target: Target
    log: TargetLog
    stages: dict[Stage, Status] = field(default_factory=dict)
    spent: dict[Stage, float] = field(default_factory=dict)
    wheel: WheelRecord | None = None
    outcome: BackendOutcome = field(default_factory=lambda: BackendOutcome(backend=""))
    calls: tuple[Call, ...] | None = None

    def record(self) -> TargetRecord:
        """Run the stages and say how it ended. Nothing but an interrupt gets out."""
        error = self._try()
        if error:
            self.log.write(f"\n{error}")
        return TargetRecord(
            identifier=self.target.identifier,
            # A wheel that is out is whole, even if its container could not be removed after.
            status=Status.OK if self.wheel else Status.FAILED,
            stages=tuple(self._stage_record(stage) for stage in self.pipeline.plan.stages),
            wheel=self.wheel,
            error=error,
            log=f"{LOGS}/{self.target.identifier}.log",
            backend=self.outcome.backend,
            backend_reason=self.outcome.reason,
            calls=None if self.calls is None else summarize(self.calls),
        )

    def _stage_record(self, stage: Stage) -> StageRecord:
        status = self.stages.get(stage, Status.NOT_RUN)
        return StageRecord(stage=stage, status=status, seconds=round(self.spent.get(stage, 0.0), 3))

    def _try(self) -> str:
        try:
            self._run()
        except AarchWheelsError as failure:
            return str(failure)
        except Exception as bug:  # noqa: BLE001 - a fault of ours costs one target, not the run
            self.log.write(traceback.format_exc())
            return f"internal error: {type(bug).__name__}: {bug}\nnext: report it with the log"
        return ""

    def _run(self) -> None:
        setup = self.pipeline.setup(self.target)
        self.outcome = first_choice(self.pipeline.plan, setup)
        refusal = self._refused(setup)
        if refusal is not None:
            self.outcome = second_choice(self.pipeline.plan, refusal)
            self._tell_of_second(refusal)
            self.stages, self.calls = {}, None
            self._attempt(setup)

    def _refused(self, setup: BackendSetup) -> NotNative | None:
        """Run the first attempt; gives the error if another one may do better."""
        try:
            self._attempt(setup)
        except NotNative as refusal:
            return refusal
        return None

    def _attempt(self, setup: BackendSetup) -> None:
        """Run all stages in a container of their own: the project's code is root in it."""
        with self.pipeline.start(self.target, self._environment(setup)) as session:
            wheel = self._built(session, setup)
            repair, audit = self._job(Stage.REPAIR), self._job(Stage.AUDIT)
            self._stage(Stage.REPAIR, lambda: repair_wheel(session, repair, wheel))
            self.wheel = self._stage(
                Stage.AUDIT, lambda: audit_repaired(session, audit, self.calls)
            )

    def _environment(self, setup: BackendSetup) -> str:
        """Name the environment of this attempt."""
        native = (self.outcome.backend, setup.key) if self.outcome.is_native else ()
        requires = self.pipeline.plan.build_requires
        environments = self.pipeline.environments(self.target)
        return environments.name(self.target.interpreter, requires, native)

    def _built(self, session: Session, setup: BackendSetup) -> PurePosixPath:
        env, build = self._job(Stage.ENVIRONMENT), self._job(Stage.BUILD)
        prepared = self._stage(
            Stage.ENVIRONMENT, lambda: prepare_environment(session, env, setup, self.outcome)
        )
        try:
            return self._stage(Stage.BUILD, lambda: build_wheel(session, build, prepared))
        finally:
            self.calls = self._recorded(session)

    def _tell_of_second(self, refusal: NotNative) -> None:
        """Say that everything begins again; the times of both attempts are added up."""
        text = f"the build backend runs under emulation, in a new container: {refusal.reason}"
        self.log.write(f"\n{text}\n")
        self.pipeline.observer.note(f"{self.target.identifier}: {text}")

    def _recorded(self, session: Session) -> tuple[Call, ...] | None:
        """Read what the shim has recorded; None where there is no shim.

        Where the record cannot be read nothing is known of any compilation, least of all that
        the image's own compiler did it.
        """
        plan = self.pipeline.plan
        if plan.mode is not Mode.ACCELERATED or plan.compiler is Compiler.GCC:
            return None
        try:
            return parse_calls(session.read(CALLS, MAX_BYTES))
        except StageError as error:  # the project's build has removed it: that is no reason to fail
            self.log.write(f"the record of compiler calls cannot be read: {error}")
            return ()

    def _job(self, stage: Stage) -> Job:
        def sink(line: str) -> None:
            self.log.write(line)
            self.pipeline.observer.output(self.target.identifier, stage, line)

        return Job(
            plan=self.pipeline.plan,
            target=self.target,
            source=self.pipeline.source,
            left_out=self.pipeline.left_out,
            wheelhouse=self.pipeline.wheelhouse,
            sink=sink,
        )

    def _stage(self, stage: Stage, work: Callable[[], T]) -> T:
        observer, identifier = self.pipeline.observer, self.target.identifier
        observer.stage_started(identifier, stage)
        self.log.write(f"== {stage} ==")
        self.log.flush()
        started, status = time.monotonic(), Status.FAILED
        try:
            result = work()
            status = Status.OK
        finally:
            seconds = round(time.monotonic() - started, 3)
            record = StageRecord(stage=stage, status=status, seconds=seconds)
            self.stages[stage] = status
            self.spent[stage] = self.spent.get(stage, 0.0) + seconds
            self.log.flush()
            observer.stage_finished(identifier, record)
        return result
