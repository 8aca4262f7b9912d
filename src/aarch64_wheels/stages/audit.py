"""Stage 4: the gate. Only a wheel whose content keeps what its name promises gets out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.audit import AuditResult, Finding, Level
from aarch64_wheels.audit.archive import BROKEN
from aarch64_wheels.audit.catalogue import Levels
from aarch64_wheels.audit.check import audit_wheel
from aarch64_wheels.audit.platforms import Platform
from aarch64_wheels.bill import Compilers, added_to, describe
from aarch64_wheels.errors import StageError
from aarch64_wheels.repack import repack
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


class RefusedError(StageError):
    """The audit refuses a wheel, for its `findings`."""

    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Audited:
    """A wheel that has come through: on this host, where no code of the project can reach it.

    Attributes:
        path: the file. result: what the audit says of it.
        objects: what compiled each ELF file in it.
    """

    path: Path
    result: AuditResult
    objects: tuple[ObjectRecord, ...]


def audit_repaired(
    session: Session, job: Job, scratch: Path, policy: str, calls: Sequence[Call] | None = None
) -> Audited:
    """Copy the repaired wheel out, audit it on this host, and put it into its final form.

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
    levels = Levels.parse(job.plan.audit_levels)
    result = audit_wheel(path, plat=policy if is_asked else None, levels=levels)
    for finding in result.findings:
        job.sink(f"audit: {finding.level}: {finding.check}: {finding.words}")
    _refuse_bad(result)
    _refuse_other_interpreter(result, job)
    return Audited(path=path, result=result, objects=_finish(job, path, result, calls))


def keep_audited(job: Job, audited: Audited) -> WheelRecord:
    """Put a finished wheel into the output directory.

    Raises:
        StageError: it cannot be written; the output directory is as it was.
    """
    with job.wheelhouse.writing():
        record, is_this = job.wheelhouse.keep(audited.path, audited.result, audited.objects)
    if not is_this:
        name = audited.path.name
        job.sink(f"audit: {name} was made for another target already; that one is kept")
    return record


def _finish(
    job: Job, path: Path, result: AuditResult, calls: Sequence[Call] | None
) -> tuple[ObjectRecord, ...]:
    """Write the wheel anew: always the same bytes for the same content, and with its bill.

    Not before the audit: what is wrong with the archive that a project's own repair has made
    would be gone.
    """
    origin = job.origin
    objects = describe(path, result.objects, calls, origin.compilers if origin else Compilers())
    epoch = job.plan.source_date_epoch
    with job.wheelhouse.writing():
        try:
            bill = added_to(path, objects, origin, epoch) if origin else {}
            repack(path, path, epoch=epoch, added=bill)
        except BROKEN as error:
            raise StageError(
                f"{path.name} cannot be packed",
                found=str(error) or type(error).__name__,
                hint="mend what packs the wheel; no level of a check lets such an archive out",
            ) from error
    return objects


def _refuse_bad(result: AuditResult) -> None:
    errors = [row for row in result.findings if row.level is Level.ERROR]
    if errors:
        found = "; ".join(f"{row.check}: {row.words}" for row in errors)
        hint = f"`aarch64-wheels audit --explain {errors[0].check}` says what to do"
        refusal = RefusedError(f"the audit refuses {result.filename}", found=found, hint=hint)
        refusal.findings = result.findings
        raise refusal


def _refuse_other_interpreter(result: AuditResult, job: Job) -> None:
    allowed = installable(job.target.interpreter)
    if not any(tuple(tag.split("-")[:2]) in allowed for tag in result.tags):
        raise StageError(
            f"{result.filename} is not for {job.target.identifier}",
            found=", ".join(result.tags),
            hint="look at how the project's build chooses its tag",
        )
