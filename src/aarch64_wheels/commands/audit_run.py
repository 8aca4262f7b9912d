"""`audit --run`: imports what wheels hold, under a plain ARMv8.0 processor, in containers."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aarch64_wheels.audit.run.container import TOTAL, Place
from aarch64_wheels.audit.run.extensions import Importable, read_importable
from aarch64_wheels.audit.run.interpreters import (
    check_libc,
    choose,
    fitting,
    is_for_aarch64,
    name_of,
    no_interpreter,
)
from aarch64_wheels.audit.run.tried import REFUSALS, Refusals, Tried
from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.commands.fit import is_emulated, make_fit
from aarch64_wheels.commands.inputs import Host
from aarch64_wheels.commands.rooms import ImageRoom, Rooms
from aarch64_wheels.engine.client import connect
from aarch64_wheels.engine.spec import QEMU_CPU
from aarch64_wheels.errors import UsageError
from aarch64_wheels.native.places import BIN
from aarch64_wheels.plan import Plan, Target
from aarch64_wheels.settings.modes import choose_mode, effective_backend, effective_compiler
from aarch64_wheels.settings.schema import EngineName, Mode, Settings
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from aarch64_wheels.audit.model import Finding
    from aarch64_wheels.plan import Image, Interpreter

#: Minutes for a container: imports have a limit of their own, installing before them has not.
_MINUTES = TOTAL // 60 + 15


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where wheels are tried.

    Attributes:
        cache_dir: where downloads and the embedded image are kept.
        image: a short name or a reference. engine: which container engine.
        environ: the process's variables, for the engine, indexes and proxies.
    """

    cache_dir: Path
    image: str = "debian"
    engine: EngineName = EngineName.AUTO
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


def run_imports(paths: Sequence[Path], options: RunOptions, note: Callable[[str], None]) -> Tried:
    """Import every extension of wheels, each wheel in a container of its own.

    A wheel that cannot be read, or has nothing to import on aarch64, has no findings here: what
    the audit of its content says counts. One that cannot be tried is noted, and stops no other.

    Args:
        paths: of the wheels.
        options: where they are tried.
        note: told what takes time, and what is left out.

    Raises:
        UsageError: the image is none, or no engine may be used.
    """
    image = image_of(options)
    refusals = Refusals(note=note)
    wanted: list[tuple[Importable, tuple[Interpreter, ...]]] = []
    for wheel in _importable(paths, note):
        with refusals.kept(wheel.path):
            wanted.append((wheel, _wanted(wheel, image)))
    targets = tuple(_targets([row for _, rows in wanted for row in rows], image))
    found: dict[Path, tuple[Finding, ...]] = dict.fromkeys(paths, ())
    unfit = None
    try:
        if targets:
            with _room(targets, options, note) as room:
                for path, findings in _try_all(room, [wheel for wheel, _ in wanted], refusals):
                    found[path] += findings
    except REFUSALS as error:
        unfit = error
    return Tried(findings=found, untried=frozenset(refusals.paths), unfit=unfit)


def image_of(options: RunOptions) -> Image:
    """Give the image that wheels are tried in.

    Raises:
        UsageError: it is none, or no engine may be used.
    """
    if options.engine is EngineName.NONE:
        raise UsageError(
            "`audit --run` needs a container engine",
            found="--engine none",
            hint="leave --engine out: a wheel that is tried must not see this machine's files",
        )
    return find_image(options.image)


def _importable(paths: Sequence[Path], note: Callable[[str], None]) -> Iterator[Importable]:
    """Read the wheels that have something to import."""
    for path in paths:
        try:
            wheel = read_importable(path)
        except ValueError as error:
            note(f"not run: {path.name} cannot be read: {error}")
            continue
        if not wheel.extensions or not is_for_aarch64(wheel.tags):
            note(f"not run: {path.name} holds no extension module for aarch64 Linux")
        else:
            yield wheel


def _wanted(wheel: Importable, image: Image) -> tuple[Interpreter, ...]:
    """Give the interpreters that a wheel needs.

    Of an image that nobody has listed, only the engine can tell which interpreters there are.

    Raises:
        UsageError: the image has not the wheel's C library.
        UnfitError: it has no interpreter for the wheel.
    """
    check_libc(wheel.path.name, wheel.tags, image)
    if image.interpreters is None:
        rows = fitting(wheel.tags, interpreters())
    else:
        rows = choose(wheel.tags, [row for row in interpreters() if row.tag in image.interpreters])
    if not rows:
        raise no_interpreter(wheel.path.name, wheel.tags, image)
    return rows


def _targets(wanted: Collection[Interpreter], image: Image) -> Iterator[Target]:
    """Give a target for each interpreter that is needed: rooms can be made as for builds."""
    for row in interpreters():
        if row in wanted:
            yield Target(identifier=row.identifier(image.libc), interpreter=row, image=image)


@contextmanager
def _room(
    targets: tuple[Target, ...], options: RunOptions, note: Callable[[str], None]
) -> Iterator[ImageRoom]:
    """Make ready what containers of the image need; leaves none behind."""
    settings = Settings(
        source="",
        image=options.image,
        engine=options.engine,
        cache_dir=options.cache_dir,
        output_dir=options.cache_dir,
        time_limit=_MINUTES,
        silence_limit=0,
    )
    host = Host.current(options.environ)
    plan = _plan(targets, settings, host)
    engine = connect(options.engine, host.environ)
    try:
        make_fit(plan, settings, host, engine, note)
        rooms = Rooms(
            settings=settings,
            host=host,
            engine=engine,
            run_id=uuid.uuid4().hex[:12],
            emulated=is_emulated(engine),
            note=note,
        )
        (room,) = rooms.open(plan)
        if is_emulated(engine):
            note(f"processor: {QEMU_CPU}, which is plain ARMv8.0, by QEMU")
        else:
            note("processor: the machine's own, so that this proves nothing of ARMv8.0")
        yield room
    finally:
        engine.close_all()


def _plan(targets: tuple[Target, ...], settings: Settings, host: Host) -> Plan:
    mode = choose_mode(Mode.AUTO, host.machine, host.system)
    return Plan(
        project="",
        version="",
        source="",
        source_sha256="",
        build_requires=(),
        build_backend="",
        backend_path=(),
        mode=mode,
        backend=effective_backend(settings, mode),
        compiler=effective_compiler(settings, mode),
        targets=targets,
        explicit=targets[0].image.interpreters is not None,
        jobs=1,
    )


def _try_all(
    room: ImageRoom, wheels: Sequence[Importable], refusals: Refusals
) -> Iterator[tuple[Path, tuple[Finding, ...]]]:
    """Try wheels one after another, each in its interpreters; what was found stays found."""
    there = [target.interpreter for target in room.plan.targets]
    for wheel in wheels:
        with refusals.kept(wheel.path):
            rows = choose(wheel.tags, there)
            if not rows:
                raise no_interpreter(wheel.path.name, wheel.tags, room.image)
            for row in rows:
                yield wheel.path, _try_one(room, wheel, row, refusals.note)


def _try_one(
    room: ImageRoom, wheel: Importable, row: Interpreter, note: Callable[[str], None]
) -> tuple[Finding, ...]:
    count = len(wheel.extensions)
    note(f"importing {count} extension{'s' * (count > 1)} of {wheel.path.name}, {name_of(row)}")
    containers, tools = room.containers, room.tools
    index = containers.host.index
    path = f"{BIN}:{room.path}" if tools else room.path
    with containers.plain(tools.mounts(row) if tools else (), path) as session:
        session.begin("run")
        place = Place(
            session=session,
            python=row.python,
            name=name_of(row),
            native=tools.python(row) if tools else None,
            emulated=containers.emulated,
            # To take from the public index what the host takes from elsewhere is no help.
            indexed=not (index.no_index or index.unusable_main),
            note=lambda text: note(one_line(text)),
        )
        return place.try_wheel(wheel)
