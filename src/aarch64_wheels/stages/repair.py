"""Stage 3: auditwheel grafts the libraries that the policy does not promise, and sets the tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.native.places import REPAIR
from aarch64_wheels.settings.schema import Mode
from aarch64_wheels.sharing import is_pure
from aarch64_wheels.stages.before import command_variables, run_shell
from aarch64_wheels.stages.job import REPAIRED, Job

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Session

#: What cibuildwheel does unless told otherwise: a project that says so gets ours, which names
#: the policy, too.
_USUAL = ("", "auditwheel repair -w {dest_dir} {wheel}")
#: auditwheel's own variable for what `--plat` says: images set it, and projects may.
_PLAT = "AUDITWHEEL_PLAT"


def repair_wheel(session: Session, job: Job, wheel: PurePosixPath, image_path: str) -> str:
    """Repair a wheel to a policy (PEP 600, PEP 656); the result is below `REPAIRED`.

    The policy is the image's, unless the project's variables name another. A pure Python wheel
    is left as it is. Without a policy for the image, auditwheel takes what the variables or the
    image itself name, or the best the wheel is good for. A command of the project's own chooses
    by itself, as under cibuildwheel.

    Returns:
        What the wheel is to be good for: a platform tag, `auto`, or nothing but what it claims.

    Raises:
        StageError: the wheel cannot be made to meet the policy.
    """
    if is_pure(wheel.name):
        _leave(session, job, wheel)
        return ""
    # LD_LIBRARY_PATH among them says where the project has put its libraries.
    variables = command_variables(session, job, image_path)
    command = job.target.options.repair_wheel_command
    if command.strip() not in _USUAL:
        if job.plan.strip:
            job.sink("`strip` has no effect: the project repairs by a command of its own")
        session.run(["mkdir", "-p", REPAIRED], sink=job.sink)
        run_shell(session, job, command, variables, wheel=wheel, dest_dir=REPAIRED)
        return ""
    policy = _policy(job, variables)
    plat = ("--plat", policy) if policy else ()
    strip = ("--strip",) if job.plan.strip else ()
    argv = (*_program(job.plan.mode), *plat, *strip, "--wheel-dir", REPAIRED, wheel)
    session.run(argv, sink=job.sink, env=variables)
    return policy


def _program(mode: Mode) -> tuple[str, ...]:
    """Choose what repairs.

    The native auditwheel is always the same one, on a machine that is not the wheel's: its library
    is called. Elsewhere it is the image's own, of any version, and its library changes from one
    to the next, where its command does not.
    """
    return (REPAIR,) if mode is Mode.ACCELERATED else ("auditwheel", "repair")


def _policy(job: Job, variables: Mapping[str, str]) -> str:
    """Choose the policy; of an image without one nothing is known, and auditwheel asks itself."""
    own = job.target.image.policy
    return own and (variables.get(_PLAT) or own)


def _leave(session: Session, job: Job, wheel: PurePosixPath) -> None:
    job.sink(f"{wheel.name} is pure Python: nothing to repair, and no platform tag")
    session.run(["mkdir", "-p", REPAIRED], sink=job.sink)
    session.run(["cp", wheel, REPAIRED], sink=job.sink)
