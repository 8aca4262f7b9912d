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
from aarch64_wheels.audit.sarif import repository
from aarch64_wheels.commands.before_all import BeforeAll
from aarch64_wheels.commands.fit import is_emulated, make_fit
from aarch64_wheels.commands.given import check_given, given_to
from aarch64_wheels.commands.hostrooms import HostRooms
from aarch64_wheels.commands.inputs import (
    Host,
    open_settings_source,
    plan_source,
    project_layers,
)
from aarch64_wheels.commands.origins import (
    engine_record,
    from_sdist,
    image_record,
    origins_of,
    tool_records,
    with_commit,
)
from aarch64_wheels.commands.rooms import Rooms
from aarch64_wheels.commands.sdist import through_sdist
from aarch64_wheels.disk import check_output_dir
from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.engine.create_args import read_create_args
from aarch64_wheels.errors import ExitCode, UsageError
from aarch64_wheels.gitfiles import GIT
from aarch64_wheels.hostengine.engine import HostEngine
from aarch64_wheels.pipeline import Pipeline
from aarch64_wheels.report.model import Report
from aarch64_wheels.report.writer import write_findings, write_report
from aarch64_wheels.resume import (
    basis_of,
    content_digest,
    files_digest,
    source_digest,
    still_good,
)
from aarch64_wheels.settings.schema import EngineName, Settings
from aarch64_wheels.source.project import find_project
from aarch64_wheels.targets import NO_TARGET
from aarch64_wheels.wheelhouse import Wheelhouse

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from aarch64_wheels.commands.hostrooms import HostRoom
    from aarch64_wheels.commands.rooms import ImageRoom
    from aarch64_wheels.plan import Plan
    from aarch64_wheels.report.model import Basis, TargetRecord
    from aarch64_wheels.report.observer import Observer
    from aarch64_wheels.settings.layers import Layers
    from aarch64_wheels.source import Source


def run_build(layers: Layers, environ: Mapping[str, str], observer: Observer) -> tuple[int, Report]:
    """Build, repair and audit all targets.

    Args:
        layers: what to build and how.
        environ: the process's environment.
        observer: told what happens.

    Returns:
        The exit code (0 or 1), and the report, which has been written to the output directory.

    Raises:
        UsageError, UnfitError: nothing could be built at all.
    """
    settings, host = layers.settings(), Host.current(environ)
    _refuse_hostile_link(settings, host)
    check_output_dir(settings.output_dir)
    wheelhouse = Wheelhouse(settings.output_dir)
    wheelhouse.prepare()
    with tempfile.TemporaryDirectory(prefix="aarch64-wheels-") as scratch:
        source = open_settings_source(settings, host, Path(scratch))
        observer.note(f"source: {source.origin}")
        plan = plan_source(project_layers(layers, source, host, observer.note), source, host)
        check_given(plan, source.root, host.environ)
        if not plan.targets:
            return _build_nothing(plan, settings, host, observer)
        engine = _open_engine(settings, host, plan, observer)
        build = Build(
            settings=settings, host=host, engine=engine, observer=observer, scratch=Path(scratch)
        )
        try:
            report = build.run(plan, source, wheelhouse)
        finally:
            engine.close_all()
    _tell(report, settings, host, observer)
    return (ExitCode.TARGET_FAILED if report.failed else ExitCode.OK), report


def _build_nothing(
    plan: Plan, settings: Settings, host: Host, observer: Observer
) -> tuple[ExitCode, Report]:
    """Report that there was nothing to build, which for this is no failure."""
    observer.note(NO_TARGET)
    report = Report(
        tool_version=__version__,
        project=plan.project,
        version=plan.version,
        source=plan.source,
        source_sha256=plan.source_sha256,
        image="",
        image_id="",
        mode=plan.mode,
        engine="",
        started=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        seconds=0.0,
    )
    _tell(report, settings, host, observer)
    return ExitCode.OK, report


def _tell(report: Report, settings: Settings, host: Host, observer: Observer) -> None:
    """Write what happened beside the wheels, and show it."""
    write_report(report, settings.output_dir)
    write_findings(report, settings.output_dir, repository(host.environ))
    observer.finished(report)


def _open_engine(
    settings: Settings, host: Host, plan: Plan, observer: Observer
) -> Engine | HostEngine:
    if settings.engine is EngineName.NONE:
        if settings.image != Settings().image:
            words = "`--engine none` takes this machine"
            observer.note(f"the image {settings.image} is not used: {words}")
        return HostEngine(host.machine)
    said = read_create_args(plan.targets[0].options.container_engine, host.environ).engine
    is_auto = settings.engine is EngineName.AUTO
    return connect(EngineName(said) if said and is_auto else settings.engine, host.environ)


def _refuse_hostile_link(settings: Settings, host: Host) -> None:
    """Keep a source from choosing where on this host is written: `wheelhouse` may be a link."""
    source, output = Path(settings.source), settings.output_dir.absolute()
    if not source.is_dir():
        return
    root = find_project(source, host.home, host.workspace).root.resolve()
    for part in (output, *output.parents):
        if part.is_symlink() and part.parent.resolve().is_relative_to(root):
            raise UsageError(
                f"the output directory {settings.output_dir} is a link inside the source",
                found=f"{part} leads to {part.resolve()}",
                hint="name a directory with --output-dir",
            )


@dataclass(frozen=True, kw_only=True)
class Build:
    """One run on one engine; `scratch` is a directory of this host that goes away with it."""

    settings: Settings
    host: Host
    engine: Engine | HostEngine
    observer: Observer
    scratch: Path
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def run(self, plan: Plan, source: Source, wheelhouse: Wheelhouse) -> Report:
        """Make the engine fit, run the plan, and say what happened."""
        started, clock = dt.datetime.now(dt.UTC), time.monotonic()
        make_fit(plan, self.settings, self.host, self.engine, self.observer.note)
        entered = self._enter(plan)
        rooms: tuple[ImageRoom | HostRoom, ...] = tuple(entered.by_image.values())
        plan = plan.with_targets(tuple(row for room in rooms for row in room.plan.targets))
        self.observer.started(plan)
        left_out = _left_out(source, wheelhouse.directory, self.settings.cache_dir, self.scratch)
        sha256, sdist = content_digest(source, left_out), None
        pipeline = self._pipeline(plan, source, wheelhouse, entered, left_out, sha256)
        # Not before: a run that cannot begin leaves what an earlier one has made and recorded.
        wheelhouse.begin(resume=self.settings.resume)
        if self.settings.sdist:
            found = through_sdist(pipeline, source, self.scratch)
            pipeline, sdist = from_sdist(found.pipeline, found.record), found.record
        targets = pipeline.run()
        project, version = _identity(pipeline.plan, targets)
        return Report(
            targets=targets,
            tool_version=__version__,
            project=project,
            version=version,
            source=plan.source,
            source_sha256=sha256,
            image=" ".join(room.image.reference for room in rooms),
            image_id=" ".join(room.image_id for room in rooms),
            mode=plan.mode,
            engine=str(self.engine),
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - clock, 3),
            sdist=sdist,
            images=tuple(filter(None, (image_record(self.engine, room) for room in rooms))),
            tools=(*tool_records(rooms), *engine_record(self.engine)),
        )

    def _enter(self, plan: Plan) -> BeforeAll[ImageRoom] | BeforeAll[HostRoom]:
        """Make the rooms that the plan's targets are built in."""
        note = self.observer.note
        if isinstance(self.engine, HostEngine):
            own = HostRooms(settings=self.settings, host=self.host, engine=self.engine, note=note)
            return BeforeAll(rooms=own, by_image={room.image: room for room in own.open(plan)})
        rooms = Rooms(
            settings=self.settings,
            host=self.host,
            engine=self.engine,
            run_id=self.run_id,
            emulated=is_emulated(self.engine),
            note=note,
        )
        return BeforeAll(rooms=rooms, by_image={room.image: room for room in rooms.open(plan)})

    def _pipeline(
        self,
        plan: Plan,
        source: Source,
        wheelhouse: Wheelhouse,
        rooms: BeforeAll[ImageRoom] | BeforeAll[HostRoom],
        left_out: Collection[Path],
        sha256: str,
    ) -> Pipeline:
        given = given_to(plan, source.root, self.host.environ, self.observer.note)
        files = files_digest(source, left_out)
        made_from = source_digest(files, by_sdist=self.settings.sdist)
        bases = {
            row.identifier: basis_of(
                plan,
                row,
                given[row.identifier],
                made_from,
                rooms.by_image[row.image].image_id,
            )
            for row in plan.targets
        }
        return Pipeline(
            plan=plan,
            source=source.root,
            left_out=left_out,
            wheelhouse=wheelhouse,
            rooms=rooms,
            observer=self.observer,
            given=lambda target: given[target.identifier],
            bases=bases,
            origins=origins_of(
                plan, with_commit(source, self.host.environ), sha256, self.engine, rooms.by_image
            ),
            done=self._done(wheelhouse, bases),
            package=source.package,
            git_data=source.git_data,
        )

    def _done(self, wheelhouse: Wheelhouse, bases: Mapping[str, Basis]) -> dict[str, TargetRecord]:
        """Find what need not be built again."""
        if not self.settings.resume:
            return {}
        found, reasons = still_good(wheelhouse, bases)
        for reason in reasons:
            self.observer.note(reason)
        if found:
            self.observer.note(f"finished by an earlier run: {', '.join(found)}")
        return found


def _left_out(source: Source, *places: Path) -> tuple[Path, ...]:
    """Say what of the project stays here: places of our own, unless the package lies in one."""
    package = source.directory.resolve()
    own = tuple(row.absolute() for row in places if not package.is_relative_to(row.resolve()))
    return (*own, source.root / GIT) if source.git_data else own


def _identity(plan: Plan, targets: Sequence[TargetRecord]) -> tuple[str, str]:
    """Name the project and its version; where only the backend knew them, the wheel tells."""
    for target in targets:
        if target.wheel and not (plan.project and plan.version):
            name, version, _, _ = parse_wheel_filename(target.wheel.filename)
            return plan.project or name, plan.version or str(version)
    return plan.project, plan.version
