"""One target on its way through the stages, which may take two attempts."""

from __future__ import annotations

import time
import traceback
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from aarch64_wheels.bill import built_by, target_tools
from aarch64_wheels.errors import AarchWheelsError, StageError
from aarch64_wheels.native.backend import BackendOutcome, NotNative, first_choice, second_choice
from aarch64_wheels.native.places import CALLS
from aarch64_wheels.native.provenance import MAX_BYTES, Call, parse_calls, summarize
from aarch64_wheels.report.model import Stage, StageRecord, Status, TargetRecord, WheelRecord
from aarch64_wheels.settings.schema import Compiler, Mode
from aarch64_wheels.stages.audit import Audited, RefusedError, audit_repaired, keep_audited
from aarch64_wheels.stages.audit_command import run_audit_command
from aarch64_wheels.stages.build import build_wheel
from aarch64_wheels.stages.environment import prepare_environment
from aarch64_wheels.stages.job import Job
from aarch64_wheels.stages.repair import repair_wheel
from aarch64_wheels.stages.test import run_tests
from aarch64_wheels.wheelhouse import LOGS, TargetLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path, PurePosixPath

    from aarch64_wheels.audit import Finding
    from aarch64_wheels.bill import Origin
    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.backend import BackendSetup
    from aarch64_wheels.native.facts import Facts
    from aarch64_wheels.pipeline import Pipeline
    from aarch64_wheels.plan import Target
    from aarch64_wheels.room import Room
    from aarch64_wheels.stages.hooks import Prepared

T = TypeVar("T")


@dataclass(kw_only=True)
class TargetRun:
    """One target's run.

    Attributes:
        stages: of the last attempt. spent: seconds, of all attempts.
        outcome: who runs the build backend in the last attempt. calls: its compiler calls.
        facts: of the target's interpreter.
        shared: the wheel was made for another target.
        findings: of the audit, where that has refused the wheel.
    """

    pipeline: Pipeline
    target: Target
    log: TargetLog
    stages: dict[Stage, Status] = field(default_factory=dict)
    spent: dict[Stage, float] = field(default_factory=dict)
    wheel: WheelRecord | None = None
    outcome: BackendOutcome = field(default_factory=lambda: BackendOutcome(backend=""))
    calls: tuple[Call, ...] | None = None
    facts: Facts | None = None
    shared: bool = False
    findings: tuple[Finding, ...] = ()

    def record(self) -> TargetRecord:
        """Run the stages and say how it ended. Nothing but an interrupt gets out."""
        error = self._try()
        if error:
            self.log.write(f"\n{error}")
        # A wheel that is out is whole, even if its container could not be removed after; one
        # that another target made is no success if its tests fail here.
        is_done = self.wheel is not None and not (self.shared and error)
        return TargetRecord(
            identifier=self.target.identifier,
            status=Status.OK if is_done else Status.FAILED,
            stages=tuple(self._stage_record(stage) for stage in self.pipeline.plan.stages),
            wheel=self.wheel if is_done else None,
            error=error,
            log=f"{LOGS}/{self.target.identifier}.log",
            backend=self.outcome.backend,
            backend_reason=self.outcome.reason,
            calls=None if self.calls is None else summarize(self.calls),
            shared=self.shared,
            findings=self.findings,
            tools=target_tools(self.facts) if self.facts else (),
        )

    def _stage_record(self, stage: Stage) -> StageRecord:
        status = self.stages.get(stage, Status.NOT_RUN)
        return StageRecord(stage=stage, status=status, seconds=round(self.spent.get(stage, 0.0), 3))

    def _try(self) -> str:
        try:
            self._run()
        except AarchWheelsError as failure:
            self.findings = failure.findings if isinstance(failure, RefusedError) else ()
            return f"{failure}{self._of_sdist()}"
        except Exception as bug:  # noqa: BLE001 - a fault of ours costs one target, not the run
            self.log.write(traceback.format_exc())
            return f"internal error: {type(bug).__name__}: {bug}\nnext: report it with the log"
        return ""

    def _of_sdist(self) -> str:
        """Say what a failure may be due to: the project itself may be whole."""
        stages = (self.stages.get(stage) for stage in (Stage.ENVIRONMENT, Stage.BUILD))
        name = self.pipeline.sdist if Status.FAILED in stages else ""
        why = f"\nnote: the wheel is built from the sdist {name}, as its users would build it"
        return f"{why}: does it lack a file that the project has?" if name else ""

    def _run(self) -> None:
        room = self._room()
        if (made := self.pipeline.wheelhouse.shared(self.target)) is not None:
            self._reuse(room, made)
            return
        setup = room.setup(self.target)
        self.outcome = first_choice(self.pipeline.plan, setup)
        refusal = self._refused(room, setup)
        if refusal is not None:
            self.outcome = second_choice(self.pipeline.plan, refusal)
            self._tell_of_second(refusal)
            self.stages, self.calls = {}, None
            self._attempt(room, setup)

    def _room(self) -> Room:
        """Enter the room; `before-all` is a part of making the environment."""
        job = self._job(Stage.ENVIRONMENT)
        if not self.target.options.before_all:
            return self.pipeline.rooms.room(job)
        return self._stage(Stage.ENVIRONMENT, lambda: self.pipeline.rooms.room(job))

    def _reuse(self, room: Room, made: WheelRecord) -> None:
        """Test a wheel that was made for another target, where this one is to be tested."""
        self.wheel, self.shared = made, True
        self.log.write(f"{made.filename} was made for another target and serves this one, too")
        self._tested(room, None, self.pipeline.wheelhouse.directory / made.filename)

    def _refused(self, room: Room, setup: BackendSetup) -> NotNative | None:
        """Run the first attempt; gives the error if another one may do better."""
        try:
            self._attempt(room, setup)
        except NotNative as refusal:
            return refusal
        return None

    def _attempt(self, room: Room, setup: BackendSetup) -> None:
        """Run all stages in a container of their own: the project's code is root in it."""
        with ExitStack() as stack:
            scratch = stack.enter_context(self.pipeline.wheelhouse.scratch())
            session = stack.enter_context(room.start(self.target, self._environment(room, setup)))
            prepared, wheel = self._built(room, session, setup)
            repair = self._job(Stage.REPAIR)
            path = prepared.facts.image_path
            policy = self._stage(
                Stage.REPAIR, lambda: repair_wheel(session, repair, wheel, path), session
            )
            audited = self._stage(
                Stage.AUDIT, lambda: self._audited(session, scratch, policy, path), session
            )
            self._tested(room, session, audited.path)
            self.wheel = keep_audited(self._job(Stage.AUDIT), audited)

    def _audited(self, session: Session, scratch: Path, policy: str, image_path: str) -> Audited:
        job = self._job(Stage.AUDIT)
        audited = audit_repaired(session, job, scratch, policy, self.calls)
        run_audit_command(session, job, audited.path, image_path)
        return audited

    def _built(
        self, room: Room, session: Session, setup: BackendSetup
    ) -> tuple[Prepared, PurePosixPath]:
        env, build = self._job(Stage.ENVIRONMENT), self._job(Stage.BUILD)
        is_placed = room.has_project
        prepared = self._stage(
            Stage.ENVIRONMENT,
            lambda: prepare_environment(session, env, setup, self.outcome, is_placed=is_placed),
            session,
        )
        self.facts = prepared.facts
        try:
            wheel = self._stage(Stage.BUILD, lambda: build_wheel(session, build, prepared), session)
        finally:
            self.calls = self._recorded(session)
        return prepared, wheel

    def _tested(self, room: Room, session: Session | None, wheel: Path) -> None:
        """Test a wheel, where the project says how."""
        if not self.target.is_tested:
            return
        job = self._job(Stage.TEST)

        def work() -> None:
            with room.bench(job, session) as bench:
                bench.session.begin(Stage.TEST)
                run_tests(bench, job, wheel)

        self._stage(Stage.TEST, work)

    def _environment(self, room: Room, setup: BackendSetup) -> str:
        """Name the environment of this attempt."""
        given = self.pipeline.given(self.target)
        return room.environments().of(
            self.pipeline.plan, self.target, self.outcome, setup, given.constraints
        )

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
            given=self.pipeline.given(self.target),
            package=self.pipeline.package,
            git_data=self.pipeline.git_data,
            origin=self._origin(),
        )

    def _origin(self) -> Origin | None:
        """Say where the wheel comes from, as far as it is known by now."""
        origin = self.pipeline.origins.get(self.target.identifier)
        if origin is None or self.facts is None:
            return origin
        return built_by(origin, self.outcome.backend, self.facts)

    def _stage(self, stage: Stage, work: Callable[[], T], session: Session | None = None) -> T:
        """Run a stage; the time that it may take in a container begins now."""
        observer, identifier = self.pipeline.observer, self.target.identifier
        observer.stage_started(identifier, stage)
        self.log.write(f"== {stage} ==")
        self.log.flush()
        if session is not None:
            session.begin(stage)
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
