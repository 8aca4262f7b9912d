"""The project's files, as every container of a target gets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.engine.archive import digest
from aarch64_wheels.gitfiles import GIT
from aarch64_wheels.native.places import PROJECT

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path, PurePosixPath

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.stages.job import Job


def place_project(session: Session, job: Job) -> None:
    """Copy the project into a container, with its git data if these are kept elsewhere."""
    session.copy_in(job.source, PROJECT, exclude=job.left_out)
    if job.git_data is not None:
        session.copy_in(job.git_data, PROJECT / GIT)


def project_digest(
    root: Path, package: PurePosixPath, left_out: Collection[Path], git_data: Path | None
) -> str:
    """Give a digest of all that `place_project` copies, and of which package in it is built.

    Args:
        root: the project's directory.
        package: relative to it.
        left_out: what of it is not copied.
        git_data: stands for its `.git`, None where its own will do.

    Raises:
        UsageError: something cannot be read.
    """
    git = digest(git_data, name=GIT) if git_data is not None else ""
    return " ".join((digest(root, left_out), git, str(package)))
