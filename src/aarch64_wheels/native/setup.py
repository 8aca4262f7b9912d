"""What an accelerated run prepares once: native tools in the engine, and the image's compilers.

What is learnt of an image is kept by its id, so that a second run asks nothing under emulation.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.engine.spec import Mount
from aarch64_wheels.engine.volumes import ensure_volume
from aarch64_wheels.errors import CommandError, UnfitError
from aarch64_wheels.native.bundle import ensure_bundle, ensure_interpreter
from aarch64_wheels.native.loader import LINKS
from aarch64_wheels.native.places import (
    CONFIGURE,
    INTERPRETERS,
    NATIVE,
    TOOLS_PYTHON,
    WORK,
)
from aarch64_wheels.native.provenance import reset_calls
from aarch64_wheels.native.system import NativeSystem, NoInterpreter
from aarch64_wheels.settings.schema import Compiler

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path, PurePosixPath

    from aarch64_wheels.engine.api import LineSink, Session
    from aarch64_wheels.engine.client import Engine
    from aarch64_wheels.hostindex import IndexSettings
    from aarch64_wheels.native.bundle import Bundle
    from aarch64_wheels.plan import Interpreter, Plan

#: Makes a container of the run's image with these volumes.
Start = Callable[[tuple[Mount, ...]], AbstractContextManager["Session"]]


@dataclass(frozen=True, kw_only=True)
class NativeTools:
    """What every container of an accelerated run is given.

    Attributes:
        tools: the bundle, which is the volume of its name.
        interpreters: the native interpreter, by the target's tag.
        missing: why there is no native interpreter, by the target's tag.
        configuration: an archive of what was learnt of the image's compilers.
    """

    tools: Bundle
    interpreters: Mapping[str, Bundle]
    missing: Mapping[str, str]
    configuration: Path

    def mounts(self, interpreter: Interpreter) -> tuple[Mount, ...]:
        """Give the volumes of a container that builds for one interpreter."""
        tools = Mount(volume=self.tools.volume, target=NATIVE)
        if (own := self.interpreters.get(interpreter.tag)) is None:
            return (tools,)
        return (tools, Mount(volume=own.volume, target=INTERPRETERS / interpreter.tag))

    def python(self, interpreter: Interpreter) -> PurePosixPath | None:
        """Give the native interpreter in the containers of a target, if there is one."""
        if interpreter.tag not in self.interpreters:
            return None
        return INTERPRETERS / interpreter.tag / "bin/python3"

    def install(self, session: Session) -> None:
        """Make a container ready: compiler links, what the shim knows, an empty record."""
        session.restore(self.configuration, WORK.parent)
        session.link(LINKS)
        reset_calls(session)


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Where native tools come from and go to.

    Attributes:
        engine: holds them. system: lays out their libraries and interpreters.
        cache_dir: they are kept below it. index: where their wheels come from.
        reuse: False: ask the image's compilers anew.
        note: told each step that takes time.
    """

    engine: Engine
    system: NativeSystem
    cache_dir: Path
    index: IndexSettings
    note: LineSink
    reuse: bool = True

    def prepare(self, plan: Plan, image_id: str, start: Start) -> NativeTools:
        """Have the engine hold what the plan's containers mount, and know the image's compilers.

        Args:
            plan: says for which interpreters, and what the compilers may do.
            image_id: what is learnt is kept by it.
            start: makes a container of the image.

        Raises:
            UnfitError: something cannot be fetched, or the image has no compiler.
        """
        rows = [target.interpreter for target in plan.targets]
        with ThreadPoolExecutor() as pool:
            futures = {row.tag: pool.submit(self._interpreter, row) for row in rows}
            tools = ensure_bundle(self.system, self.cache_dir, self.index, self.note)
            self._have_volume(tools)
            found = {tag: future.result() for tag, future in futures.items()}
        return NativeTools(
            tools=tools,
            interpreters={tag: row for tag, row in found.items() if not isinstance(row, str)},
            missing={tag: reason for tag, reason in found.items() if isinstance(reason, str)},
            configuration=self._configured(tools, plan.compiler, image_id, start),
        )

    def _have_volume(self, bundle: Bundle) -> None:
        ensure_volume(self.engine, bundle.volume, bundle.directory, self.note)

    def _interpreter(self, row: Interpreter) -> Bundle | str:
        """Have a native interpreter in a volume, or say why there is none."""
        if not row.tag.startswith("cp"):
            return f"there is no native {row.tag}"
        version = row.version + ("t" if row.tag.endswith("t") else "")
        try:
            kept = ensure_interpreter(self.system, version, row.tag, self.cache_dir, self.note)
        except NoInterpreter as reason:
            return str(reason)
        self._have_volume(kept)
        return kept

    def _configured(self, tools: Bundle, compiler: Compiler, image_id: str, start: Start) -> Path:
        archive = self._configuration(compiler, tools.key, image_id)
        if not (self.reuse and archive.is_file()):
            with start((Mount(volume=tools.volume, target=NATIVE),)) as session:
                self._configure(session, compiler, archive)
        return archive

    def _configuration(self, compiler: Compiler, key: str, image_id: str) -> Path:
        name = hashlib.sha256(f"{image_id} {key} {compiler}".encode()).hexdigest()[:24]
        return self.cache_dir / "native-images" / f"{name}.tar"

    def _configure(self, session: Session, compiler: Compiler, archive: Path) -> None:
        """Ask the image's compilers what they are, once, and keep the answers."""
        self.note("asking the image's compilers what they are")
        policy = "native-only" if compiler is Compiler.NATIVE_ONLY else "auto"
        try:
            session.run([TOOLS_PYTHON, CONFIGURE, "--policy", policy], sink=self.note)
        except CommandError as error:
            raise UnfitError(
                "the image's compilers cannot be asked what they are",
                found=error.tail,
                hint="use an image with GCC on its PATH, or --mode emulated",
            ) from error
        archive.parent.mkdir(parents=True, exist_ok=True)
        draft = archive.with_suffix(f".{time.monotonic_ns()}.partial")
        try:
            session.save(WORK, draft)
            draft.replace(archive)
        finally:
            draft.unlink(missing_ok=True)
