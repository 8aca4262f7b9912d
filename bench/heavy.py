"""The big source (HEAVY=1): accelerated with native tools only, against gcc on x86-64.

Besides the times: the configuration's answers and dispatch targets against those that the
image's own GCC gives under QEMU, and the core's own test modules, under QEMU, of the built wheel.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from bench import native, ours
from bench.answers import differences, read_answers
from bench.laboratory import PROJECT, PYTHON, Laboratory, laboratory
from bench.model import Check, Measurement, Way
from bench.run import FAILURES, Run
from bench.schedule import Task
from bench.workplace import wheels_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.sources import Heavy
    from bench.workplace import Workplace

_CONFIGURES = ("Cython", "ninja", "pyproject-metadata")
#: What meson-python passes by itself.
_MESON_PYTHON = ("-Dbuildtype=release", "-Db_ndebug=if-release", "-Db_vscrt=md")
_TESTS = ("pytest", "pytest-xdist", "hypothesis", "typing_extensions")
_SHOWN = 12


def measure(run: Run) -> None:
    """Build it once in each of two ways, and compare; a failure costs what depends on it."""
    heavy = run.catalogue.heavy
    for way in (Way.NATIVE_ONLY, Way.GCC):
        run.add(_measured(run, heavy, way))
    wheel = next(wheels_in(run.place.scratch / f"{heavy.source.name}-{Way.NATIVE_ONLY}"), None)
    if wheel is None:
        return
    _check(run, "its wheel is for manylinux2014", lambda: _tag(wheel))
    _check(run, "the same configuration answers as GCC's", lambda: _answers(run, heavy))
    _check(run, "its core's tests pass under QEMU", lambda: _tests(run, heavy, wheel))


def _measured(run: Run, heavy: Heavy, way: Way) -> Measurement:
    """Build from a directory whose settings name Meson's options: all frontends read them there."""

    def build(task: Task, log: Path) -> Measurement:
        project = _project(run.place, heavy)
        if way is Way.GCC:
            return run.native(task, log, project, native.GCC)
        return ours.build(task, run.place, log, source=project, pythons=(run.catalogue.python,))

    return run.one(Task(source=heavy.source, way=way, round=1), "heavy", build)


def _project(place: Workplace, heavy: Heavy) -> Path:
    project = place.unpacked(heavy.source)
    file = project / "pyproject.toml"
    file.write_text(with_setup(file.read_text(encoding="utf-8"), heavy.setup), encoding="utf-8")
    return project


def with_setup(pyproject: str, options: tuple[str, ...]) -> str:
    """Add options to meson-python's `setup` arguments in a pyproject.toml that sets none.

    Raises:
        ValueError: it does set some.
    """
    heading, setting = "[tool.meson-python.args]", f"setup = {list(options)}"
    before, found, after = pyproject.partition(heading)
    if not found:
        return f"{pyproject}\n{heading}\n{setting}\n"
    if re.search(r"^setup\s*=", after.partition("\n[")[0], re.MULTILINE):
        raise ValueError("its pyproject.toml has `setup` arguments of its own")
    return f"{before}{heading}\n{setting}{after}"


def _check(run: Run, name: str, work: Callable[[], tuple[bool, str]]) -> None:
    run.tell(f"[heavy] {name}?")
    try:
        ok, found = work()
    except FAILURES as error:
        ok, found = False, f"could not be asked: {run.place.reason(error)}"
    run.check(Check(name=name, ok=ok, found=found))


def _tag(wheel: Path) -> tuple[bool, str]:
    return "manylinux2014_aarch64" in wheel.name, wheel.name


def _answers(run: Run, heavy: Heavy) -> tuple[bool, str]:
    """Configure once more with the image's own GCC, emulated, and compare what was found."""
    logs, name = run.place.logs, heavy.source.name
    reference = logs / f"{name}-configured-by-gcc.log"
    project = _project(run.place, heavy)
    heavy.relaxed.apply(project)
    with laboratory(run.place, reference, run.catalogue.python) as lab:
        lab.session.copy_in(project, PROJECT)
        lab.install(*_CONFIGURES)
        meson = ["vendored-meson/meson/meson.py", "setup", "/bench/build"]
        lab.run([PYTHON, *meson, *_MESON_PYTHON, *heavy.setup], cwd=PROJECT)
    built = logs / f"{name}-{Way.NATIVE_ONLY}-1.log"
    mine, gcc = (read_answers(one.read_text(encoding="utf-8")) for one in (built, reference))
    if not mine or not gcc:
        return False, f"{len(mine)} answers by the shim, {len(gcc)} by GCC: nothing to compare"
    other = differences(mine, gcc)
    return not other, f"{len(gcc)} answers, {len(other)} differ{_list(other)}"


def _list(items: Sequence[str]) -> str:
    more = f"; and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return f": {'; '.join(items[:_SHOWN])}{more}" if items else ""


def _tests(run: Run, heavy: Heavy, wheel: Path) -> tuple[bool, str]:
    """Test the wheel in a plain container; what fails there must fail with PyPI's wheel too."""
    log = run.place.logs / f"{heavy.source.name}-tests.log"
    with laboratory(run.place, log, run.catalogue.python) as lab:
        lab.install(*_TESTS, lab.bring(wheel))
        workers = str(len(os.sched_getaffinity(0)))
        lines = _pytest(lab, "-n", workers, "--pyargs", *heavy.tests)
        failed, closing = failures(lines), _closing(lines)
        if not failed:
            return " passed" in closing and "error" not in closing, closing
        lab.install("--reinstall", "--only-binary", ":all:", heavy.source.requirement)
        known = failures(_pytest(lab, *failed))
    news = [one.rpartition("/")[2] for one in failed if one not in known]
    remark = f"{len(known)} of these fail with the wheel on PyPI too, which GCC has built"
    return not news, f"{closing}; {remark}{_list(news)}"


def _pytest(lab: Laboratory, *arguments: str) -> list[str]:
    options = ["-q", "-p", "no:cacheprovider", "--color=no"]
    return lab.try_run([PYTHON, "-m", "pytest", *options, *arguments])


def failures(lines: Sequence[str]) -> list[str]:
    """Give the ids of the tests that failed, from pytest's short summary."""
    found = (re.fullmatch(r"(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?", line) for line in lines)
    return [match[1] for match in found if match]


def _closing(lines: Sequence[str]) -> str:
    return next((line for line in reversed(lines) if line.strip()), "no output")
