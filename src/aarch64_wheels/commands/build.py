"""`build`: from settings to a report. The only place where all parts meet."""

from __future__ import annotations

import datetime as dt
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from aarch64_wheels import __version__
from aarch64_wheels.commands.inputs import Host, open_settings_source, plan_source
from aarch64_wheels.doctor import check_disk, check_output_dir
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.emulation.providers import ensure_emulation
from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.engine.images import ensure_image, interpreters_in
from aarch64_wheels.engine.network import container_environment, network_mode
from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.engine.sweep import sweep
from aarch64_wheels.errors import ExitCode, UnfitError
from aarch64_wheels.pipeline import Pipeline
from aarch64_wheels.report.model import Report, TargetRecord
from aarch64_wheels.report.writer import write_report
from aarch64_wheels.settings.schema import Mode, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aarch64_wheels.engine.container import ContainerSession
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
    check_output_dir(settings.output_dir)
    check_disk(settings.output_dir)
    with tempfile.TemporaryDirectory(prefix="aarch64-wheels-") as scratch:
        observer.note(f"reading the source {settings.source}")
        source = open_settings_source(settings, host, Path(scratch))
        plan = plan_source(settings, source, host)
        engine = connect(settings.engine, environ)
        try:
            report = Build(settings=settings, host=host, engine=engine, observer=observer).run(
                plan, source
            )
        finally:
            engine.close_all()
    write_report(report, settings.output_dir)
    observer.finished(report)
    return (ExitCode.TARGET_FAILED if report.failed else ExitCode.OK), report


@dataclass(frozen=True, kw_only=True)
class Build:
    """One run on one engine."""

    settings: Settings
    host: Host
    engine: Engine
    observer: Observer

    def run(self, plan: Plan, source: Source) -> Report:
        """Make the engine fit, run the plan, and say what happened."""
        started, clock = dt.datetime.now(dt.UTC), time.monotonic()
        self._prepare_engine(plan)
        reference = self._image(plan)
        plan = self._without_missing(plan, reference)
        self.observer.started(plan)
        pipeline = Pipeline(
            plan=plan,
            source=source.root,
            left_out=(self.settings.output_dir.absolute(),),
            output_dir=self.settings.output_dir,
            start=lambda: self._session(reference),
            observer=self.observer,
        )
        targets = pipeline.run()
        project, version = _identity(plan, targets)
        return Report(
            targets=targets,
            tool_version=__version__,
            project=project,
            version=version,
            source=plan.source,
            source_sha256=plan.source_sha256,
            image=plan.image.reference,
            image_id=self.engine.image_id(reference),
            mode=plan.mode,
            engine=str(self.engine),
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - clock, 3),
        )

    def _prepare_engine(self, plan: Plan) -> None:
        self.observer.note(f"engine: {self.engine}, mode: {plan.mode}")
        for name in sweep(self.engine):
            self.observer.note(f"removed {name}, left by a run that was killed")
        for url in self.host.index.dropped:
            self.observer.note(f"not passed to containers: the local index {url}")
        if plan.mode is Mode.EMULATED:
            ensure_emulation(self.engine, fix=False, sink=self.observer.note)

    def _image(self, plan: Plan) -> str:
        """Have the engine hold the plan's image; gives its name there."""
        if not plan.image.embedded:
            return ensure_image(self.engine, plan.image, self.observer.note)
        kept = EmbeddedImage.of_this_version(self.settings.cache_dir, self.host.index)
        if self.settings.no_cache:
            return kept.rebuild(self.engine, self.observer.note, kept.recipe.sets)
        return kept.ensure(self.engine, self.observer.note)

    def _without_missing(self, plan: Plan, reference: str) -> Plan:
        """Keep of the plan what the image turns out to have an interpreter for."""
        with self._session(reference) as session:
            present = interpreters_in(session)
        missing = [row for row in plan.targets if row.interpreter.directory not in present]
        kept = tuple(row for row in plan.targets if row not in missing)
        if missing and (plan.explicit or not kept):
            raise UnfitError(
                f"the image has no interpreter for {', '.join(t.identifier for t in missing)}",
                found=", ".join(sorted(present)) or "nothing below /opt/python",
                hint="select others with --python, or another --image",
            )
        return plan.with_targets(kept)

    def _session(self, reference: str) -> ContainerSession:
        spec = ContainerSpec(
            environment=container_environment(self.host.environ, self.host.index),
            ca_bundle=self.host.index.ca_bundle,
            emulated=self.engine.architecture not in ("aarch64", "arm64"),
            network=network_mode(self.host.environ, self.host.index),
            run_id=uuid.uuid4().hex[:12],
        )
        return self.engine.start_session(reference, spec)


def _identity(plan: Plan, targets: Sequence[TargetRecord]) -> tuple[str, str]:
    """Name the project and its version; where only the backend knew them, the wheel tells."""
    for target in targets:
        if target.wheel and not (plan.project and plan.version):
            name, version, _, _ = parse_wheel_filename(target.wheel.filename)
            return plan.project or name, plan.version or str(version)
    return plan.project, plan.version
