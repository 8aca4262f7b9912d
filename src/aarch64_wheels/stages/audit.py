"""Stage 4: the gate. Only a wheel whose content keeps what its name promises gets out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.audit import AuditResult, Finding, Level, audit_wheel
from aarch64_wheels.audit.archive import read_wheel
from aarch64_wheels.audit.platforms import Platform
from aarch64_wheels.errors import StageError
from aarch64_wheels.native.provenance import made_by, trace
from aarch64_wheels.sharing import installable, is_pure
from aarch64_wheels.stages.job import REPAIRED
from aarch64_wheels.stages.listing import only_wheel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.provenance import Call
    from aarch64_wheels.report.model import ObjectRecord, WheelRecord
    from aarch64_wheels.stages.job import Job


@dataclass(frozen=True, kw_only=True)
class Audited:
    """A wheel that has come through: on this host, where no code of the project can reach it.

    Attributes:
        path: the file. policy: the best that its content meets.
        objects: what compiled each ELF file in it.
    """

    path: Path
    policy: str
    objects: tuple[ObjectRecord, ...]


def audit_repaired(
    session: Session, job: Job, scratch: Path, policy: str, calls: Sequence[Call] | None = None
) -> Audited:
    """Copy the repaired wheel out, and audit it on this host.

    Args:
        session: the container.
        job: what is built.
        scratch: an empty directory of this host.
        policy: the platform tag that the wheel was to be repaired to. Of anything else (`auto`,
            nothing) the wheel need only keep what it claims itself.
        calls: the recorded compiler calls, None where there is no record.

    Raises:
        StageError: the wheel is refused.
    """
    with job.wheelhouse.writing():
        path = only_wheel(session.copy_out(REPAIRED, scratch))
    is_asked = Platform.parse(policy) is not None and not is_pure(path.name)
    result = audit_wheel(path, plat=policy if is_asked else None)
    for finding in result.findings:
        job.sink(f"audit: {finding.level}: {_words(finding)}")
    _refuse_bad(result)
    _refuse_other_interpreter(result, job)
    return Audited(path=path, policy=result.policy, objects=_objects(path, calls))


def keep_audited(job: Job, audited: Audited) -> WheelRecord:
    """Put a finished wheel into the output directory.

    Raises:
        StageError: it cannot be written; the output directory is as it was.
    """
    with job.wheelhouse.writing():
        record, is_this = job.wheelhouse.keep(audited.path, audited.policy, audited.objects)
    if not is_this:
        name = audited.path.name
        job.sink(f"audit: {name} was made for another target already; that one is kept")
    return record


def _objects(path: Path, calls: Sequence[Call] | None) -> tuple[ObjectRecord, ...]:
    """Say what compiled each ELF file of a wheel: without a record, the image's own compiler."""
    members = read_wheel(path).elfs
    # auditwheel puts the libraries it takes from the image into a directory of such a name.
    grafted = [name for name in members if PurePosixPath(name).parent.name.endswith(".libs")]
    own = [name for name in members if name not in grafted]
    of_image = made_by(grafted, "image")
    if calls is None:
        return (*made_by(own, "gcc"), *of_image)
    return (*trace(calls, own, native="clang", fallback="gcc"), *of_image)


def _words(finding: Finding) -> str:
    evidence = f" ({finding.evidence})" if finding.evidence else ""
    return f"{finding.check}: {finding.message}{evidence}"


def _refuse_bad(result: AuditResult) -> None:
    errors = [_words(finding) for finding in result.findings if finding.level is Level.ERROR]
    if errors:
        raise StageError(f"the audit refuses {result.filename}", found="; ".join(errors))


def _refuse_other_interpreter(result: AuditResult, job: Job) -> None:
    allowed = installable(job.target.interpreter)
    if not any(tuple(tag.split("-")[:2]) in allowed for tag in result.tags):
        raise StageError(
            f"{result.filename} is not for {job.target.identifier}",
            found=", ".join(result.tags),
            hint="look at how the project's build chooses its tag",
        )
