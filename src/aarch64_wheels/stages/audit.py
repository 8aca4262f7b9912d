"""Stage 4: the gate. Only a wheel whose content keeps what its name promises gets out."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from packaging.tags import compatible_tags, cpython_tags, generic_tags

from aarch64_wheels.audit import AuditResult, Finding, Level, audit_wheel
from aarch64_wheels.audit.archive import read_wheel
from aarch64_wheels.errors import StageError
from aarch64_wheels.native.provenance import made_by, trace
from aarch64_wheels.stages.job import REPAIRED
from aarch64_wheels.stages.listing import only_wheel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.provenance import Call
    from aarch64_wheels.plan import Interpreter
    from aarch64_wheels.report.model import ObjectRecord, WheelRecord
    from aarch64_wheels.stages.job import Job


def audit_repaired(session: Session, job: Job, calls: Sequence[Call] | None = None) -> WheelRecord:
    """Copy the repaired wheel out, audit it on this host, and put it into the output directory.

    Args:
        session: the container.
        job: what is built.
        calls: the recorded compiler calls, None where there is no record.

    Raises:
        StageError: the wheel is refused; the output directory is as it was.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".audit-", dir=job.wheelhouse.directory) as scratch:
            path = only_wheel(session.copy_out(REPAIRED, Path(scratch)))
            result, objects = _audit(job, path), _objects(path, calls)
            return replace(_keep(job, path, result), objects=objects)
    except OSError as error:
        raise StageError(
            f"cannot write the wheel to {job.wheelhouse.directory}",
            found=error.strerror or str(error),
            hint="free some disk space there, or choose another --output-dir",
        ) from error


def _audit(job: Job, path: Path) -> AuditResult:
    result = audit_wheel(path, plat=job.target.image.policy or None)
    for finding in result.findings:
        job.sink(f"audit: {finding.level}: {_words(finding)}")
    _refuse_bad(result)
    _refuse_other_interpreter(result, job)
    return result


def _keep(job: Job, path: Path, result: AuditResult) -> WheelRecord:
    record, is_this = job.wheelhouse.keep(path, result.policy)
    if not is_this:
        job.sink(f"audit: {path.name} was made for another target already; that one is kept")
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
    installable = _installable(job.target.interpreter)
    if not any(tuple(tag.split("-")[:2]) in installable for tag in result.tags):
        raise StageError(
            f"{result.filename} is not for {job.target.identifier}",
            found=", ".join(result.tags),
            hint="look at how the project's build chooses its tag",
        )


def _installable(interpreter: Interpreter) -> set[tuple[str, str]]:
    """Give the pairs of interpreter and ABI that the target installs (PEP 425, abi3 included)."""
    name, abi = interpreter.directory.split("-", 1)
    version = tuple(int(part) for part in interpreter.version.split("."))
    if name.startswith("cp"):
        own = cpython_tags(version, [abi], ["any"])
    else:
        own = generic_tags(name, [abi], ["any"])
    return {(tag.interpreter, tag.abi) for tag in (*own, *compatible_tags(version, name, ["any"]))}
