"""Stage 3: auditwheel grafts the libraries that the policy does not promise, and sets the tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.sharing import is_pure
from aarch64_wheels.stages.before import command_variables, run_command
from aarch64_wheels.stages.job import REPAIRED, Job

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Session

#: What cibuildwheel does unless told otherwise: a project that says so gets ours, which names
#: the policy, too.
_USUAL = ("", "auditwheel repair -w {dest_dir} {wheel}")


def repair_wheel(session: Session, job: Job, wheel: PurePosixPath, image_path: str) -> None:
    """Repair a wheel to the image's policy (PEP 600, PEP 656); the result is below `REPAIRED`.

    A pure Python wheel is left as it is. Without a policy for the image, auditwheel takes what
    the image itself names (`AUDITWHEEL_PLAT`), or the best the wheel is good for.

    Raises:
        StageError: the wheel cannot be made to meet the policy.
    """
    command = job.target.options.repair_wheel_command
    if is_pure(wheel.name):
        _leave(session, job, wheel)
    elif command.strip() in _USUAL:
        plat = ("--plat", job.target.image.policy) if job.target.image.policy else ()
        argv = ("auditwheel", "repair", *plat, "--wheel-dir", REPAIRED, wheel)
        # LD_LIBRARY_PATH among them says where the project has put its libraries.
        session.run(argv, sink=job.sink, env=command_variables(session, job, image_path))
    else:
        session.run(["mkdir", "-p", REPAIRED], sink=job.sink)
        run_command(session, job, command, image_path, wheel=wheel, dest_dir=REPAIRED)


def _leave(session: Session, job: Job, wheel: PurePosixPath) -> None:
    job.sink(f"{wheel.name} is pure Python: nothing to repair, and no platform tag")
    session.run(["mkdir", "-p", REPAIRED], sink=job.sink)
    session.run(["cp", wheel, REPAIRED], sink=job.sink)
