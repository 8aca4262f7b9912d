"""What a project does before its wheel is built: its variables, and `before-build`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.stages.job import PROJECT, Job
from aarch64_wheels.stages.placeholders import fill
from aarch64_wheels.stages.variables import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.engine.api import Session


def own_variables(session: Session, job: Job, image_path: str) -> dict[str, str]:
    """Give the variables that a project's commands run with, as cibuildwheel makes them.

    Args:
        session: the container, with the project in it.
        job: what is built.
        image_path: the image's own PATH, with native tools where there are any.

    Raises:
        StageError: what `environment` says cannot be evaluated.
    """
    interpreter = job.target.interpreter.python
    base = {
        **job.passed,
        "PATH": f"{interpreter.parent}:{image_path}",
        "UV_PYTHON": str(interpreter),
        "CIBUILDWHEEL": "1",
        "CIBUILDWHEEL_BUILD_IDENTIFIER": job.target.identifier,
    }
    return evaluate(session, job.target.options.environment, base, PROJECT, job.sink)


def run_before_build(session: Session, job: Job, variables: Mapping[str, str]) -> None:
    """Run `before-build` in the project's directory.

    Raises:
        CommandError: it ended with a status other than 0.
    """
    command = job.target.options.before_build
    if not command:
        return
    job.sink(f"$ {command}")
    filled = fill(command, project=PROJECT, package=PROJECT)
    session.run(["sh", "-c", filled], sink=job.sink, env=variables, cwd=PROJECT)
