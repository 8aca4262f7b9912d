"""Build environments: made, kept before anybody can spoil them, restored, made anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.native.backend import first_choice
from aarch64_wheels.native.places import IDENTITY
from aarch64_wheels.settings.schema import Backend, Mode
from aarch64_wheels.stages.environment import prepare_environment
from aarch64_wheels.stages.job import ENVIRONMENT, PROJECT
from tests.unit.backend_samples import HOOK, setup
from tests.unit.fake_session import FakeSession
from tests.unit.stage_samples import fails, make_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aarch64_wheels.stages.hooks import Prepared

from tests.unit.environment_samples import (
    INSTALL,
    STARTS,
    VENV,
    broken_session,
    fresh_session,
    prepare_accelerated,
    prepare_emulated,
    refuses,
    steps_of,
)


def test_the_environment_is_kept_before_any_of_the_project_is_in_the_container(
    tmp_path: Path,
) -> None:
    """What is kept is used for other sources: none of them may have a say in it."""
    session = fresh_session(("numpy",))
    prepare_emulated(tmp_path, session, build_requires=("wheel",))
    steps = steps_of(session)
    assert steps.index(f"save {ENVIRONMENT}") < steps.index(f"copy in {PROJECT}")
    assert steps.index(f"copy in {PROJECT}") < steps.index("hook")
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.read_text() == "/aarch64-wheels/environment after 3 commands"


@pytest.mark.parametrize(
    "prepare", [prepare_emulated, prepare_accelerated], ids=["emulated", "accelerated"]
)
def test_the_second_time_it_is_restored_and_nothing_is_installed(
    tmp_path: Path, prepare: Callable[..., Prepared]
) -> None:
    prepare(tmp_path, fresh_session(), build_requires=("wheel",))
    (kept,) = (tmp_path / "kept").iterdir()
    session = fresh_session()
    prepare(tmp_path, session, build_requires=("wheel",))
    assert session.restored == [(kept, PurePosixPath("/aarch64-wheels"))]
    assert steps_of(session) == [
        *(f"copy in {IDENTITY}", "restore below /aarch64-wheels", "start"),
        *(f"copy in {PROJECT}", "hook"),
    ]


def test_native_and_emulated_environments_are_apart(tmp_path: Path) -> None:
    prepare_emulated(tmp_path, fresh_session(), build_requires=("wheel",))
    session = fresh_session()
    prepare_accelerated(tmp_path, session, build_requires=("wheel",))
    assert session.restored == []
    assert len(list((tmp_path / "kept").iterdir())) == 2


@pytest.mark.parametrize(
    "prepare", [prepare_emulated, prepare_accelerated], ids=["emulated", "accelerated"]
)
@pytest.mark.parametrize("status", [126, 127])
def test_an_environment_that_does_not_start_is_made_anew(
    tmp_path: Path, prepare: Callable[..., Prepared], status: int
) -> None:
    lines: list[str] = []
    prepare(tmp_path, fresh_session(), build_requires=("wheel",))
    session = broken_session(STARTS, fails(status, "no such file"))
    prepared = prepare(tmp_path, session, lines, build_requires=("wheel",))
    steps = [step.split(" ")[0] for step in steps_of(session) if step not in ("scan", "resolve")]
    assert steps == ["copy", "restore", "start", "rm", "uv", "uv", "save", "copy", "hook"]
    assert any("is damaged, and made anew" in line for line in lines)
    assert prepared.outcome.reason == ""
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.stat().st_size


def test_an_archive_that_cannot_be_unpacked_is_made_anew(tmp_path: Path) -> None:
    class Refusing(FakeSession):
        def restore(self, archive: Path, parent: PurePosixPath) -> None:
            raise StageError(f"cannot unpack {archive} below {parent}")

    prepare_emulated(tmp_path, fresh_session(), build_requires=("wheel",))
    session = Refusing(effects=fresh_session().effects)
    prepare_emulated(tmp_path, session, build_requires=("wheel",))
    assert steps_of(session)[1:4] == [
        f"rm -rf {ENVIRONMENT}",
        f"{VENV} /opt/python/cp313-cp313/bin/python {ENVIRONMENT}",
        f"{INSTALL} wheel",
    ]


@pytest.mark.parametrize(
    "prepare", [prepare_emulated, prepare_accelerated], ids=["emulated", "accelerated"]
)
@pytest.mark.parametrize("status", [126, 127])
def test_no_hook_has_an_environment_made_anew(
    tmp_path: Path, prepare: Callable[..., Prepared], status: int
) -> None:
    """An in-tree backend may end with any status, after it has changed what it likes."""
    prepare(tmp_path, fresh_session(), build_requires=("wheel",))
    session = broken_session(HOOK, fails(status, "bye"))
    with pytest.raises(StageError, match="bye"):
        prepare(tmp_path, session, build_requires=("wheel",))
    assert steps_of(session)[-1] == "hook"
    assert not any(event.startswith("save") for event in session.events)


def test_another_version_of_what_shapes_them_has_environments_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_accelerated(tmp_path, fresh_session())
    monkeypatch.setattr("aarch64_wheels.stages.requirements._our_digest", lambda: "another")
    session = fresh_session()
    prepare_accelerated(tmp_path, session)
    assert session.restored == []
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_what_only_the_backend_asks_for_is_installed_into_the_restored_one(tmp_path: Path) -> None:
    prepare_emulated(tmp_path, fresh_session(), build_requires=("wheel",))
    session = fresh_session(("numpy",))
    prepare_emulated(tmp_path, session, build_requires=("wheel",))
    assert str(session.commands[-1]) == f"{INSTALL} numpy"
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_without_reuse_it_is_made_and_kept_anew(tmp_path: Path) -> None:
    prepare_emulated(tmp_path, fresh_session(), build_requires=("wheel",))
    job = make_job(
        tmp_path, mode=Mode.EMULATED, backend=Backend.EMULATED, build_requires=("wheel",)
    )
    anew = replace(job, environments=replace(job.environments, reuse=False))
    session = fresh_session()
    fit = setup(tmp_path)
    prepare_environment(session, anew, fit, first_choice(anew.plan, fit))
    assert session.restored == []
    assert f"{INSTALL} wheel" in session.events
    assert "save /aarch64-wheels/environment" in session.events


def test_a_container_that_is_gone_leaves_no_archive(tmp_path: Path) -> None:
    session = broken_session("save", refuses(StageError("the container is gone")))
    with pytest.raises(StageError, match="the container is gone"):
        prepare_emulated(tmp_path, session)
    assert list((tmp_path / "kept").iterdir()) == []
    assert [place for _, place, _ in session.copied] == [IDENTITY]


def test_a_full_disk_keeps_no_environment_and_costs_no_target(tmp_path: Path) -> None:
    lines: list[str] = []
    session = broken_session("save", refuses(OSError(28, "No space left on device")))
    prepare_emulated(tmp_path, session, lines)
    assert list((tmp_path / "kept").iterdir()) == []
    assert [line for line in lines if "not kept" in line and "No space left" in line]


def test_a_failed_installation_is_not_kept(tmp_path: Path) -> None:
    session = broken_session("uv pip", fails(1, "no such release"))
    with pytest.raises(CommandError):
        prepare_emulated(tmp_path, session, build_requires=("wheel",))
    assert not (tmp_path / "kept").exists()
