"""The project's files, as every container of a target gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.engine.archive import digest
from aarch64_wheels.native.places import PROJECT
from aarch64_wheels.source.project import GIT

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.stages.job import Job


def place_project(session: Session, job: Job) -> None:
    """Copy the project into a container, with its git data if these are kept elsewhere."""
    session.copy_in(job.source, PROJECT, exclude=job.left_out)
    if job.git_data is not None:
        session.copy_in(job.git_data, PROJECT / GIT)


def project_digest(job: Job) -> str:
    """Give a digest of all that `place_project` copies."""
    own = digest(job.source, job.left_out)
    return own if job.git_data is None else f"{own} {digest(job.git_data, name=GIT)}"
