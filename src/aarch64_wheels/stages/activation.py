"""The variables of a build: its environment, as if it were activated, and the native tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.native.placement import startup_variables
from aarch64_wheels.native.places import BIN, COMPILERS
from aarch64_wheels.settings.schema import Compiler, Mode
from aarch64_wheels.stages.job import ENVIRONMENT, UV_ENVIRONMENT

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from aarch64_wheels.plan import Plan


def active_environment(
    plan: Plan, python: PurePosixPath, image_path: str, *, identity: bool, parallel: int
) -> dict[str, str]:
    """Put the environment's programs (cython, ninja) first, native tools next.

    Behind these come the target's own, as `before-build` may install some there.

    Args:
        plan: says whether there are native tools, and native compilers among them.
        python: the target's own interpreter.
        image_path: the image's own PATH.
        identity: the environment's interpreter says that it is the target's.
        parallel: how many processes of the build may work at the same time.
    """
    return {
        **UV_ENVIRONMENT,
        "VIRTUAL_ENV": str(ENVIRONMENT),
        "PATH": ":".join(
            (str(ENVIRONMENT / "bin"), *native_path(plan), str(python.parent), image_path)
        ),
        **startup_variables(identity=identity, parallel=parallel),
    }


def own_path(plan: Plan, python: PurePosixPath, image_path: str) -> str:
    """Give the PATH of a project's commands: the target's own Python first, native tools next."""
    return ":".join((str(python.parent), *native_path(plan), image_path))


def native_path(plan: Plan) -> tuple[str, ...]:
    """Give the directories of native tools, which come before the image's own."""
    if plan.mode is not Mode.ACCELERATED:
        return ()
    return (*(() if plan.compiler is Compiler.GCC else (str(COMPILERS),)), str(BIN))
