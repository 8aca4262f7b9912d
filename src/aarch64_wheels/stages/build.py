"""Stage 2: the wheel, made by the project's own build backend (PEP 517)."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError
from aarch64_wheels.native.backend import BackendOutcome, NotNative
from aarch64_wheels.native.wheelcheck import check_wheel
from aarch64_wheels.stages.environment import prepare_emulated
from aarch64_wheels.stages.hooks import Prepared, call_hook
from aarch64_wheels.stages.job import BUILT, Job

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.backend import BackendSetup


_PURE = "-none-any.whl"


@dataclass(frozen=True, kw_only=True)
class Built:
    """A wheel in the container, and who made it."""

    wheel: PurePosixPath
    outcome: BackendOutcome


def build_wheel(session: Session, job: Job, setup: BackendSetup, prepared: Prepared) -> Built:
    """Build the wheel in the environment that stage 1 has made.

    Where the native backend fails for a reason that is not the code's own, the emulated one of
    the same container does it again from the start.

    Raises:
        NotNative: it failed natively, and is to be native and nothing else.
        StageError: the backend failed, or made no wheel, or one without compiled code.
    """
    try:
        wheel = _build(session, job, prepared)
    except NotNative as refusal:
        prepared = prepare_emulated(session, job, setup, prepared, refusal)
        wheel = _build(session, job, prepared)
    return Built(wheel=wheel, outcome=prepared.outcome)


def _build(session: Session, job: Job, prepared: Prepared) -> PurePosixPath:
    name = call_hook(session, job, prepared, "build_wheel", BUILT)
    if not isinstance(name, str) or not name.endswith(".whl") or "/" in name:
        raise StageError("the build backend made no wheel", found=repr(name))
    if prepared.outcome.is_native:
        _check(session, prepared, name)
    if name.endswith(_PURE):
        raise StageError(
            f"{name} is a pure Python wheel: it holds no compiled code",
            hint="such a wheel is built once, on any machine, with `python -m build`",
        )
    return BUILT / name


def _check(session: Session, prepared: Prepared, name: str) -> None:
    """See that a wheel made natively is the target's.

    Raises:
        NotNative: it is not.
    """
    if name.endswith(_PURE):  # the compiled code may be optional, and have failed natively
        raise NotNative(f"it made a wheel without compiled code: {name}")
    with tempfile.TemporaryDirectory(prefix="aarch64-wheels-") as scratch:
        session.copy_out(BUILT, Path(scratch))
        findings = check_wheel(Path(scratch) / name, prepared.facts)
    if findings:
        raise NotNative(f"the wheel made natively is not the target's: {'; '.join(findings[:3])}")
