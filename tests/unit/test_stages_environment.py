"""Stage 1: what is copied in, and what is installed in which order."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.stages.environment import prepare_environment
from aarch64_wheels.stages.job import PROJECT
from tests.unit.fake_session import FakeSession
from tests.unit.stage_samples import fails, make_job, says

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = "/aarch64-wheels/environment/bin/python"
ASK = f"{PYTHON} /aarch64-wheels/ask_backend.py"
INSTALL = f"uv pip install --python {PYTHON} --"


def _commands(tmp_path: Path, answer: str, **plan_fields: Any) -> list[str]:
    session = FakeSession(effects={ASK: says(answer)})
    prepare_environment(session, make_job(tmp_path, **plan_fields))
    return [str(command) for command in session.commands]


def test_the_steps_and_their_order(tmp_path: Path) -> None:
    commands = _commands(
        tmp_path,
        '["numpy"]',
        build_requires=("setuptools>=61", "cython"),
        build_backend="own:backend.api",
        backend_path=("tools", "."),
    )
    assert commands == [
        "uv --version",
        (
            "uv venv --no-project --python /opt/python/cp313-cp313/bin/python "
            "/aarch64-wheels/environment"
        ),
        f"{INSTALL} setuptools>=61 cython",
        f"{ASK} own:backend.api tools .",
        f"{INSTALL} numpy",
    ]


def test_nothing_is_installed_where_nothing_is_required(tmp_path: Path) -> None:
    assert not any("install" in command for command in _commands(tmp_path, "[]"))


def test_an_option_among_the_requirements_stays_a_requirement(tmp_path: Path) -> None:
    commands = _commands(tmp_path, '["--index-url=http://evil.example"]')
    assert commands[-1] == f"{INSTALL} --index-url=http://evil.example"


def test_the_project_goes_in_without_what_is_left_out(tmp_path: Path) -> None:
    session = FakeSession(effects={ASK: says("[]")})
    prepare_environment(session, make_job(tmp_path))
    assert session.copied == [(tmp_path / "project", PROJECT, (tmp_path,))]


def test_the_question_runs_in_the_project_and_uv_out_of_it(tmp_path: Path) -> None:
    """A `uv.toml` or `pyproject.toml` of the project must not configure the installer."""
    session = FakeSession(effects={ASK: says("[]")})
    prepare_environment(session, make_job(tmp_path, build_requires=("wheel",)))
    places = {str(command)[:6]: command for command in session.commands}
    assert places["/aarch"].cwd == PROJECT
    assert places["uv pip"].cwd == PurePosixPath("/")
    for name in ("uv ven", "uv pip"):
        assert places[name].env["UV_PYTHON_DOWNLOADS"] == "never"


def test_the_question_is_our_script(tmp_path: Path) -> None:
    session = FakeSession(effects={ASK: says("[]")})
    prepare_environment(session, make_job(tmp_path))
    ((path, content),) = session.files.items()
    assert path == PurePosixPath(ASK.split()[1])
    assert b"get_requires_for_build_wheel" in content


def test_an_image_without_uv(tmp_path: Path) -> None:
    session = FakeSession(effects={"uv --version": fails(127, "uv: not found")})
    with pytest.raises(StageError, match="no `uv`") as caught:
        prepare_environment(session, make_job(tmp_path))
    assert (caught.value.found, "--image debian" in caught.value.hint) == ("uv: not found", True)
    assert len(session.commands) == 1


@pytest.mark.parametrize("broken", ["uv venv", "uv pip install", ASK])
def test_a_step_that_fails_ends_the_stage(tmp_path: Path, broken: str) -> None:
    session = FakeSession(effects={ASK: says("[]"), broken: fails(2, "no such release")})
    with pytest.raises(CommandError, match="no such release"):
        prepare_environment(session, make_job(tmp_path, build_requires=("wheel",)))
    assert str(session.commands[-1]).startswith(broken)
