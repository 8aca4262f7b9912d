"""Stage 1: the project in the container, and a fresh environment with what its build requires."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.stages.activation import active_environment
from aarch64_wheels.stages.job import ENVIRONMENT, PROJECT, PYTHON, UV_ENVIRONMENT, WORK, Job

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.environments import EnvironmentStore

_ASK_BACKEND = WORK / "ask_backend.py"


def prepare_environment(session: Session, job: Job) -> None:
    """Copy the project in and make its build environment (PEP 518), without the backend's wheel.

    Raises:
        StageError: a build requirement cannot be installed, or the backend does not start.
    """
    _check_uv(session)
    _make_environment(session, job)
    session.copy_in(job.source, PROJECT, exclude=job.left_out)
    _install(session, job, _dynamic_requires(session, job))


def _make_environment(session: Session, job: Job) -> None:
    """Make the environment with the static requirements, or take the one of an earlier run."""
    store, requires = job.environments, job.plan.build_requires
    archive = store.archive(job.target.interpreter, requires)
    if store.holds(archive) and _restore(session, job, archive):
        return
    python = str(job.target.interpreter.python)
    argv = ["uv", "venv", "--no-project", "--python", python, str(ENVIRONMENT)]
    session.run(argv, sink=job.sink, env=UV_ENVIRONMENT)
    _install(session, job, requires)
    try:
        _save(session, store, archive)
    except OSError as error:  # a full disk costs the next run some time, not this one its wheel
        job.sink(f"the build environment is not kept for later runs: {error}")


def _restore(session: Session, job: Job, archive: Path) -> bool:
    """Take a kept environment; a damaged one is forgotten, and made anew."""
    job.sink(f"using the build environment kept in {archive}")
    try:
        session.restore(archive, ENVIRONMENT.parent)
        session.capture([PYTHON, "-c", ""])
    except StageError as error:
        job.sink(f"it is damaged, and made anew: {error}")
        archive.unlink(missing_ok=True)
        session.run(["rm", "-rf", ENVIRONMENT], sink=job.sink)
        return False
    return True


def _save(session: Session, store: EnvironmentStore, archive: Path) -> None:
    draft = store.draft(archive)
    try:
        session.save(ENVIRONMENT, draft)
        draft.replace(archive)
    finally:
        draft.unlink(missing_ok=True)


def _check_uv(session: Session) -> None:
    try:
        session.capture(["uv", "--version"])
    except CommandError as error:
        raise StageError(
            "the image has no `uv` on PATH",
            found=error.tail,
            hint="use a current manylinux or musllinux image, or `--image debian`",
        ) from error


def _install(session: Session, job: Job, requires: tuple[str, ...]) -> None:
    if requires:
        session.run(
            ["uv", "pip", "install", "--python", PYTHON, "--", *requires],
            sink=job.sink,
            env=UV_ENVIRONMENT,
            cwd=PurePosixPath("/"),
        )


def _dynamic_requires(session: Session, job: Job) -> tuple[str, ...]:
    """Ask the backend what it needs besides (PEP 517, `get_requires_for_build_wheel`)."""
    script = resources.files("aarch64_wheels.stages") / "ask_backend.py"
    session.write(_ASK_BACKEND, script.read_bytes())
    backend = [job.plan.build_backend, *job.plan.backend_path]
    answer = session.capture(
        [PYTHON, _ASK_BACKEND, *backend],
        sink=job.sink,
        env=active_environment(session),
        cwd=PROJECT,
    )
    return tuple(json.loads(answer))
