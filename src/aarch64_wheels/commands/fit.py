"""Before anything is built: whether the machine is fit for the plan, its engine made ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.disk import check_space
from aarch64_wheels.emulation.providers import ensure_emulation
from aarch64_wheels.engine.kept import remove_kept
from aarch64_wheels.engine.sweep import sweep
from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.hostengine.engine import HostEngine
from aarch64_wheels.machine import is_arm64, is_x86_64
from aarch64_wheels.settings.modes import explain_mode
from aarch64_wheels.settings.schema import Mode

if TYPE_CHECKING:
    from aarch64_wheels.commands.inputs import Host
    from aarch64_wheels.engine.api import LineSink
    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.plan import Plan
    from aarch64_wheels.settings.schema import Settings


def make_fit(
    plan: Plan, settings: Settings, host: Host, engine: Engine | HostEngine, note: LineSink
) -> None:
    """Check what a build needs, and tidy up after runs that were killed.

    Args:
        plan: what is built.
        settings: of the run.
        host: this machine.
        engine: where it is built.
        note: told the engine, the mode and why, and what is removed.

    Raises:
        UsageError: containers cannot use the configured package index.
        UnfitError: no space, no emulation, or an engine on a machine of another kind.
    """
    note(f"engine: {engine}")
    note(f"mode: {explain_mode(settings.mode, plan.mode, host.machine, host.system)}")
    _check_indexes(plan, host, note)
    if isinstance(engine, HostEngine):
        engine.check_space(settings.output_dir)
    else:
        _make_engine_fit(plan, settings, engine, note)


def is_emulated(engine: Engine | HostEngine) -> bool:
    """Ask the engine, which may be on another machine: its architecture counts."""
    return not is_arm64(engine.architecture)


def _make_engine_fit(plan: Plan, settings: Settings, engine: Engine, note: LineSink) -> None:
    check_space(
        engine,
        output_dir=settings.output_dir,
        cache_dir=settings.cache_dir,
        embedded=any(image.embedded for image in plan.images),
    )
    for name in sweep(engine, note):
        note(f"removed {name}, left by a run that was killed")
    remove_kept(engine)
    if is_emulated(engine):
        _emulate(plan, engine, note)


def _check_indexes(plan: Plan, host: Host, note: LineSink) -> None:
    """Refuse to take from the public index what the host's settings take from elsewhere."""
    index = host.index
    if plan.build_requires and (index.no_index or index.unusable_main):
        raise UsageError(
            "containers cannot use the configured package index for build requirements",
            found=f"no index is allowed by {index.no_index}"
            if index.no_index
            else f"{index.unusable_main} is no http or https URL",
            hint="set PIP_INDEX_URL to an index that answers by http or https",
        )
    for url in index.dropped:
        note(f"not passed to containers: the index {url} (no http or https URL)")


def _emulate(plan: Plan, engine: Engine, note: LineSink) -> None:
    if plan.mode is Mode.NATIVE:
        raise UnfitError(
            "mode native needs an engine on an arm64 machine",
            found=f"{engine} on {engine.architecture}",
            hint="use --mode emulated, or an engine on arm64 (DOCKER_HOST)",
        )
    if plan.mode is Mode.ACCELERATED and not is_x86_64(engine.architecture):
        raise UnfitError(
            "mode accelerated needs an engine on an x86-64 machine",
            found=f"{engine} on {engine.architecture}",
            hint="use --mode emulated, or an engine on x86-64 (DOCKER_HOST)",
        )
    ensure_emulation(engine, fix=False, sink=note)
