"""`build`: from settings to a report. The only place where all parts meet."""

from __future__ import annotations

import datetime as dt
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from aarch64_wheels import __version__
from aarch64_wheels.commands.containers import Containers
from aarch64_wheels.commands.inputs import (
    Host,
    native_system,
    open_settings_source,
    plan_source,
)
from aarch64_wheels.commands.setups import Setups
from aarch64_wheels.disk import check_output_dir, check_space
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.emulation.providers import ensure_emulation
from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.engine.images import ensure_image, interpreters_of
from aarch64_wheels.engine.kept import remove_kept
from aarch64_wheels.engine.sweep import sweep
from aarch64_wheels.errors import ExitCode, UnfitError, UsageError
from aarch64_wheels.machine import is_arm64, is_x86_64
from aarch64_wheels.native.setup import NativeTools, Preparation
from aarch64_wheels.pipeline import Pipeline
from aarch64_wheels.report.model import Report, TargetRecord
from aarch64_wheels.report.writer import write_report
from aarch64_wheels.settings.schema import Mode, Settings
from aarch64_wheels.wheelhouse import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aarch64_wheels.plan import Plan
    from aarch64_wheels.report.observer import Observer
    from aarch64_wheels.source import Source


def run_build(
    settings: Settings, environ: Mapping[str, str], observer: Observer
) -> tuple[int, Report]:
    """Build, repair and audit all targets.

    Args:
        settings: what to build and how.
        environ: the process's environment.
        observer: told what happens.

    Returns:
        The exit code (0 or 1), and the report, which has been written to the output directory.

    Raises:
        UsageError, UnfitError: nothing could be built at all.
    """
    host = Host.current(environ)
    _refuse_hostile_link(settings)
    check_output_dir(settings.output_dir)
    wheelhouse = Wheelhouse(settings.output_dir)
    wheelhouse.prepare()
    with tempfile.TemporaryDirectory(prefix="aarch64-wheels-") as scratch:
        source = open_settings_source(settings, host, Path(scratch))
        plan = plan_source(settings, source, host)
        observer.note(f"source: {source.origin}")
        engine = connect(settings.engine, environ)
        build = Build(settings=settings, host=host, engine=engine, observer=observer)
        try:
            report = build.run(plan, source, wheelhouse)
        finally:
            engine.close_all()
    write_report(report, settings.output_dir)
    observer.finished(report)
    return (ExitCode.TARGET_FAILED if report.failed else ExitCode.OK), report


def _refuse_hostile_link(settings: Settings) -> None:
    """Keep a source from choosing where on this host is written: `wheelhouse` may be a link."""
    source, output = Path(settings.source), settings.output_dir.absolute()
    if not source.is_dir():
        return
    for part in (output, *output.parents):
        if part.is_symlink() and part.parent.resolve().is_relative_to(source.resolve()):
            raise UsageError(
                f"the output directory {settings.output_dir} is a link inside the source",
                found=f"{part} leads to {part.resolve()}",
                hint="name a directory with --output-dir",
            )


@dataclass(frozen=True, kw_only=True)
class Build:
    """One run on one engine."""

    settings: Settings
    host: Host
    engine: Engine
    observer: Observer
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def run(self, plan: Plan, source: Source, wheelhouse: Wheelhouse) -> Report:
        """Make the engine fit, run the plan, and say what happened."""
        started, clock = dt.datetime.now(dt.UTC), time.monotonic()
        self._prepare_engine(plan)
        containers = self._containers(self._image(plan))
        plan = self._without_missing(plan, containers)
        tools = self._native_tools(plan, containers)
        self.observer.started(plan)
        targets = self._pipeline(plan, source, wheelhouse, containers, tools).run()
        project, version = _identity(plan, targets)
        return Report(
            targets=targets,
            tool_version=__version__,
            project=project,
            version=version,
            source=plan.source,
            source_sha256=plan.source_sha256,
            image=plan.image.reference,
            image_id=self.engine.image_id(containers.reference),
            mode=plan.mode,
            engine=str(self.engine),
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - clock, 3),
        )

    def _pipeline(
        self,
        plan: Plan,
        source: Source,
        wheelhouse: Wheelhouse,
        containers: Containers,
        tools: NativeTools | None,
    ) -> Pipeline:
        setups = Setups(
            plan=plan,
            image_id=self.engine.image_id(containers.reference),
            cache_dir=self.settings.cache_dir,
            index=self.host.index,
            reuse=not self.settings.no_cache,
            tools=tools,
            cores=self.engine.cores,
        )
        return Pipeline(
            plan=plan,
            source=source.root,
            left_out=(wheelhouse.directory.absolute(),),
            wheelhouse=wheelhouse,
            environments=setups.environments(),
            start=lambda target, keep_as: (
                containers.accelerated(plan, target, tools, keep_as)
                if tools
                else containers.plain(keep_as=keep_as)
            ),
            setup=setups.of,
            observer=self.observer,
        )

    def _native_tools(self, plan: Plan, containers: Containers) -> NativeTools | None:
        """Have native tools ready, in the mode that uses them."""
        if plan.mode is not Mode.ACCELERATED:
            return None
        cache_dir, index, note = self.settings.cache_dir, self.host.index, self.observer.note
        with native_system(plan.image.embedded, cache_dir, self.host, note) as system:
            preparation = Preparation(
                engine=self.engine,
                system=system,
                cache_dir=cache_dir,
                index=index,
                note=note,
                reuse=not self.settings.no_cache,
            )
            image_id = self.engine.image_id(containers.reference)
            return preparation.prepare(plan, image_id, containers.plain)

    def _prepare_engine(self, plan: Plan) -> None:
        self.observer.note(f"engine: {self.engine}, mode: {plan.mode}")
        check_space(
            self.engine,
            output_dir=self.settings.output_dir,
            cache_dir=self.settings.cache_dir,
            embedded=plan.image.embedded,
        )
        for name in sweep(self.engine, self.observer.note):
            self.observer.note(f"removed {name}, left by a run that was killed")
        remove_kept(self.engine)
        self._check_indexes(plan)
        if self._is_emulated():
            self._emulate(plan)

    def _check_indexes(self, plan: Plan) -> None:
        """Refuse to take from the public index what the host's settings take from elsewhere."""
        index = self.host.index
        if plan.build_requires and (index.no_index or index.unusable_main):
            raise UsageError(
                "containers cannot use the configured package index for build requirements",
                found=f"no index is allowed by {index.no_index}"
                if index.no_index
                else f"{index.unusable_main} is no http or https URL",
                hint="set PIP_INDEX_URL to an index that answers by http or https",
            )
        for url in index.dropped:
            self.observer.note(f"not passed to containers: the index {url} (no http or https URL)")

    def _is_emulated(self) -> bool:
        """Ask the engine, which may be on another machine: its architecture counts."""
        return not is_arm64(self.engine.architecture)

    def _emulate(self, plan: Plan) -> None:
        if plan.mode is Mode.NATIVE:
            raise UnfitError(
                "mode native needs an engine on an arm64 machine",
                found=f"{self.engine} on {self.engine.architecture}",
                hint="use --mode emulated, or an engine on arm64 (DOCKER_HOST)",
            )
        if plan.mode is Mode.ACCELERATED and not is_x86_64(self.engine.architecture):
            raise UnfitError(
                "mode accelerated needs an engine on an x86-64 machine",
                found=f"{self.engine} on {self.engine.architecture}",
                hint="use --mode emulated, or an engine on x86-64 (DOCKER_HOST)",
            )
        ensure_emulation(self.engine, fix=False, sink=self.observer.note)

    def _image(self, plan: Plan) -> str:
        """Have the engine hold the plan's image; gives its name there."""
        if not plan.image.embedded:
            return ensure_image(self.engine, plan.image, self.observer.note)
        kept = EmbeddedImage.of_this_version(self.settings.cache_dir, self.host.index)
        if self.settings.no_cache:
            return kept.rebuild(self.engine, self.observer.note, kept.recipe.sets)
        return kept.ensure(self.engine, self.observer.note)

    def _without_missing(self, plan: Plan, containers: Containers) -> Plan:
        """Keep of the plan what the image turns out to have an interpreter for."""
        present = interpreters_of(plan.image, containers.plain())
        missing = [row for row in plan.targets if row.interpreter.directory not in present]
        kept = tuple(row for row in plan.targets if row not in missing)
        names = ", ".join(row.identifier for row in missing)
        if missing and (plan.explicit or not kept):
            raise UnfitError(
                f"the image has no interpreter for {names}",
                found=", ".join(sorted(present)) or "nothing below /opt/python",
                hint="select others with --python, or another --image",
            )
        if missing:
            self.observer.note(f"left out, for the image has no interpreter for them: {names}")
        return plan.with_targets(kept)

    def _containers(self, reference: str) -> Containers:
        return Containers(
            engine=self.engine,
            host=self.host,
            reference=reference,
            emulated=self._is_emulated(),
            run_id=self.run_id,
            reuse=not self.settings.no_cache,
        )


def _identity(plan: Plan, targets: Sequence[TargetRecord]) -> tuple[str, str]:
    """Name the project and its version; where only the backend knew them, the wheel tells."""
    for target in targets:
        if target.wheel and not (plan.project and plan.version):
            name, version, _, _ = parse_wheel_filename(target.wheel.filename)
            return plan.project or name, plan.version or str(version)
    return plan.project, plan.version
