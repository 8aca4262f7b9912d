"""Runs a schedule: each task's failure is a result like another, and all is written as it comes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar, assert_never

from aarch64_wheels.errors import AarchWheelsError, UnfitError
from bench import cibw, native, ours
from bench.model import Check, Measurement, Results, Way
from bench.schedule import Task, make_schedule
from bench.workplace import tell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.native import Compilers
    from bench.sources import Catalogue, Source
    from bench.workplace import Workplace

T = TypeVar("T")

#: The accelerated image that cibuildwheel is given; removed at the end.
ACCELERATED_IMAGE = "aarch64-wheels/bench:accelerated"
#: What a build may raise that is its failure, and not a fault of these modules.
FAILURES = (AarchWheelsError, OSError, ValueError, LookupError, StopIteration)


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What was set up for the ways; None, and a note that says why, where that failed.

    Attributes:
        python: of the native builds. clang: of the native tools. accelerated: an image's name.
    """

    python: Path | None = None
    clang: Compilers | None = None
    accelerated: str = ""
    notes: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Run:
    """A run that goes on.

    Attributes:
        place: where it works. catalogue: the CPythons. tools: what was set up.
        write: told the results after each task, and writes them.
        deadline: no task starts after it (`time.monotonic`); None: no limit.
    """

    place: Workplace
    catalogue: Catalogue
    tools: Tools
    results: Results
    write: Callable[[Results], None]
    deadline: float | None = None
    started: float = field(default_factory=time.monotonic)

    def all(self, sources: tuple[Source, ...], *, quick: bool) -> None:
        """Run all builds of these sources."""
        tasks = make_schedule(sources, self.results.rounds, quick=quick)
        if any(task.round == 0 for task in tasks):
            self.place.forget_environments()
        for number, task in enumerate(tasks, start=1):
            if self.deadline is not None and time.monotonic() > self.deadline:
                left = ", ".join(f"{one.source.name} {one.way}" for one in tasks[number - 1 :])
                self.note(f"left out, for there was no time: {left}")
                return
            self.add(self.one(task, f"{number}/{len(tasks)}", self.build))

    def one(
        self, task: Task, progress: str, build: Callable[[Task, Path], Measurement]
    ) -> Measurement:
        """Run one build; what it raises becomes its reason.

        Args:
            task: what is built.
            progress: goes before what is told.
            build: is given the task and a file to log to.
        """
        name = f"{task.source.name}-{task.way}-{task.round}"
        log = self.place.logs / f"{name}.log"
        log.unlink(missing_ok=True)
        what = f"{task.source.name}, {task.way.label}, round {task.round}"
        self.tell(f"[{progress}] {what}")
        try:
            found = build(task, log)
        except FAILURES as error:
            reason = self.place.reason(error)
            self.tell(f"[{progress}]   failed: {reason}")
            return Measurement(
                source=task.source.name, round=task.round, way=task.way, error=reason
            )
        found = replace(found, cold=self._is_first(task))
        self.tell(f"[{progress}]   {found.seconds:.1f} s, whole command {found.wall:.1f} s")
        return found

    def _is_first(self, task: Task) -> bool:
        """Tell whether no build of this run has left the environment that it could use."""
        if not task.way.keeps_environments:
            return False
        done = self.results.measurements
        return not any(
            row.ok and row.source == task.source.name and row.way is task.way for row in done
        )

    def build(self, task: Task, log: Path) -> Measurement:
        """Build a source in a task's way."""
        place, python = self.place, self.catalogue.python
        match task.way:
            case Way.EMULATED | Way.ACCELERATED | Way.NATIVE_ONLY:
                sdist = place.sdist(task.source)
                return ours.build(task, place, log, source=sdist, pythons=(python,))
            case Way.FIVE:
                sdist = place.sdist(task.source)
                return ours.build(task, place, log, source=sdist, pythons=self.catalogue.five)
            case Way.CIBUILDWHEEL:
                return cibw.build(task, place, log, image=place.image, python=python)
            case Way.CIBUILDWHEEL_ACCELERATED:
                image = _required(self.tools.accelerated, "the accelerated image")
                return cibw.build(task, place, log, image=image, python=python)
            case Way.GCC:
                return self.native(task, log, place.unpacked(task.source), native.GCC)
            case Way.CLANG:
                clang = _required(self.tools.clang, "the native tools' clang")
                return self.native(task, log, place.unpacked(task.source), clang)
            case _:
                assert_never(task.way)

    def native(self, task: Task, log: Path, project: Path, compilers: Compilers) -> Measurement:
        """Build a project for x86-64 on this host."""
        python = _required(self.tools.python, "a native CPython")
        return native.build(
            task, self.place, log, project=project, python=python, compilers=compilers
        )

    def add(self, measurement: Measurement) -> None:
        """Take a measurement in, and write."""
        rows = (*self.results.measurements, measurement)
        self.update(replace(self.results, measurements=rows))

    def check(self, check: Check) -> None:
        """Take a comparison of the big source in, and write."""
        self.tell(f"{check.name}: {'yes' if check.ok else 'no'} ({check.found})")
        self.update(replace(self.results, checks=(*self.results.checks, check)))

    def note(self, text: str) -> None:
        """Take a note in, and write."""
        self.tell(text)
        self.update(replace(self.results, notes=(*self.results.notes, text)))

    def update(self, results: Results) -> None:
        """Have new results."""
        self.results = results
        self.write(results)

    def tell(self, text: str) -> None:
        """Say what is being done, after how long."""
        tell(f"{time.monotonic() - self.started:7.0f} s  {text}")


def _required(value: T | None, what: str) -> T:
    if not value:
        raise UnfitError(f"{what} could not be set up", found="see the notes")
    return value
