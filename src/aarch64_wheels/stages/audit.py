"""Stage 4: the gate. Only a wheel whose content keeps what its name promises gets out."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.audit import AuditResult, Finding, Level, audit_wheel
from aarch64_wheels.errors import StageError
from aarch64_wheels.report.model import WheelRecord

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.stages.job import Job


def audit_repaired(session: Session, job: Job, repaired: PurePosixPath) -> WheelRecord:
    """Copy the repaired wheel out, audit it on this host, and put it into the output directory.

    Raises:
        StageError: the wheel is refused; the output directory is as it was.
    """
    with tempfile.TemporaryDirectory(prefix=".audit-", dir=job.output_dir) as scratch:
        (path,) = session.copy_out(repaired.parent, Path(scratch))
        result = audit_wheel(path, plat=job.plan.image.policy or None)
        for finding in result.findings:
            job.sink(f"audit: {finding.level}: {_words(finding)}")
        _refuse_bad(result)
        _refuse_other_interpreter(result, job)
        return _keep(path, result, job.output_dir)


def _words(finding: Finding) -> str:
    evidence = f" ({finding.evidence})" if finding.evidence else ""
    return f"{finding.check}: {finding.message}{evidence}"


def _refuse_bad(result: AuditResult) -> None:
    errors = [_words(finding) for finding in result.findings if finding.level is Level.ERROR]
    if errors:
        raise StageError(f"the audit refuses {result.filename}", found="; ".join(errors))


def _refuse_other_interpreter(result: AuditResult, job: Job) -> None:
    if not any(_fits(tag, job.target.interpreter.directory) for tag in result.tags):
        raise StageError(
            f"{result.filename} is not for {job.target.identifier}",
            found=", ".join(result.tags),
            hint="look at how the project's build chooses its tag",
        )


def _fits(tag: str, directory: str) -> bool:
    """Compare with a directory below /opt/python: those are named as their wheels are tagged."""
    interpreter, abi, _ = tag.split("-", 2)
    return f"{interpreter}-{abi}" == directory or abi == "abi3" or interpreter.startswith("py")


def _keep(path: Path, result: AuditResult, output_dir: Path) -> WheelRecord:
    content = path.read_bytes()
    path.replace(output_dir / path.name)
    return WheelRecord(
        filename=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        policy=result.policy,
    )
