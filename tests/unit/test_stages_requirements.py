"""Build environments: made, kept before anybody can spoil them, used again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.native.places import CALLS, IDENTITY, PROJECT
from tests.unit.backend_samples import HOOK
from tests.unit.environment_samples import (
    INSTALL,
    broken_session,
    fresh_session,
    prepare_accelerated,
    prepare_emulated,
    refuses,
    steps_of,
)
from tests.unit.stage_samples import fails

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aarch64_wheels.stages.hooks import Prepared

BOTH = pytest.mark.parametrize(
    "prepare", [prepare_emulated, prepare_accelerated], ids=["emulated", "accelerated"]
)


@BOTH
def test_the_environment_is_kept_before_any_of_the_project_is_in_the_container(
    tmp_path: Path, prepare: Callable[..., Prepared]
) -> None:
    """What is kept is used for other sources: none of them may have a say in it."""
    session = fresh_session(("numpy",))
    prepare(tmp_path, session, build_requires=("wheel",))
    steps = steps_of(session)
    assert steps.index("uv cache clean") + 1 == steps.index("keep")
    assert steps.index("keep") + 1 == steps.index(f"copy in {PROJECT}")
    assert steps.index(f"copy in {PROJECT}") < steps.index("hook")
    assert steps.count("keep") == 1
    caches = {one.env["UV_CACHE_DIR"] for one in session.commands if one.argv[0] == "uv"}
    assert len(caches) == 1, "the one that is emptied is the one that was filled"


def test_calls_of_compiled_requirements_are_not_kept(tmp_path: Path) -> None:
    session = fresh_session()
    session.files[CALLS] = b"native\tcc\t0\n"
    prepare_accelerated(tmp_path, session, build_requires=("wheel",))
    assert session.files[CALLS] == b""


def test_facts_of_a_prepared_container_are_not_kept_for_others(tmp_path: Path) -> None:
    """The code of requirements has run in it, and may have changed the interpreter."""
    session = fresh_session()
    session.is_prepared = True
    prepare_emulated(tmp_path, session)
    prepare_emulated(tmp_path, session)
    assert steps_of(session).count("ask") == 2
    session.is_prepared = False
    prepare_emulated(tmp_path, session)
    prepare_emulated(tmp_path, session)
    assert steps_of(session).count("ask") == 3


@BOTH
def test_in_a_prepared_container_nothing_is_made_or_kept(
    tmp_path: Path, prepare: Callable[..., Prepared]
) -> None:
    session = fresh_session()
    session.is_prepared = True
    lines: list[str] = []
    prepare(tmp_path, session, lines, build_requires=("wheel",))
    assert steps_of(session) == ["ask", f"copy in {PROJECT}", "hook"]
    assert "using the build environment kept by an earlier run" in lines


def test_what_only_the_backend_asks_for_is_installed_into_the_kept_one(tmp_path: Path) -> None:
    session = fresh_session(("numpy",))
    session.is_prepared = True
    prepare_emulated(tmp_path, session, build_requires=("wheel",))
    assert str(session.commands[-1]) == f"{INSTALL} numpy"
    assert "keep" not in session.events


@BOTH
@pytest.mark.parametrize("status", [126, 127])
def test_a_hook_of_any_status_has_nothing_made_or_kept(
    tmp_path: Path, prepare: Callable[..., Prepared], status: int
) -> None:
    """An in-tree backend may end with any status, after it has changed what it likes."""
    session = broken_session(HOOK, fails(status, "bye"))
    session.is_prepared = True
    with pytest.raises(StageError, match="bye"):
        prepare(tmp_path, session, build_requires=("wheel",))
    assert steps_of(session)[-1] == "hook"
    assert "keep" not in session.events


@pytest.mark.parametrize("step", ["keep", "uv cache clean"])
def test_an_engine_that_cannot_keep_it_costs_no_target(tmp_path: Path, step: str) -> None:
    lines: list[str] = []
    session = broken_session(step, refuses(StageError("no space left on device")))
    prepare_emulated(tmp_path, session, lines)
    assert [line for line in lines if "not kept" in line and "no space left" in line]
    assert [place for _, place, _ in session.copied] == [IDENTITY, PROJECT]


def test_a_failed_installation_is_not_kept(tmp_path: Path) -> None:
    session = broken_session("uv pip", fails(1, "no such release"))
    with pytest.raises(CommandError):
        prepare_emulated(tmp_path, session, build_requires=("wheel",))
    assert "keep" not in session.events
