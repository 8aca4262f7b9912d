"""Runs a plan: targets in parallel, each in its own container, one failure stopping no other."""

from __future__ import annotations

import os
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.report.model import Basis, Status, TargetRecord
from aarch64_wheels.stages.job import Given
from aarch64_wheels.target_run import TargetRun

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from aarch64_wheels.bill import Origin
    from aarch64_wheels.plan import Plan, Target
    from aarch64_wheels.report.observer import Observer
    from aarch64_wheels.room import Rooms
    from aarch64_wheels.wheelhouse import Wheelhouse


def _nothing(_target: Target) -> Given:
    return Given()


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """How a plan is run.

    Attributes:
        source: the unpacked project; left_out: what of it stays on the host; package, git_data:
            of it, as a job has them.
        wheelhouse: gets finished wheels at once, and each target's log.
        rooms: where targets are built. observer: told what happens, from several threads.
        given: what the host adds to a target's options.
        bases: what each target's wheel is made from, by identifier.
        origins: where each target's wheel comes from, by identifier.
        done: records of an earlier run that need no work, by identifier.
        sdist: the file name of the sdist that this run has made and builds from; empty if none.
    """

    plan: Plan
    source: Path
    left_out: Collection[Path]
    wheelhouse: Wheelhouse
    rooms: Rooms
    observer: Observer
    given: Callable[[Target], Given] = _nothing
    bases: Mapping[str, Basis] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    done: Mapping[str, TargetRecord] = field(default_factory=dict)
    package: PurePosixPath = field(default_factory=PurePosixPath)
    git_data: Path | None = None
    sdist: str = ""
    _stopped: threading.Event = field(default_factory=threading.Event)
    _interrupted: threading.Event = field(default_factory=threading.Event)

    def run(self) -> tuple[TargetRecord, ...]:
        """Build all targets; gives their records in the plan's order.

        An interrupt (Ctrl-C, SIGTERM) starts no further target and is raised again once the
        caller has removed the containers (see `commands.build`).
        """
        pool = ThreadPoolExecutor(max_workers=self._workers())
        try:
            futures = list(self._submitted(pool))
            wait(futures, return_when=FIRST_EXCEPTION)
            return tuple(self._settled(future.result()) for future in futures)
        except BaseException:
            self._interrupted.set()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _submitted(self, pool: ThreadPoolExecutor) -> Iterator[Future[TargetRecord]]:
        """Begin the targets; where one wheel may serve several, their first alone goes ahead.

        A wheel with compiled code serves those of its own C library.
        """
        led: set[str] = set()
        for rank, target in enumerate(self.plan.targets):
            future = pool.submit(self._one, target, rank)
            if self.plan.may_share and target.image.libc not in led:
                wait([future])
                led.add(target.image.libc)
            yield future

    def _workers(self) -> int:
        wanted = self.plan.jobs or len(os.sched_getaffinity(0))
        return max(1, min(wanted, len(self.plan.targets)))

    def _one(self, target: Target, rank: int) -> TargetRecord:
        if (earlier := self.done.get(target.identifier)) is not None:
            return earlier
        if self._stopped.is_set():
            return _not_begun(target)
        with self.wheelhouse.log(target.identifier) as log:
            own = replace(self, wheelhouse=self.wheelhouse.for_target(rank))
            record = TargetRun(pipeline=own, target=target, log=log).record()
        record = replace(record, basis=self.bases.get(target.identifier))
        problem = self.wheelhouse.record(record) or log.problem
        if self.plan.fail_fast and record.status is Status.FAILED:
            self._stopped.set()
        if not self._interrupted.is_set():
            if problem:
                self.observer.note(problem)
            self.observer.target_finished(record)
        return record

    def _settled(self, record: TargetRecord) -> TargetRecord:
        """Have a record name the wheel that is there once all targets have ended.

        One that serves several may have been replaced by that of an earlier target.
        """
        if record.wheel is None or (kept := self.wheelhouse.kept(record.wheel)) == record.wheel:
            return record
        settled = replace(record, wheel=kept)
        if problem := self.wheelhouse.record(settled):
            self.observer.note(problem)
        return settled


def _not_begun(target: Target) -> TargetRecord:
    return TargetRecord(
        identifier=target.identifier,
        status=Status.NOT_RUN,
        error="not begun, for another target has failed (`--fail-fast`)",
    )
