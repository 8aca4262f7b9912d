"""Stage 1: what is copied in, and what is installed in which order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.stages.environment import prepare_environment
from aarch64_wheels.stages.job import PROJECT
from tests.unit.fake_session import FakeSession
from tests.unit.stage_samples import fails, make_job, says

if TYPE_CHECKING:
    from collections.abc import Callable
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
        "printenv PATH",
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


def test_the_question_is_asked_in_the_active_environment(tmp_path: Path) -> None:
    """A backend may look for its tools (cython, ninja) on PATH."""
    session = FakeSession(effects={ASK: says("[]"), "printenv PATH": says("/usr/bin:/bin\n")})
    prepare_environment(session, make_job(tmp_path))
    asked = session.commands[-1]
    assert asked.env["PATH"] == "/aarch64-wheels/environment/bin:/usr/bin:/bin"
    assert asked.env["VIRTUAL_ENV"] == "/aarch64-wheels/environment"


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


def test_the_environment_is_kept_before_any_of_the_project_is_in_the_container(
    tmp_path: Path,
) -> None:
    """What is kept is used for other sources: none of them may have a say in it."""
    session = FakeSession(effects={ASK: says('["numpy"]')})
    job = make_job(tmp_path, build_requires=("wheel",))
    prepare_environment(session, job)
    steps = [" ".join(event.split()[:2]) for event in session.events]
    assert steps == [
        *("uv --version", "uv venv", "uv pip", "save /aarch64-wheels/environment", "copy in"),
        *("printenv PATH", f"{PYTHON} {ASK.split()[1]}", "uv pip"),
    ]
    (kept,) = job.environments.directory.iterdir()
    assert kept == job.environments.archive(job.target.interpreter, ("wheel",))
    assert kept.read_text() == "/aarch64-wheels/environment after 3 commands"


def test_the_second_time_it_is_restored_and_nothing_is_installed(tmp_path: Path) -> None:
    job = make_job(tmp_path, build_requires=("wheel",))
    prepare_environment(FakeSession(effects={ASK: says("[]")}), job)
    (kept,) = job.environments.directory.iterdir()
    session = FakeSession(effects={ASK: says("[]")})
    prepare_environment(session, job)
    assert session.restored == [(kept, PurePosixPath("/aarch64-wheels"))]
    assert not any("uv pip install" in event or "uv venv" in event for event in session.events)
    order = [event.partition(" ")[0] for event in session.events]
    assert order.index("restore") < order.index("copy")


def test_a_damaged_environment_is_made_anew(tmp_path: Path) -> None:
    lines: list[str] = []
    job = make_job(tmp_path, lines, build_requires=("wheel",))
    prepare_environment(FakeSession(effects={ASK: says("[]")}), job)
    session = FakeSession(effects={ASK: says("[]"), f"{PYTHON} -c": fails(127, "no such file")})
    prepare_environment(session, job)
    steps = [" ".join(event.split()[:2]) for event in session.events]
    broken = ("restore /aarch64-wheels", f"{PYTHON} -c", "rm -rf", "uv venv", "uv pip")
    assert [step.split(" ")[0] for step in steps[1:6]] == [step.split(" ")[0] for step in broken]
    assert any("damaged, and made anew" in line for line in lines)
    (kept,) = job.environments.directory.iterdir()
    assert kept.stat().st_size


def test_what_only_the_backend_asks_for_is_installed_into_the_restored_one(tmp_path: Path) -> None:
    job = make_job(tmp_path, build_requires=("wheel",))
    prepare_environment(FakeSession(effects={ASK: says("[]")}), job)
    session = FakeSession(effects={ASK: says('["numpy"]')})
    prepare_environment(session, job)
    assert str(session.commands[-1]) == f"{INSTALL} numpy"
    assert len(list(job.environments.directory.iterdir())) == 1


def test_without_reuse_it_is_made_and_kept_anew(tmp_path: Path) -> None:
    job = make_job(tmp_path, build_requires=("wheel",))
    prepare_environment(FakeSession(effects={ASK: says("[]")}), job)
    anew = replace(job, environments=replace(job.environments, reuse=False))
    session = FakeSession(effects={ASK: says("[]")})
    prepare_environment(session, anew)
    assert session.restored == []
    assert f"{INSTALL} wheel" in session.events
    assert "save /aarch64-wheels/environment" in session.events


def test_a_container_that_is_gone_leaves_no_archive(tmp_path: Path) -> None:
    session = FakeSession(effects={"save": _refuses(StageError("the container is gone"))})
    job = make_job(tmp_path)
    with pytest.raises(StageError, match="the container is gone"):
        prepare_environment(session, job)
    assert list(job.environments.directory.iterdir()) == []
    assert session.copied == []


def test_a_full_disk_keeps_no_environment_and_costs_no_target(tmp_path: Path) -> None:
    lines: list[str] = []
    full = _refuses(OSError(28, "No space left on device"))
    session, job = FakeSession(effects={ASK: says("[]"), "save": full}), make_job(tmp_path, lines)
    prepare_environment(session, job)
    assert list(job.environments.directory.iterdir()) == []
    assert [line for line in lines if "not kept" in line and "No space left" in line]


def test_a_failed_installation_is_not_kept(tmp_path: Path) -> None:
    session = FakeSession(effects={"uv pip": fails(1, "no such release")})
    with pytest.raises(CommandError):
        prepare_environment(session, make_job(tmp_path, build_requires=("wheel",)))
    assert not (tmp_path / "kept").exists()


def _refuses(error: Exception) -> Callable[[FakeSession], str]:
    def effect(_session: FakeSession) -> str:
        raise error

    return effect


@pytest.mark.parametrize("broken", ["uv venv", "uv pip install", ASK])
def test_a_step_that_fails_ends_the_stage(tmp_path: Path, broken: str) -> None:
    session = FakeSession(effects={ASK: says("[]"), broken: fails(2, "no such release")})
    with pytest.raises(CommandError, match="no such release"):
        prepare_environment(session, make_job(tmp_path, build_requires=("wheel",)))
    assert str(session.commands[-1]).startswith(broken)
