"""Stages 2 and 3: how the wheel is made and repaired, and which wheels are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.stages.build import build_wheel
from aarch64_wheels.stages.job import BUILT, PROJECT, REPAIRED
from aarch64_wheels.stages.listing import only_wheel
from aarch64_wheels.stages.repair import repair_wheel
from tests.unit.fake_session import FakeSession
from tests.unit.report_samples import plan
from tests.unit.stage_samples import UNREPAIRED, fails, leaves, make_job, says

if TYPE_CHECKING:
    from pathlib import Path

PATH = {"printenv PATH": says("/opt/bin:/usr/bin\n")}


def test_the_build_runs_in_the_project_with_the_environment_active(tmp_path: Path) -> None:
    lines: list[str] = []
    wheel = leaves(BUILT / UNREPAIRED, b"", "one\ntwo\n")
    session = FakeSession(effects={**PATH, "uv build": wheel})
    assert build_wheel(session, make_job(tmp_path, lines)) == BUILT / UNREPAIRED
    (build,) = [command for command in session.commands if command.argv[:2] == ("uv", "build")]
    assert set(build.argv) >= {"--wheel", "--no-build-isolation", str(BUILT), str(PROJECT)}
    assert (build.cwd, build.streamed, lines) == (PROJECT, True, ["one", "two"])
    assert build.env["PATH"] == "/aarch64-wheels/environment/bin:/opt/bin:/usr/bin"
    assert build.env["VIRTUAL_ENV"] == "/aarch64-wheels/environment"
    assert build.env["UV_PYTHON_DOWNLOADS"] == "never"


def test_a_failed_build_keeps_the_commands_own_words(tmp_path: Path) -> None:
    session = FakeSession(effects={**PATH, "uv build": fails(2, "fatal error: fast.h")})
    with pytest.raises(CommandError, match="status 2") as caught:
        build_wheel(session, make_job(tmp_path))
    assert "fatal error: fast.h" in str(caught.value)


def test_a_pure_wheel_is_refused(tmp_path: Path) -> None:
    pure = BUILT / "fast-1.0-py3-none-any.whl"
    session = FakeSession(effects={**PATH, "uv build": leaves(pure, b"")})
    with pytest.raises(StageError, match="no compiled code") as caught:
        build_wheel(session, make_job(tmp_path))
    assert "python -m build" in caught.value.hint


LISTINGS = {
    "none": ([], "found 0", "an empty directory"),
    "other-files": (["fast-1.0.tar.gz", ".gitignore"], "found 0", "fast-1.0.tar.gz, .gitignore"),
    "two": (["a.whl", "b.whl"], "found 2", "a.whl, b.whl"),
}


@pytest.mark.parametrize(("names", "what", "found"), LISTINGS.values(), ids=LISTINGS.keys())
def test_one_wheel_or_an_error(names: list[str], what: str, found: str) -> None:
    session = FakeSession(files={BUILT / name: b"" for name in names})
    with pytest.raises(StageError, match=what) as caught:
        only_wheel(session, BUILT)
    assert caught.value.found == found


def test_other_files_beside_the_wheel_do_not_matter() -> None:
    """`uv build` puts a .gitignore into the directory it makes."""
    session = FakeSession(files={BUILT / ".gitignore": b"*", BUILT / UNREPAIRED: b""})
    assert only_wheel(session, BUILT) == BUILT / UNREPAIRED


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param("manylinux_2_17_aarch64", ["--plat", "manylinux_2_17_aarch64"], id="listed"),
        pytest.param("", [], id="the-image-decides"),
    ],
)
def test_repair_is_to_the_images_policy(tmp_path: Path, policy: str, expected: list[str]) -> None:
    repaired = REPAIRED / "fast-1.0-cp313-cp313-manylinux_2_17_aarch64.whl"
    session = FakeSession(effects={"auditwheel repair": leaves(repaired, b"")})
    image = replace(plan().image, policy=policy)
    assert repair_wheel(session, make_job(tmp_path, image=image), BUILT / UNREPAIRED) == repaired
    assert session.commands[0].argv == (
        *("auditwheel", "repair", *expected),
        *("--wheel-dir", str(REPAIRED), str(BUILT / UNREPAIRED)),
    )


def test_a_wheel_that_cannot_be_repaired(tmp_path: Path) -> None:
    session = FakeSession(effects={"auditwheel": fails(1, "too-recent versioned symbols")})
    with pytest.raises(CommandError, match="too-recent versioned symbols"):
        repair_wheel(session, make_job(tmp_path), BUILT / UNREPAIRED)
