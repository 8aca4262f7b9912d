"""`build` with every part around it replaced: what is refused, kept, removed, reported."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.commands import build, containers, rooms
from aarch64_wheels.commands.build import run_build
from aarch64_wheels.commands.hostrooms import HostRooms
from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.hostengine.engine import HostEngine
from aarch64_wheels.report.model import Status
from aarch64_wheels.report.summary import render_summary
from aarch64_wheels.report.wording import headline
from aarch64_wheels.settings.schema import EngineName, Mode
from tests.layers import layers_of
from tests.unit.audit_samples import GOOD_NAME
from tests.unit.backend_samples import HOOK
from tests.unit.build_bench import Bench, make_bench
from tests.unit.stage_samples import breaks_the_build, full_logs, good_session

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.plan import Plan
    from tests.unit.fake_session import FakeSession

pytestmark = pytest.mark.usefixtures("_judged")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return make_bench(tmp_path, monkeypatch)


def test_a_build_ends_with_a_wheel_and_a_report(bench: Bench) -> None:
    code, report = bench.run()
    assert (code, report.project, report.version) == (0, "fast", "1.0")
    assert sorted(path.name for path in bench.output.iterdir()) == [
        "audit.sarif",
        GOOD_NAME,
        "logs",
        "report.json",
    ]
    written = json.loads((bench.output / "report.json").read_text())
    assert written["targets"][0]["wheel"]["filename"] == GOOD_NAME
    assert (bench.listener.reports, bench.engine.closed) == ([report], 1)
    assert bench.engine.swept == [bench.engine], "what earlier runs have kept for too long"


def test_a_build_begins_with_its_engine_and_mode(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    bench.run(mode=Mode.AUTO)
    assert bench.listener.notes[1:3] == [
        "engine: docker 29",
        "mode: native (auto: an arm64 host, nothing is emulated)",
    ]


def test_without_containers_no_engine_is_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setattr(build, "connect", lambda *_arguments: pytest.fail("an engine is asked"))
    opened: list[HostEngine] = []

    def refuse(rooms: HostRooms, _plan: Plan) -> None:
        opened.append(rooms.engine)
        raise UnfitError("nothing is here")

    monkeypatch.setattr(HostRooms, "open", refuse)
    monkeypatch.setattr(HostEngine, "check_space", lambda *_arguments: None)
    with pytest.raises(UnfitError, match="nothing is here"):
        bench.run(mode=Mode.AUTO, engine=EngineName.NONE, image="manylinux_2_28")
    notes = bench.listener.notes
    assert "the image manylinux_2_28 is not used: `--engine none` takes this machine" in notes
    assert "engine: none (this machine itself)" in notes
    assert not opened[0].scratch.exists()


WRONG = {
    "CIBW_DEPENDENCY_VERSIONS": ("gone.txt", "`dependency-versions`"),
    "CIBW_CONTAINER_ENGINE": ("docker; create_args: --cpus nan", "create_args"),
}


@pytest.mark.parametrize(("name", "given"), WRONG.items())
def test_what_no_target_can_be_given_is_found_before_an_engine_is_asked(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str, given: tuple[str, str]
) -> None:
    monkeypatch.setattr(build, "connect", lambda *_arguments: pytest.fail("an engine is asked"))
    value, words = given
    with pytest.raises(UsageError, match=words):
        bench.run({name: value})


def test_nothing_to_build_is_no_failure_where_that_is_allowed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "connect", lambda *_arguments: pytest.fail("an engine is asked"))
    environ = {"CIBW_SKIP": "*", "CIBW_ALLOW_EMPTY": "true"}
    code, report = bench.run(environ, python=())
    assert (code, report.project, report.targets) == (0, "fast", ())
    written = json.loads((bench.output / "report.json").read_text())
    assert (written["targets"], written["image"]) == ([], "")
    assert bench.listener.reports == [report]
    assert "no target is left, so nothing is built" in bench.listener.notes[-1]
    assert headline(report) == "fast 1.0: 0 wheels in 0.0 s (emulated)"
    assert "| **total** | 0 of 0 |" in render_summary(report)
    with pytest.raises(UsageError, match="no target is left of what"):
        bench.run({"CIBW_SKIP": "*"}, python=())


def test_a_failed_target_is_the_exit_code(bench: Bench, tmp_path: Path) -> None:
    def broken() -> FakeSession:
        session = good_session(tmp_path)
        session.effects = {**session.effects, HOOK: breaks_the_build(2, "fatal error")}
        return session

    bench.engine.make = broken
    code, report = bench.run()
    assert (code, report.targets[0].status) == (1, Status.FAILED)


@pytest.mark.parametrize("no_cache", [False, True], ids=["kept", "--no-cache"])
def test_the_second_build_uses_the_first_ones_environment(bench: Bench, *, no_cache: bool) -> None:
    bench.run()
    bench.engine.sessions.clear()
    bench.run(no_cache=no_cache)
    (session,) = bench.engine.entered
    installs = [event for event in session.events if event.startswith("uv pip install")]
    assert (session.is_prepared, len(installs)) == (not no_cache, 1 if no_cache else 0)
    (name,) = bench.engine.kept
    assert name.startswith("aarch64-wheels/environment:cp313-")


def test_another_index_means_another_environment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run()
    bench.engine.sessions.clear()
    environ = {"PATH": os.environ["PATH"], "PIP_INDEX_URL": "http://index.example/simple"}
    listener: Any = bench.listener
    monkeypatch.setattr(containers, "network_mode", lambda *_arguments: "bridge")
    run_build(layers_of(bench.settings), environ, listener)
    (session,) = bench.engine.entered
    assert (session.is_prepared, len(bench.engine.kept)) == (False, 2)


def test_a_full_disk_for_logs_is_noted_and_costs_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_logs(monkeypatch)
    assert bench.run()[0] == 0
    assert any("is not whole: No space left" in note for note in bench.listener.notes)


def test_an_interpreter_that_the_image_lacks_says_which_there_are(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "interpreters_of", lambda *_arguments: {"cp312-cp312"})
    with pytest.raises(UnfitError, match="no interpreter for cp313-") as caught:
        bench.run()
    assert (caught.value.found, bench.engine.closed) == ("cp312-cp312", 1)


def test_what_was_not_asked_for_by_name_may_be_missing(bench: Bench) -> None:
    code, report = bench.run(python=())
    assert (code, [row.identifier for row in report.targets]) == (0, ["cp313-manylinux_aarch64"])
    assert any(note.startswith("left out, for the image has no") for note in bench.listener.notes)


def test_native_needs_an_arm64_engine(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine may be on another machine (DOCKER_HOST)."""
    bench.engine.architecture = "x86_64"
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(UnfitError, match="mode native needs an engine on an arm64") as caught:
        bench.run(mode=Mode.NATIVE)
    assert caught.value.found == "docker 29 on x86_64"


def test_an_interrupt_removes_the_containers(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rooms, "ensure_image", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bench.run()
    assert (bench.engine.closed, (bench.output / "report.json").exists()) == (1, False)
