"""Stage 1: the project in the container, and an environment with what its build requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.errors import CommandError
from aarch64_wheels.native.backend import NotNative, first_choice, second_choice
from aarch64_wheels.native.placement import place_identity
from aarch64_wheels.stages.activation import active_environment
from aarch64_wheels.stages.hooks import NOT_STARTED, Prepared, call_hook
from aarch64_wheels.stages.job import BUILT, ENVIRONMENT, PROJECT, Job
from aarch64_wheels.stages.requirements import Requirements

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.backend import BackendOutcome, BackendSetup
    from aarch64_wheels.native.facts import Facts

_REQUIRES = "get_requires_for_build_wheel"


def prepare_environment(session: Session, job: Job, setup: BackendSetup) -> Prepared:
    """Copy the project in and make its build environment (PEP 518), without the backend's wheel.

    Raises:
        NotNative: the backend is to run natively, and cannot.
        StageError: a build requirement cannot be installed, or the backend does not start.
    """
    outcome = first_choice(job.plan, setup)
    facts = setup.facts.facts(session, job.target.interpreter)
    place_identity(session, facts)
    if not outcome.is_native:
        return _prepare(session, job, setup, facts, outcome)
    try:
        return _prepare(session, job, setup, facts, outcome)
    except NotNative as refusal:
        prepared = _prepared(job, setup, facts, outcome)
        return prepare_emulated(session, job, setup, prepared, refusal)


def prepare_emulated(
    session: Session, job: Job, setup: BackendSetup, prepared: Prepared, refusal: NotNative
) -> Prepared:
    """Start anew with the emulated backend, without a trace of the native one.

    Raises:
        NotNative: `--backend native` does not allow it.
        StageError: see `prepare_environment`.
    """
    outcome = second_choice(job.plan, refusal)
    job.sink(f"the build backend runs under emulation: {refusal.reason}")
    session.run(["rm", "-rf", ENVIRONMENT, PROJECT, BUILT], sink=job.sink)
    return _prepare(session, job, setup, prepared.facts, outcome)


def _prepare(
    session: Session, job: Job, setup: BackendSetup, facts: Facts, outcome: BackendOutcome
) -> Prepared:
    prepared = _prepared(job, setup, facts, outcome)
    requirements = Requirements(
        session=session, job=job, setup=setup, facts=facts, native=outcome.is_native
    )
    is_kept = requirements.prepare()
    session.copy_in(job.source, PROJECT, exclude=job.left_out)
    try:
        more = call_hook(session, job, prepared, _REQUIRES)
    except CommandError as error:
        if not is_kept or error.status not in NOT_STARTED:
            raise
        requirements.make_anew(error)  # nothing of the project has run yet
        more = call_hook(session, job, prepared, _REQUIRES)
    requirements.install(more)
    return prepared


def _prepared(job: Job, setup: BackendSetup, facts: Facts, outcome: BackendOutcome) -> Prepared:
    variables = active_environment(
        job.plan, facts.image_path, identity=outcome.is_native, parallel=setup.parallel
    )
    return Prepared(outcome=outcome, facts=facts, variables=variables)
