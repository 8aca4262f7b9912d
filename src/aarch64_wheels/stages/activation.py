"""The build environment's variables, as if it were activated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.stages.job import ENVIRONMENT, UV_ENVIRONMENT

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import Session


def active_environment(session: Session) -> dict[str, str]:
    """Put the environment's programs (cython, ninja) first on the image's PATH."""
    path = session.capture(["printenv", "PATH"]).strip()
    active = {"VIRTUAL_ENV": str(ENVIRONMENT), "PATH": f"{ENVIRONMENT}/bin:{path}"}
    return {**UV_ENVIRONMENT, **active}
