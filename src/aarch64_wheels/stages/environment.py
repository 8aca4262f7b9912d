"""Stage 1: the project in the container, and an environment with what its build requires."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError
from aarch64_wheels.native.placement import place_identity
from aarch64_wheels.native.provenance import reset_calls
from aarch64_wheels.settings.frontend import read_frontend
from aarch64_wheels.settings.schema import Mode
from aarch64_wheels.stages.activation import active_environment, own_path
from aarch64_wheels.stages.before import (
    build_variables,
    config_settings,
    own_variables,
    run_before_build,
)
from aarch64_wheels.stages.hooks import Prepared, call_hook
from aarch64_wheels.stages.installer import as_uv, mentions_installer
from aarch64_wheels.stages.job import UV_ENVIRONMENT, Job
from aarch64_wheels.stages.project import place_project
from aarch64_wheels.stages.requirements import Requirements

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.native.backend import BackendOutcome, BackendSetup

#: The hooks that tell what a build requires besides (PEP 517).
WHEEL_REQUIRES = "get_requires_for_build_wheel"
SDIST_REQUIRES = "get_requires_for_build_sdist"


def prepare_environment(
    session: Session,
    job: Job,
    setup: BackendSetup,
    outcome: BackendOutcome,
    requires: str = WHEEL_REQUIRES,
    *,
    is_placed: bool = False,
) -> Prepared:
    """Copy the project in and make its build environment (PEP 518), without the backend's wheel.

    Args:
        session: a container in which no code of the project has run, prepared by an earlier
            run or not.
        job: what is built.
        setup: what the backend may be run with.
        outcome: how it is to run.
        requires: the hook that is asked what more is needed. `before-build` runs for
            wheels, and for an sdist only where the backend needs what it installs (no isolation).
        is_placed: the project is in the image already.

    Raises:
        NotNative: the backend cannot run natively.
        StageError: a build requirement cannot be installed, or the backend does not start.
    """
    facts = setup.facts.facts(session, job.target.interpreter)
    if tells := mentions_installer(job.target.options.environment) and not is_placed:
        place_project(session, job)
    requirements = Requirements(
        session=session,
        job=job,
        setup=setup,
        facts=facts,
        native=outcome.is_native,
        variables=_said(session, job, facts.image_path),
    )
    isolated = read_frontend(job.target.options.build_frontend).is_isolated
    if session.is_prepared:
        job.sink("using the build environment kept by an earlier run")
    else:
        place_identity(session, facts)
        if isolated:
            requirements.make()
        # Other projects' builds use what is kept, so it is kept before this one can touch it.
        _keep(session, job)
    if not (is_placed or tells):
        place_project(session, job)
    if requires == WHEEL_REQUIRES or not isolated:
        run_before_build(session, job, facts.image_path)
    active = active_environment(
        job.plan,
        job.target.interpreter.python,
        facts.image_path,
        identity=outcome.is_native,
        parallel=setup.parallel,
    )
    prepared = Prepared(
        outcome=outcome,
        facts=facts,
        variables=build_variables(session, job, active),
        settings=config_settings(session, job),
    )
    if not isolated:
        return _in_the_image(session, job, prepared)
    requirements.add(call_hook(session, job, prepared, requires))
    return prepared


def _said(session: Session, job: Job, image_path: str) -> dict[str, str]:
    """Evaluate what the project tells an installer; such an environment is not kept."""
    if not mentions_installer(job.target.options.environment):
        return {}
    return as_uv(own_variables(session, job, {"PATH": image_path}))


def _in_the_image(session: Session, job: Job, prepared: Prepared) -> Prepared:
    """Run the hooks with the image's own interpreter, and what `before-build` has installed."""
    python = job.target.interpreter.python
    job.sink("`build-frontend` asks for no isolation: nothing is installed for the build")
    path = own_path(job.plan, python, prepared.facts.image_path)
    variables = build_variables(session, job, {**UV_ENVIRONMENT, "PATH": path})
    return replace(prepared, python=python, variables=variables)


def _keep(session: Session, job: Job) -> None:
    try:
        # By uv itself, which may be a native program: `rm` is the image's own.
        session.run(["uv", "cache", "clean"], sink=job.sink, env=UV_ENVIRONMENT)
        if job.plan.mode is Mode.ACCELERATED:
            reset_calls(session)  # of compiled requirements: they are no part of a wheel
        session.keep()
    except StageError as error:  # a full disk costs the next run some time, not this its wheel
        job.sink(f"the build environment is not kept for later runs: {error}")
