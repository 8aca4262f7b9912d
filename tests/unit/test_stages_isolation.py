"""Stage 1 without isolation, with a project that is there already, and with constraints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.environments import Environments
from aarch64_wheels.native.backend import BackendOutcome, NotNative, first_choice
from aarch64_wheels.native.places import PROJECT
from aarch64_wheels.settings.schema import Backend, BuildOptions, Compiler, Mode
from aarch64_wheels.stages.environment import prepare_environment
from aarch64_wheels.stages.job import PYTHON, Given, Job
from tests.unit.backend_samples import HOOK, IMAGE_PATH, setup
from tests.unit.environment_samples import NATIVE, RESOLVE, fresh_session, steps_of
from tests.unit.stage_samples import make_job

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.native.backend import BackendSetup
    from aarch64_wheels.stages.hooks import Prepared
    from tests.unit.fake_session import FakeSession

OWN = PurePosixPath("/opt/python/cp313-cp313/bin/python")
ALONE = "build; args: --no-isolation"


def _job(tmp_path: Path, lines: list[str] | None = None, **fields: Any) -> Job:
    given = Given(constraints=fields.pop("constraints", ""))
    names = BuildOptions.__dataclass_fields__
    options = {name: fields.pop(name) for name in list(fields) if name in names}
    job = make_job(tmp_path, lines, build_requires=("setuptools>=61",), **fields)
    return replace(job, target=replace(job.target, options=BuildOptions(**options)), given=given)


def _prepare(
    job: Job, session: FakeSession, fit: BackendSetup, *, is_placed: bool = False
) -> Prepared:
    outcome = first_choice(job.plan, fit)
    return prepare_environment(session, job, fit, outcome, is_placed=is_placed)


def test_without_isolation_nothing_is_installed(tmp_path: Path) -> None:
    lines: list[str] = []
    session = fresh_session(("numpy",))
    job = _job(tmp_path, lines, build_frontend=ALONE, before_build="pip install setuptools")
    prepared = _prepare(job, session, setup(tmp_path))
    assert not any(event.startswith(("uv venv", "uv pip")) for event in session.events)
    assert not any(event.startswith(HOOK) for event in session.events)
    assert session.events[-2:] == [f"copy in {PROJECT}", "sh -c pip install setuptools"]
    assert prepared.python == OWN
    assert prepared.variables["PATH"] == f"{OWN.parent}:{IMAGE_PATH}"
    assert "VIRTUAL_ENV" not in prepared.variables
    assert any("asks for no isolation" in line for line in lines)


def test_without_isolation_the_compilers_are_native_all_the_same(tmp_path: Path) -> None:
    fields: dict[str, Any] = {
        "mode": Mode.ACCELERATED,
        "backend": Backend.AUTO,
        "compiler": Compiler.AUTO,
    }
    job = _job(tmp_path, build_frontend=ALONE, **fields)
    # As `commands.setups` has it: there is no native interpreter for such a build.
    prepared = _prepare(job, fresh_session(), setup(tmp_path, missing="no isolation"))
    assert prepared.outcome == BackendOutcome(backend="emulated", reason="no isolation")
    tools = "/aarch64-wheels/compilers:/native/bin"
    assert prepared.variables["PATH"] == f"{OWN.parent}:{tools}:{IMAGE_PATH}"


def test_no_isolation_and_a_native_backend_contradict_each_other(tmp_path: Path) -> None:
    job = _job(tmp_path, mode=Mode.ACCELERATED, backend=Backend.NATIVE, build_frontend=ALONE)
    with pytest.raises(NotNative, match="no isolation"):
        first_choice(job.plan, setup(tmp_path, missing="no isolation"))


def test_variables_of_the_project_are_put_upon_the_images(tmp_path: Path) -> None:
    session = fresh_session()
    session.effects = {**session.effects, "bash -c": lambda _session: "A=1\0"}
    prepared = _prepare(
        _job(tmp_path, build_frontend=ALONE, environment="A=1"), session, setup(tmp_path)
    )
    assert prepared.variables["A"] == "1"
    assert prepared.variables["CIBUILDWHEEL"] == "1"


@pytest.mark.parametrize("frontend", ["", ALONE], ids=["isolated", "not"])
def test_a_project_that_is_there_is_not_copied_over(tmp_path: Path, frontend: str) -> None:
    session = fresh_session()
    job = _job(tmp_path, build_frontend=frontend)
    _prepare(job, session, setup(tmp_path), is_placed=True)
    assert f"copy in {PROJECT}" not in session.events


def test_before_build_runs_after_what_is_kept_and_before_any_hook(tmp_path: Path) -> None:
    """A project's own code must not get into an environment that others are given."""
    session = fresh_session()
    _prepare(_job(tmp_path, before_build="make"), session, setup(tmp_path))
    steps = steps_of(session)
    assert steps.index("keep") < steps.index(f"copy in {PROJECT}") < steps.index("sh -c make")
    assert steps.index("sh -c make") < steps.index("hook")


def test_constraints_limit_what_is_installed(tmp_path: Path) -> None:
    session = fresh_session(("numpy",))
    _prepare(_job(tmp_path, constraints="numpy<2\n"), session, setup(tmp_path))
    rows = [row.argv for row in session.commands if row.argv[:3] == ("uv", "pip", "install")]
    assert [argv[-1] for argv in rows] == ["setuptools>=61", "numpy"]
    for argv in rows:
        assert argv[:5] == ("uv", "pip", "install", "--python", str(PYTHON))
        limits = argv[argv.index("--constraints") + 1]
        assert session.files[PurePosixPath(limits)] == b"numpy<2\n"


def test_constraints_limit_what_is_resolved_for_a_native_backend(tmp_path: Path) -> None:
    session = fresh_session()
    fields: dict[str, Any] = {
        "mode": Mode.ACCELERATED,
        "backend": Backend.AUTO,
        "compiler": Compiler.AUTO,
    }
    _prepare(_job(tmp_path, constraints="a<2\n", **fields), session, setup(tmp_path, NATIVE))
    (resolved,) = [row for row in session.commands if str(row).startswith(RESOLVE)]
    assert "--constraints" in resolved.argv


def test_what_is_kept_is_kept_by_the_constraints(tmp_path: Path) -> None:
    row, kept = make_job(tmp_path).target.interpreter, Environments(image_id="sha256:1")
    names = [
        kept.name(row, ("a",)),
        kept.name(row, ("a",), constraints="a<2\n"),
        kept.name(row, ("a",), ("no isolation", "")),
    ]
    assert len(set(names)) == 3
