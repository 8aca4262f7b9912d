"""Stage 1: what is copied in, what is installed in which order, and for which interpreter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.native.backend import BackendOutcome, NotNative
from aarch64_wheels.native.placement import PACKAGE, PTH
from aarch64_wheels.native.places import IDENTITY, PROJECT
from aarch64_wheels.settings.schema import Backend, Compiler, Mode
from aarch64_wheels.stages.environment import prepare_environment
from aarch64_wheels.stages.job import ENVIRONMENT
from tests.unit.backend_samples import HOOK, IMAGE_PATH, SITE, setup
from tests.unit.fake_session import FakeSession
from tests.unit.stage_samples import fails, make_job

if TYPE_CHECKING:
    from pathlib import Path


from tests.unit.environment_samples import (
    COMPILE,
    INSTALL,
    NATIVE,
    NATIVELY,
    VENV,
    broken_session,
    fresh_session,
    prepare_accelerated,
    prepare_emulated,
    steps_of,
)


def test_the_steps_and_their_order(tmp_path: Path) -> None:
    session = fresh_session(("numpy",))
    prepare_emulated(tmp_path, session, build_requires=("setuptools>=61", "cython"))
    assert steps_of(session) == [
        "ask",
        f"copy in {IDENTITY}",
        f"{VENV} /opt/python/cp313-cp313/bin/python {ENVIRONMENT}",
        f"{INSTALL} setuptools>=61 cython",
        *("uv cache clean", "keep"),
        f"copy in {PROJECT}",
        "hook",
        f"{INSTALL} numpy",
    ]


def test_the_steps_natively(tmp_path: Path) -> None:
    session = fresh_session(("numpy",))
    prepared = prepare_accelerated(tmp_path, session, build_requires=("setuptools>=61",))
    assert steps_of(session) == [
        "ask",
        f"copy in {IDENTITY}",
        f"{VENV} {NATIVE} {ENVIRONMENT}",
        "resolve",
        f"{NATIVELY} --only-binary :all: -- setuptools==1",
        "scan",
        *("uv cache clean", "keep"),
        f"copy in {PROJECT}",
        "hook",
        "uv pip freeze --python /aarch64-wheels/environment/bin/python",
        "resolve",
        f"{NATIVELY} --only-binary :all: -- numpy==1",
        "scan",
    ]
    assert prepared.outcome == BackendOutcome(backend="native")


def test_a_native_interpreter_makes_the_bytecode_of_an_emulated_environment(
    tmp_path: Path,
) -> None:
    session = fresh_session()
    prepare_accelerated(tmp_path, session, backend=Backend.EMULATED, build_requires=("wheel",))
    assert steps_of(session)[2:7] == [
        f"{VENV} /opt/python/cp313-cp313/bin/python {ENVIRONMENT}",
        f"{INSTALL} wheel",
        "compile",
        *("uv cache clean", "keep"),
    ]
    (made,) = [command for command in session.commands if str(command).startswith(COMPILE)]
    assert made.argv[-3:] == ("f30d0d0a", str(ENVIRONMENT / SITE), "2")


def test_bytecode_that_cannot_be_made_costs_nothing(tmp_path: Path) -> None:
    lines: list[str] = []
    session = broken_session(COMPILE, fails(1, "no space"))
    prepare_accelerated(tmp_path, session, lines, backend=Backend.EMULATED)
    assert any("no bytecode was made natively" in line for line in lines)


def test_nothing_is_installed_where_nothing_is_required(tmp_path: Path) -> None:
    for prepare in (prepare_emulated, prepare_accelerated):
        session = fresh_session()
        prepare(tmp_path, session, build_requires=())
        assert not any("install" in event or "scan" in event for event in session.events)


def test_an_option_among_the_requirements_stays_a_requirement(tmp_path: Path) -> None:
    session = fresh_session(("--index-url=http://evil.example",))
    prepare_emulated(tmp_path, session, build_requires=())
    (install,) = [command for command in session.commands if "install" in command.argv]
    assert install.argv[-2:] == ("--", "--index-url=http://evil.example")


def test_an_option_among_the_requirements_is_not_resolved_natively(tmp_path: Path) -> None:
    session = fresh_session(("--index-url=http://evil.example",))
    with pytest.raises(NotNative, match="natively") as caught:
        prepare_accelerated(tmp_path, session, build_requires=())
    assert caught.value.reason.endswith("'--index-url=http://evil.example'")
    assert not any(event.startswith("uv pip") for event in session.events)


def test_the_project_goes_in_without_what_is_left_out(tmp_path: Path) -> None:
    session = fresh_session()
    prepare_emulated(tmp_path, session)
    assert session.copied[-1] == (tmp_path / "project", PROJECT, (tmp_path,))


def test_the_hook_runs_in_the_project_and_uv_out_of_it(tmp_path: Path) -> None:
    """A `uv.toml` or `pyproject.toml` of the project must not configure the installer."""
    session = fresh_session()
    prepare_emulated(
        tmp_path,
        session,
        build_requires=("wheel",),
        build_backend="own:backend.api",
        backend_path=("tools", "."),
    )
    places = {str(command)[:6]: command for command in session.commands}
    assert places["/aarch"].cwd == PROJECT
    assert places["/aarch"].argv[-5:] == (
        *("get_requires_for_build_wheel", "[[], null]"),
        *("own:backend.api", "tools", "."),
    )
    assert places["/aarch"].streamed
    for name in ("uv ven", "uv pip"):
        assert places[name].cwd == PurePosixPath("/")
        assert places[name].env["UV_PYTHON_DOWNLOADS"] == "never"


def test_a_package_in_a_subdirectory(tmp_path: Path) -> None:
    """As with cibuildwheel: commands run in the project, the backend in the package."""
    session = fresh_session()
    before = "make {project} {package}"
    job = replace(
        make_job(tmp_path, mode=Mode.EMULATED, backend=Backend.EMULATED),
        package=PurePosixPath("python"),
        git_data=tmp_path / "git",
    )
    options = replace(job.target.options, before_build=before)
    job = replace(job, target=replace(job.target, options=options))
    prepare_environment(session, job, setup(tmp_path), BackendOutcome(backend=""))
    (command,) = [command for command in session.commands if command.argv[0] == "sh"]
    assert command.argv[-1] == f"make {PROJECT} {PROJECT}/python"
    assert command.cwd == PROJECT
    assert session.commands[-1].cwd == PROJECT / "python"
    assert session.copied[-2:] == [
        (tmp_path / "project", PROJECT, (tmp_path,)),
        (tmp_path / "git", PROJECT / ".git", ()),
    ]


VARIABLES: dict[str, tuple[dict[str, Any], str, bool]] = {
    "emulated-mode": ({"mode": Mode.EMULATED, "backend": Backend.EMULATED}, "", False),
    "native": ({}, "/aarch64-wheels/compilers:/native/bin:", True),
    "emulated-backend": (
        {"backend": Backend.EMULATED},
        "/aarch64-wheels/compilers:/native/bin:",
        False,
    ),
    "gcc": ({"compiler": Compiler.GCC}, "/native/bin:", True),
}


@pytest.mark.parametrize(("fields", "tools", "identity"), VARIABLES.values(), ids=VARIABLES.keys())
def test_the_variables_of_a_hook(
    tmp_path: Path, fields: dict[str, Any], tools: str, *, identity: bool
) -> None:
    """A backend may look for its tools (cython, ninja) on PATH."""
    session = fresh_session()
    prepared = prepare_accelerated(tmp_path, session, **fields)
    hook = session.commands[-1]
    assert hook.env == prepared.variables
    own = "/opt/python/cp313-cp313/bin:"
    assert hook.env["PATH"] == f"/aarch64-wheels/environment/bin:{tools}{own}{IMAGE_PATH}"
    assert hook.env["VIRTUAL_ENV"] == "/aarch64-wheels/environment"
    assert hook.env["AARCH64_WHEELS_STARTUP"] == str(IDENTITY)
    assert hook.env["AARCH64_WHEELS_PARALLEL"] == "2"
    assert ("AARCH64_WHEELS_IDENTITY" in hook.env) is identity


def test_markers_mean_the_target(tmp_path: Path) -> None:
    session = fresh_session()
    requires = ('a; platform_machine == "aarch64"', 'b; platform_machine == "x86_64"')
    prepare_accelerated(tmp_path, session, build_requires=requires)
    (install,) = [command for command in session.commands if "install" in command.argv]
    assert install.argv[-2:] == ("--", "a==1")


def test_an_installer_sees_the_interpreter_as_it_is(tmp_path: Path) -> None:
    """Build requirements of the native backend are native wheels."""
    session = fresh_session(("numpy",))
    prepare_accelerated(tmp_path, session)
    for command in session.commands:
        if command.argv[0] == "uv":
            assert not any(name.startswith("AARCH64_WHEELS") for name in command.env)


def test_what_is_copied_in_for_the_interpreters(tmp_path: Path) -> None:
    seen: dict[str, str] = {}

    class Watching(FakeSession):
        def copy_in(self, source: Any, destination: Any, *, exclude: Any = ()) -> None:
            if destination == IDENTITY:
                files = (source / PACKAGE.name).iterdir()
                seen.update({path.name: path.read_text(encoding="utf-8") for path in files})
            super().copy_in(source, destination, exclude=exclude)

    session = Watching(effects=fresh_session().effects)
    prepare_accelerated(tmp_path, session)
    assert {"startup.py", "target.py", "parallel.py", "pool.py", "overlay.py"} <= seen.keys()
    assert "get_requires_for_build_wheel" in seen["call_hook.py"]
    assert "MACHINE = 'aarch64'" in seen["facts.py"]
    assert session.files[ENVIRONMENT / SITE / "aarch64_wheels.pth"] == PTH.encode()


@pytest.mark.parametrize("status", [126, 127])
def test_an_image_without_uv(tmp_path: Path, status: int) -> None:
    session = broken_session("uv venv", fails(status, "uv: not found"))
    with pytest.raises(StageError, match="no `uv`") as caught:
        prepare_emulated(tmp_path, session)
    assert (caught.value.found, "--image debian" in caught.value.hint) == ("uv: not found", True)


@pytest.mark.parametrize("broken", ["uv venv", "uv pip install", HOOK])
def test_a_step_that_fails_ends_the_stage(tmp_path: Path, broken: str) -> None:
    session = broken_session(broken, fails(2, "no such release"))
    with pytest.raises(CommandError, match="no such release"):
        prepare_emulated(tmp_path, session, build_requires=("wheel",))
    assert str(session.commands[-1]).startswith(broken)
