"""What a project sets for its build: variables, `before-build`, what its backend is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.epoch import VARIABLE
from aarch64_wheels.native.places import PROJECT
from aarch64_wheels.settings.frontend import read_frontend
from aarch64_wheels.stages.activation import own_path
from aarch64_wheels.stages.placeholders import fill
from aarch64_wheels.stages.variables import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.stages.job import Job


def own_variables(session: Session, job: Job, base: Mapping[str, str]) -> dict[str, str]:
    """Put the project's variables upon those of a command, as cibuildwheel makes them.

    Raises:
        StageError: what `environment` says cannot be evaluated.
    """
    given = {
        **base,
        **job.given.passed,
        "CIBUILDWHEEL": "1",
        "CIBUILDWHEEL_BUILD_IDENTIFIER": job.target.identifier,
    }
    return evaluate(session, job.target.options.environment, given, PROJECT, job.sink)


def build_variables(session: Session, job: Job, base: Mapping[str, str]) -> dict[str, str]:
    """Put the time of the build below the project's variables (reproducible-builds.org).

    Raises:
        StageError: as `own_variables`.
    """
    return own_variables(session, job, {VARIABLE: str(job.plan.source_date_epoch), **base})


def command_variables(session: Session, job: Job, image_path: str) -> dict[str, str]:
    """Give the variables of a project's commands: the target's own Python is first on PATH.

    Raises:
        StageError: they cannot be evaluated.
    """
    python = job.target.interpreter.python
    path = own_path(job.plan, python, image_path)
    return build_variables(session, job, {"PATH": path, "UV_PYTHON": str(python)})


def run_command(
    session: Session, job: Job, command: str, image_path: str, **values: PurePosixPath
) -> None:
    """Run a command of the project in its directory, with the target's own Python on PATH.

    Args:
        session: the container, with the project in it.
        job: what is built.
        command: for a shell, with placeholders.
        image_path: the image's own PATH.
        **values: for placeholders besides `{project}` and `{package}`.

    Raises:
        StageError: it failed, or its variables cannot be evaluated.
    """
    run_shell(session, job, command, command_variables(session, job, image_path), **values)


def run_shell(
    session: Session,
    job: Job,
    command: str,
    variables: Mapping[str, str],
    cwd: PurePosixPath = PROJECT,
    **values: PurePosixPath,
) -> None:
    """Run a command of the project with just these variables, its placeholders filled.

    Args:
        session: the container, with the project in it.
        job: what is built.
        command: for a shell.
        variables: all that it gets besides those of the container.
        cwd: where it runs.
        **values: for placeholders besides `{project}` and `{package}`.

    Raises:
        StageError: it failed.
    """
    job.sink(f"$ {command}")
    places = {"project": PROJECT, "package": job.place, **values}
    filled = fill(command, **{name: session.path_of(path) for name, path in places.items()})
    session.run(["sh", "-c", filled], sink=job.sink, env=variables, cwd=cwd)


def run_before_build(session: Session, job: Job, image_path: str) -> None:
    """Run `before-build`, if there is one; raises as `run_command`."""
    if command := job.target.options.before_build:
        run_command(session, job, command, image_path)


def config_settings(session: Session, job: Job) -> dict[str, str | list[str]]:
    """Give what the build backend is told (PEP 517); of one value alone it is told no list."""
    options = job.target.options
    rows = (*options.config_settings, *read_frontend(options.build_frontend).settings)
    given: dict[str, list[str]] = {}
    for key, values in rows:
        given.setdefault(key, []).extend(_filled(session, job, value) for value in values)
    return {key: values[0] if len(values) == 1 else values for key, values in given.items()}


def _filled(session: Session, job: Job, value: str) -> str:
    """Fill placeholders; this is no shell command, so nothing is quoted."""
    for name, path in (("{project}", PROJECT), ("{package}", job.place)):
        value = value.replace(name, str(session.path_of(path)))
    return value
