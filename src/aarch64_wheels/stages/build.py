"""Stage 2: the wheel, made by the project's own build backend (PEP 517) through `uv build`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError
from aarch64_wheels.stages.activation import active_environment
from aarch64_wheels.stages.job import BUILT, PROJECT, PYTHON, Job
from aarch64_wheels.stages.listing import only_wheel

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Session


def build_wheel(session: Session, job: Job) -> PurePosixPath:
    """Build the wheel in the environment that stage 1 has made.

    Returns:
        The wheel in the container.

    Raises:
        StageError: the backend failed, or made no wheel, or one without compiled code.
    """
    argv = ["uv", "build", "--wheel", "--no-build-isolation"]
    argv += ["--python", str(PYTHON), "--out-dir", str(BUILT), str(PROJECT)]
    session.run(argv, sink=job.sink, env=active_environment(session), cwd=PROJECT)
    wheel = only_wheel(session, BUILT)
    if wheel.name.endswith("-none-any.whl"):
        raise StageError(
            f"{wheel.name} is a pure Python wheel: it holds no compiled code",
            hint="such a wheel is built once, on any machine, with `python -m build`",
        )
    return wheel
