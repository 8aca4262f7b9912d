"""`before-all`: once for each image and command, kept by all that it depends on."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from aarch64_wheels.commands.before_all import REPOSITORY
from aarch64_wheels.errors import CommandError
from aarch64_wheels.native.places import PROJECT
from aarch64_wheels.settings.schema import Compiler, Mode
from tests.unit.before_all_stand import STEP, YUM, Stand
from tests.unit.report_samples import plan
from tests.unit.stage_samples import fails

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.fake_session import FakeSession


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/step.sh").write_text("echo one")
    return Stand(directory=tmp_path)


def test_without_a_command_it_is_the_image_itself(stand: Stand) -> None:
    before, room = stand.run()
    assert cast("Any", before.room(stand.job("  "))) is room
    assert stand.begun == []


def test_the_steps_and_what_is_kept(stand: Stand) -> None:
    before, _ = stand.run()
    made: Any = before.room(stand.job())
    (session,), (name,) = stand.sessions, stand.begun
    assert made == ("sha256:1", name, True)
    assert name.startswith(f"{REPOSITORY}:")
    assert session.stages == ["before-all"]
    assert session.copied == [(stand.directory / "project", PROJECT, (stand.directory,))]
    (command,) = session.commands
    assert command.argv == ("sh", "-c", f"sh step.sh {PROJECT}")
    assert command.cwd == PROJECT
    assert command.env["PATH"] == "/opt/python/cp313-cp313/bin:/usr/bin"


def test_a_package_manager_is_run_without_the_project(stand: Stand) -> None:
    before, _ = stand.run()
    made: Any = before.room(stand.job(YUM))
    (session,) = stand.sessions
    assert session.copied == []
    assert session.commands[0].argv == ("mkdir", "-p", str(PROJECT))
    assert made[2] is False


def test_each_target_after_the_first_takes_what_is_there(stand: Stand) -> None:
    before, _ = stand.run()
    assert before.room(stand.job()) is before.room(stand.job(number=1))
    assert len(stand.begun) == 1
    assert stand.lines[-1] == "`before-all` is run for another target of this image"


def test_it_is_run_as_the_first_target_whoever_comes_first(stand: Stand) -> None:
    """What it makes is kept for all, so it must not depend on which thread is the quickest."""
    before, _ = stand.run()
    before.room(stand.job(number=1))
    (command,) = stand.sessions[0].commands
    assert command.env["CIBUILDWHEEL_BUILD_IDENTIFIER"] == "cp313-manylinux_aarch64"
    assert command.env["UV_PYTHON"] == "/opt/python/cp313-cp313/bin/python"
    other, _ = Stand(directory=stand.directory, begun=stand.begun).run()
    other.room(stand.job())
    assert stand.begun[0] == stand.begun[1]


def test_of_many_at_a_time_one_runs_it_and_all_wait(stand: Stand) -> None:
    release, runs = threading.Event(), list[int]()

    def work(_session: FakeSession) -> str:
        runs.append(1)
        assert release.wait(10)
        return "installed\n"

    stand.effects["sh -c"] = work
    before, _ = stand.run()
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(before.room, stand.job(number=row % 2)) for row in range(4)]
        deadline = time.monotonic() + 30
        while not runs and time.monotonic() < deadline:
            time.sleep(0.01)
        release.set()
        rooms = [future.result(10) for future in futures]
    assert (len(runs), len(set(map(id, rooms)))) == (1, 1)


def test_its_failure_is_that_of_each_target_and_nothing_is_kept(stand: Stand) -> None:
    stand.effects["sh -c"] = fails(1, "no such package")
    before, _ = stand.run()
    for number in (0, 1):
        with pytest.raises(CommandError, match="no such package"):
            before.room(stand.job(number=number))
    assert (len(stand.begun), stand.engine.kept) == (1, set())


def test_a_later_run_takes_what_is_kept(stand: Stand) -> None:
    first: Any = stand.run()[0].room(stand.job())
    again: Any = stand.run()[0].room(stand.job())
    assert (again, len(stand.begun)) == (first, 1)
    assert stand.lines[-1] == "using what `before-all` left in an earlier run"


def test_no_cache_makes_it_anew(stand: Stand) -> None:
    stand.run()[0].room(stand.job())
    stand.run_of(reuse=False)[0].room(stand.job())
    assert len(stand.begun) == 2


CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "command": ({"command": "sh step.sh twice"}, {}),
    "environment": ({"environment": "A=1"}, {}),
    "passed-variable": ({"passed": {"CI": "1"}}, {}),
    "package": ({"package": "python"}, {}),
    "given-to-containers": ({}, {"given": ("create_args",)}),
    "image": ({}, {"image_id": "sha256:2"}),
    "index": ({}, {"indexes": ("https://index.example/simple",)}),
    "mode": ({}, {"mode": Mode.ACCELERATED}),
    "compiler": ({}, {"plan": replace(plan(), compiler=Compiler.AUTO)}),
    "first-python": ({}, {"plan": plan().with_targets(plan().targets[1:])}),
}


@pytest.mark.parametrize(("job", "run"), CHANGES.values(), ids=CHANGES.keys())
def test_what_it_depends_on(stand: Stand, job: dict[str, Any], run: dict[str, Any]) -> None:
    stand.run()[0].room(stand.job(number=1))
    stand.run_of(**run)[0].room(stand.job(number=1, **job))
    assert len(set(stand.begun)) == 2


def test_targets_that_differ_in_what_it_sees_have_their_own(stand: Stand) -> None:
    before, _ = stand.run()
    before.room(stand.job(passed={"CI": "1"}))
    before.room(stand.job(passed={"CI": "2"}, number=1))
    before.room(stand.job(environment="A=1"))
    assert len(set(stand.begun)) == 3


@pytest.mark.parametrize(("command", "runs"), [(YUM, 1), (STEP, 2)], ids=["alone", "step"])
def test_an_edit_of_the_project_counts_where_it_is_read(
    stand: Stand, command: str, runs: int
) -> None:
    stand.run()[0].room(stand.job(command))
    (stand.directory / "project/step.sh").write_text("echo two")
    stand.run()[0].room(stand.job(command))
    assert len(stand.begun) == runs


def test_an_environment_that_reads_the_project_gets_it(stand: Stand) -> None:
    before, _ = stand.run()
    made: Any = before.room(stand.job(YUM, environment='V="$(cat VERSION)"'))
    assert made[2] is True
    assert stand.sessions[0].copied


def test_new_tags_of_a_worktree_count(stand: Stand, tmp_path: Path) -> None:
    """Its git data are not in the project's directory, but in what is copied with it."""
    git_data = tmp_path / "git"
    (git_data / "refs/tags").mkdir(parents=True)
    job = replace(stand.job(), git_data=git_data)
    stand.run()[0].room(job)
    (git_data / "index").write_text("looked at")
    stand.run()[0].room(job)
    assert len(stand.begun) == 1
    (git_data / "refs/tags/v1").write_text("1234")
    stand.run()[0].room(job)
    assert len(stand.begun) == 2
