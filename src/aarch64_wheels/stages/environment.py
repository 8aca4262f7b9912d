"""Stage 1: the project in the container, and an environment with what its build requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.native.placement import place_identity
from aarch64_wheels.stages.activation import active_environment
from aarch64_wheels.stages.hooks import Prepared, call_hook
from aarch64_wheels.stages.job import PROJECT, Job
from aarch64_wheels.stages.requirements import Requirements

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.backend import BackendOutcome, BackendSetup

_REQUIRES = "get_requires_for_build_wheel"


def prepare_environment(
    session: Session, job: Job, setup: BackendSetup, outcome: BackendOutcome
) -> Prepared:
    """Copy the project in and make its build environment (PEP 518), without the backend's wheel.

    Args:
        session: a container in which no code of the project has run.
        job: what is built.
        setup: what the backend may be run with.
        outcome: how it is to run.

    Raises:
        NotNative: the backend cannot run natively.
        StageError: a build requirement cannot be installed, or the backend does not start.
    """
    facts = setup.facts.facts(session, job.target.interpreter)
    place_identity(session, facts)
    variables = active_environment(
        job.plan, facts.image_path, identity=outcome.is_native, parallel=setup.parallel
    )
    prepared = Prepared(outcome=outcome, facts=facts, variables=variables)
    requirements = Requirements(
        session=session, job=job, setup=setup, facts=facts, native=outcome.is_native
    )
    # Other projects' builds use what is kept, so it is kept before this project can touch it.
    requirements.prepare()
    session.copy_in(job.source, PROJECT, exclude=job.left_out)
    requirements.add(call_hook(session, job, prepared, _REQUIRES))
    return prepared
