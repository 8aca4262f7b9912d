"""Not a stage of a target: the sdist, made once by the project's own build backend (PEP 517)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError
from aarch64_wheels.native.places import WORK
from aarch64_wheels.source.members import Limits
from aarch64_wheels.stages.build import is_file_name
from aarch64_wheels.stages.environment import SDIST_REQUIRES, prepare_environment
from aarch64_wheels.stages.hooks import call_hook

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.backend import BackendOutcome, BackendSetup
    from aarch64_wheels.stages.job import Job

_MADE = WORK / "sdist"
#: PEP 625.
_SUFFIX = ".tar.gz"


def build_sdist(
    session: Session,
    job: Job,
    setup: BackendSetup,
    outcome: BackendOutcome,
    directory: Path,
    *,
    is_placed: bool = False,
) -> Path:
    """Build the sdist and copy it to `directory`; gives its path.

    Args:
        session: a container in which no code of the project has run.
        job: whose project it is.
        setup: what the backend may be run with.
        outcome: how it is to run.
        directory: of this host; it is there.
        is_placed: the project is in the image already.

    Raises:
        NotNative: the native backend failed for a reason that may not be the project's own.
        StageError: the backend failed, or made no sdist.
    """
    prepared = prepare_environment(
        session, job, setup, outcome, SDIST_REQUIRES, is_placed=is_placed
    )
    name = call_hook(session, job, prepared, "build_sdist", _MADE)
    if not is_file_name(name, _SUFFIX):
        raise StageError("the build backend made no sdist", found=repr(name))
    session.copy_file(_MADE / name, directory / name, Limits().size)
    return directory / str(name)
