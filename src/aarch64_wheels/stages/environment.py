"""Stage 1: the project in the container, and a fresh environment with what its build requires."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.stages.job import ENVIRONMENT, PROJECT, PYTHON, UV_ENVIRONMENT, WORK, Job

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import Session

_ASK_BACKEND = WORK / "ask_backend.py"


def prepare_environment(session: Session, job: Job) -> None:
    """Copy the project in and make its build environment (PEP 518), without the backend's wheel.

    Raises:
        StageError: a build requirement cannot be installed, or the backend does not start.
    """
    session.copy_in(job.source, PROJECT, exclude=job.left_out)
    _check_uv(session)
    python = str(job.target.interpreter.python)
    session.run(
        ["uv", "venv", "--no-project", "--python", python, str(ENVIRONMENT)],
        sink=job.sink,
        env=UV_ENVIRONMENT,
    )
    _install(session, job, job.plan.build_requires)
    _install(session, job, _dynamic_requires(session, job))


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
    answer = session.capture([PYTHON, _ASK_BACKEND, *backend], cwd=PROJECT)
    return tuple(json.loads(answer))
