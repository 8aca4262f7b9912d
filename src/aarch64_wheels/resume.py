"""`--resume`: which wheels of an earlier run are still what this run would make."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels import __version__
from aarch64_wheels.gitfiles import GIT
from aarch64_wheels.report.model import Basis, Status
from aarch64_wheels.stages.project import project_digest
from aarch64_wheels.wheelhouse import LOGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from aarch64_wheels.plan import Plan, Target
    from aarch64_wheels.report.model import TargetRecord
    from aarch64_wheels.source import Source
    from aarch64_wheels.stages.job import Given
    from aarch64_wheels.wheelhouse import Wheelhouse


def basis_of(plan: Plan, target: Target, given: Given, source: str, image_id: str) -> Basis:
    """Say what a target's wheel depends on.

    Args:
        plan: how it is built.
        target: with the project's options for it.
        given: what the host adds to these; hashed alone, for it may hold what is private.
        source: a digest of what is built.
        image_id: of the image it is built in.
    """
    parts = [
        *(__version__, plan.mode, plan.backend, plan.compiler, plan.build_requires),
        *(asdict(target.options), asdict(given), target.test_skipped),
        *(plan.strip, plan.audit_levels, plan.source_date_epoch),
        plan.test_image.reference if plan.test_image else "",
    ]
    settings = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return Basis(source=source, settings=settings, image=image_id)


def files_digest(source: Source, left_out: Collection[Path]) -> str:
    """Give a SHA-256 of a source: the sdist's, or one over all files and which package of them.

    Args:
        source: what is built.
        left_out: what of it is not copied.

    Raises:
        UsageError: a file of it cannot be read.
    """
    return source.sha256 or _digest(source, left_out, source.git_data)


def content_digest(source: Source, left_out: Collection[Path]) -> str:
    """Give the SHA-256 that wheels and reports tell of a source: the same for every clone of it.

    Unlike `files_digest` it leaves out git's data. A branch or a tag more, which another clone may
    have, can change a version, and so what is resumed; but it is nothing that a wheel is made of.

    Args:
        source: what is built.
        left_out: what of it is not copied.

    Raises:
        UsageError: a file of it cannot be read.
    """
    if source.sha256:
        return source.sha256
    unversioned = (*left_out, *_git_places(source.root.resolve()))
    return _digest(source, unversioned, None)


def _digest(source: Source, left_out: Collection[Path], git_data: Path | None) -> str:
    files = project_digest(source.root, source.package, left_out, git_data)
    return hashlib.sha256(files.encode()).hexdigest()


def _git_places(root: Path) -> Iterator[Path]:
    """Find git's data, of submodules too; a link of that name is a file like any other."""
    for top, directories, names in os.walk(root):
        if GIT in directories or GIT in names:
            place = Path(top, GIT)
            if not place.is_symlink():
                yield place
        directories[:] = [name for name in directories if name != GIT]


def source_digest(files: str, *, by_sdist: bool) -> str:
    """Give a digest of what wheels are made from, and how.

    Args:
        files: digest of the source.
        by_sdist: wheels are built from the sdist that is made of it.
    """
    return hashlib.sha256(f"{files}\n{by_sdist}".encode()).hexdigest()


def still_good(
    wheelhouse: Wheelhouse, wanted: Mapping[str, Basis]
) -> tuple[dict[str, TargetRecord], list[str]]:
    """Find the targets that an earlier run has finished, as this one would.

    Args:
        wheelhouse: holds the wheels, and records of them.
        wanted: what this run's targets depend on, by their identifiers.

    Returns:
        The records, by identifier, and for each other target why it is built again.
    """
    earlier = wheelhouse.earlier()
    found: dict[str, TargetRecord] = {}
    reasons = []
    for identifier, basis in wanted.items():
        record = earlier.get(identifier)
        if record is None or record.wheel is None or record.status is not Status.OK:
            continue  # it is missing: that is what a resumed run is for
        if why := _changed(record, basis) or wheelhouse.lacks(record.wheel):
            reasons.append(f"{identifier} is built again: {why}")
        else:
            log = f"{LOGS}/{identifier}.log"
            found[identifier] = replace(record, resumed=True, log=log)
    return found, reasons


def _changed(record: TargetRecord, basis: Basis) -> str:
    before = record.basis
    if before is None:
        return "nothing says what it was made from"
    rows = {
        "the source has changed": before.source != basis.source,
        "its settings have changed": before.settings != basis.settings,
        "the image has changed": before.image != basis.image,
    }
    return " and ".join(words for words, is_so in rows.items() if is_so)
