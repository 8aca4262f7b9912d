"""Stage 3: auditwheel grafts the libraries that the policy does not promise, and sets the tag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.stages.job import REPAIRED, Job

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Session


def repair_wheel(session: Session, job: Job, wheel: PurePosixPath) -> None:
    """Repair a wheel to the image's policy (PEP 600, PEP 656); the result is below `REPAIRED`.

    Without a policy for the image, auditwheel takes what the image itself names
    (`AUDITWHEEL_PLAT`), or the best the wheel is good for.

    Raises:
        StageError: the wheel cannot be made to meet the policy.
    """
    plat = ("--plat", job.target.image.policy) if job.target.image.policy else ()
    session.run(("auditwheel", "repair", *plat, "--wheel-dir", REPAIRED, wheel), sink=job.sink)
