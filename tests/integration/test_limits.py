"""Backends that never end, or end by a signal: what is told of them, and that nothing is left."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
import pytest

from aarch64_wheels.commands.build import run_build
from aarch64_wheels.engine import watch
from aarch64_wheels.engine.owner import PID_LABEL
from aarch64_wheels.report.model import Stage, Status
from aarch64_wheels.report.observer import make_observer
from aarch64_wheels.settings.schema import Backend, Mode, Settings
from tests.layers import layers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.report.model import Report, TargetRecord

#: A backend that has its moods with CPython 3.13 alone.
BACKEND = """\
import os, signal, subprocess, sys, time
from setuptools import build_meta
from setuptools.build_meta import get_requires_for_build_wheel

def build_wheel(*arguments):
    if sys.version_info[:2] == (3, 13):
        print("about to misbehave", flush=True)
        {mood}
    return build_meta.build_wheel(*arguments)
"""
MOODS = {
    "silent": "subprocess.run(['sleep', '86400', '{mark}'])",
    "busy": (
        "subprocess.Popen(['sleep', '86400', '{mark}'])\n"
        "        while True: print('still', sum(range(200_000)), '{mark}', flush=True)"
    ),
    "crash": "os.kill(os.getpid(), signal.SIGSEGV)",
}
BAD, GOOD = "cp313", "cp314"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A run of which CPython 3.13 went wrong; `mark` is in the command lines of its processes."""

    status: int
    report: Report
    output: Path
    mark: str

    def target(self, tag: str) -> TargetRecord:
        (found,) = (row for row in self.report.targets if row.identifier.startswith(tag))
        return found

    @property
    def log(self) -> str:
        return (self.output / self.target(BAD).log).read_text(encoding="utf-8")


def moody(spring: Path, place: Path, mood: str, mark: str) -> Path:
    """Copy the small project, with a backend of its own."""
    shutil.copytree(spring, place)
    text = BACKEND.format(mood=MOODS[mood].format(mark=mark))
    (place / "moody.py").write_text(text, encoding="utf-8")
    config = place / "pyproject.toml"
    backend = 'build-backend = "moody"\nbackend-path = ["."]'
    changed, times = re.subn("build-backend = .*", backend, config.read_text(encoding="utf-8"))
    assert times == 1
    config.write_text(changed, encoding="utf-8")
    return place


@pytest.fixture
def build(
    spring: Path, debian_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ended]:
    """Build a project with a mood; limits are of seconds."""
    assert debian_image
    monkeypatch.setattr(watch, "MINUTE", 1.0)

    def run(mood: str, *tags: str, **options: Any) -> Ended:
        mark, output = f"7.{uuid.uuid4().int}", tmp_path / "out"
        settings = Settings(
            source=str(moody(spring, tmp_path / mood, mood, mark)),
            image="debian",
            python=tags,
            jobs=len(tags),
            output_dir=output,
            cache_dir=platformdirs.user_cache_path("aarch64-wheels"),
            **options,
        )
        observer = make_observer({}, verbose=False)
        status, report = run_build(layers_of(settings), os.environ, observer)
        return Ended(status=status, report=report, output=output, mark=mark)

    return run


def command_lines() -> list[str]:
    """Read the process table of this machine, where the engine's containers run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has ended meanwhile
            continue
    return found


def assert_nothing_is_left(engine: Engine, ended: Ended) -> None:
    owned = {"label": f"{PID_LABEL}={os.getpid()}"}
    assert engine.client.api.containers(all=True, filters=owned) == []
    assert [line for line in command_lines() if ended.mark in line] == []


def test_the_process_table_shows_containers(shared_engine: Engine, debian_image: str) -> None:
    """Or it would prove nothing."""
    mark = f"7.{uuid.uuid4().int}"
    with shared_engine.start_session(debian_image) as session:
        session.run(["sh", "-c", f"sleep 86400 {mark} >/dev/null 2>&1 &"], sink=print)
        assert any(mark in line for line in command_lines())
    assert not any(mark in line for line in command_lines())


def assert_only_the_build_failed(ended: Ended) -> None:
    assert ended.status == 1
    stages = {row.stage: row.status for row in ended.target(BAD).stages}
    assert stages[Stage.ENVIRONMENT] is Status.OK
    assert stages[Stage.BUILD] is Status.FAILED
    assert stages[Stage.REPAIR] is Status.NOT_RUN


def assert_the_other_is_finished(ended: Ended) -> None:
    assert ended.target(GOOD).status is Status.OK
    assert [path.name.split("-")[2] for path in ended.output.glob("*.whl")] == [GOOD]


def test_a_silent_backend_is_ended(build: Callable[..., Ended], shared_engine: Engine) -> None:
    ended = build("silent", BAD, GOOD, mode=Mode.ACCELERATED, silence_limit=25)
    assert_only_the_build_failed(ended)
    assert_the_other_is_finished(ended)
    assert_nothing_is_left(shared_engine, ended)
    assert_silence_is_told(ended, "25 s")


def test_a_silent_emulated_backend_is_ended(
    build: Callable[..., Ended], shared_engine: Engine
) -> None:
    """Alone, for a compiler under emulation may say nothing for as long."""
    ended = build("silent", BAD, mode=Mode.EMULATED, silence_limit=45)
    assert_only_the_build_failed(ended)
    assert_nothing_is_left(shared_engine, ended)
    assert_silence_is_told(ended, "45 s")


def assert_silence_is_told(ended: Ended, limit: str) -> None:
    error = ended.target(BAD).error
    assert error.startswith(f"the stage build was ended: it said nothing for {limit}")
    assert "without output" in error
    assert "raise --silence-limit" in error
    for text in (error, ended.log):
        running = text.partition("running then")[2].partition("last lines of its output")
        deepest, *others = running[0].splitlines()[1:-1]
        assert re.search(rf"\d+ s: (/usr/bin/)?sleep 86400 {re.escape(ended.mark)}", deepest)
        assert any("call_hook.py" in line for line in others)
        assert not any("infinity" in line or "qemu" in line for line in (deepest, *others))
        assert "about to misbehave" in running[2]


def test_a_backend_that_prints_for_ever_is_ended(
    build: Callable[..., Ended], shared_engine: Engine
) -> None:
    ended = build("busy", BAD, GOOD, mode=Mode.ACCELERATED, time_limit=25, silence_limit=20)
    assert_only_the_build_failed(ended)
    assert_the_other_is_finished(ended)
    assert_nothing_is_left(shared_engine, ended)
    error = ended.target(BAD).error
    assert error.startswith("the stage build was ended: it took longer than 25 s")
    assert "with output to the end" in error
    assert "raise --time-limit" in error
    assert ended.mark in error.partition("last lines of its output")[2]
    seconds = {row.stage: row.seconds for row in ended.target(BAD).stages}
    assert 25 <= seconds[Stage.BUILD] < 40


def test_a_native_crash(build: Callable[..., Ended]) -> None:
    ended = build("crash", BAD, mode=Mode.ACCELERATED, backend=Backend.NATIVE)
    assert ended.status == 1
    assert "it crashed natively (SIGSEGV)" in ended.target(BAD).error


def test_a_crash_under_emulation(build: Callable[..., Ended]) -> None:
    ended = build("crash", BAD, mode=Mode.EMULATED)
    assert ended.status == 1
    for text in (ended.target(BAD).error, ended.log):
        assert "`build_wheel of the build backend` crashed under emulation (SIGSEGV)" in text
        assert "QEMU may be at fault" in text
