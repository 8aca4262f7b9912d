"""Stage 2: the wheel, made by the project's own build backend (PEP 517)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.audit.archive import MAX_CONTENT
from aarch64_wheels.errors import StageError
from aarch64_wheels.native.backend import NotNative, any_failed
from aarch64_wheels.native.wheelcheck import check_wheel
from aarch64_wheels.sharing import is_pure
from aarch64_wheels.stages.hooks import Prepared, call_hook, last_calls
from aarch64_wheels.stages.job import BUILT, Job

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Session


#: Linux's NAME_MAX, in bytes.
_MAX_NAME = 255


def build_wheel(session: Session, job: Job, prepared: Prepared) -> PurePosixPath:
    """Build the wheel in the environment that stage 1 has made; gives its place.

    Raises:
        NotNative: the native backend failed for a reason that may not be the code's own.
        StageError: the backend failed, or made no wheel.
    """
    name: str = call_hook(session, job, prepared, "build_wheel", BUILT)
    if not is_file_name(name, ".whl"):
        raise StageError("the build backend made no wheel", found=repr(name))
    if prepared.outcome.is_native:
        _check(session, prepared, name)
    return BUILT / name


def is_file_name(name: object, suffix: str) -> bool:
    """Tell whether a file can have it, in one directory of container and host."""
    if not isinstance(name, str) or not name.endswith(suffix) or "/" in name:
        return False
    # Neither NUL, which no path holds, nor a lone surrogate, which cannot be encoded.
    return name.isprintable() and len(name.encode()) <= _MAX_NAME


def _check(session: Session, prepared: Prepared, name: str) -> None:
    """See that a wheel made natively is the target's.

    Raises:
        NotNative: it is not.
    """
    if is_pure(name):
        _see_nothing_failed(session, name)
        return
    with tempfile.TemporaryDirectory(prefix="aarch64-wheels-") as scratch:
        wheel = Path(scratch) / name
        session.copy_file(BUILT / name, wheel, MAX_CONTENT)
        findings = check_wheel(wheel, prepared.facts)
    if findings:
        raise NotNative(f"the wheel made natively is not the target's: {'; '.join(findings[:3])}")


def _see_nothing_failed(session: Session, name: str) -> None:
    """See that a wheel without compiled code is meant so: the code may be optional.

    Raises:
        NotNative: a compiler call has failed, which may do better under emulation.
    """
    if any_failed(last_calls(session)):
        raise NotNative(f"it made a wheel without compiled code, and calls failed: {name}")
