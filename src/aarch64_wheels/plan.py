"""The plan: the pure description of everything a build will do. No I/O happens here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.epoch import EARLIEST
from aarch64_wheels.report.model import Stage
from aarch64_wheels.settings.schema import BuildOptions

if TYPE_CHECKING:
    from aarch64_wheels.settings.schema import Backend, Compiler, Mode


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """One row of `data/interpreters.toml`: wheel tag, version, directory under /opt/python.

    `path` is where the program is in a build without containers, by name alone as long as nobody
    has looked for it; empty where an image has it at its usual place.
    """

    tag: str
    version: str
    directory: str
    default: bool = True
    #: Left out of the text of a row: embedded images are known by that (`embedded.recipe`).
    path: str = field(default="", repr=False)

    @property
    def python(self) -> PurePosixPath:
        """The interpreter: inside a manylinux-style image, or at its `path`."""
        return PurePosixPath(self.path or f"/opt/python/{self.directory}/bin/python")

    @property
    def program(self) -> str:
        """The name by which a shell finds it: `python3.13`, `python3.14t`, `pypy3.11`."""
        name = {"pp": "pypy", "gp": "graalpy"}.get(self.tag[:2], "python")
        return f"{name}{self.version}{'t' if self.tag.endswith('t') else ''}"

    def identifier(self, libc: str) -> str:
        """Name the target for an image with this libc, as cibuildwheel spells it."""
        platform = "musllinux" if libc == "musl" else "manylinux"
        return f"{self.tag}-{platform}_aarch64"


@dataclass(frozen=True, kw_only=True)
class Image:
    """One row of `data/images.toml`, or a reference as the user gave it.

    `interpreters` is None for a reference nobody has listed: what it holds is known
    only once an engine has it. `embedded` marks the image assembled on this machine.
    """

    name: str
    reference: str
    policy: str
    libc: str
    interpreters: tuple[str, ...] | None
    embedded: bool = False


@dataclass(frozen=True, kw_only=True)
class Target:
    """One wheel to build.

    Attributes:
        identifier: its name, as cibuildwheel has it. interpreter: what it is for.
        image: what it is built in. options: what the project wants for it.
        test_skipped: it is not tested, although the project says how (`test-skip`).
    """

    identifier: str
    interpreter: Interpreter
    image: Image
    options: BuildOptions = field(default_factory=BuildOptions)
    test_skipped: bool = False

    @property
    def is_tested(self) -> bool:
        """The project says how to test, and not to leave this target out."""
        return bool(self.options.test_command.strip()) and not self.test_skipped


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be built, from what, how, and in which steps.

    Attributes:
        project: the distribution's name; version: its version, empty where only the
            backend knows it. source: the source as the user gave it, without credentials.
        source_sha256: hash of the sdist file; empty for a directory.
        build_requires: `[build-system] requires` (PEP 518); build_backend, backend_path: what
            makes the wheel (PEP 517).
        mode: how, never `auto`; backend: who runs the build backend; compiler: what compiles.
            These two are `auto` only in mode `accelerated`; the other modes settle them.
        explicit: the user named a target (not by a glob or `all`), so a missing interpreter
            is an error and not a target less.
        jobs: targets built at the same time; 0 means one for each core.
        test_image: to test wheels in, None for the image they are built in.
        may_share: one wheel may serve several targets, as far as the source can tell.
        fail_fast: begin no target once one has failed.
        strip: take symbols and debug information out of what is compiled.
        audit_levels: levels of the audit's checks, as the user writes them.
        source_date_epoch: the time that a build takes for now, in seconds since 1970.
    """

    project: str
    version: str
    source: str
    source_sha256: str
    build_requires: tuple[str, ...]
    build_backend: str
    backend_path: tuple[str, ...]
    mode: Mode
    backend: Backend
    compiler: Compiler
    targets: tuple[Target, ...]
    explicit: bool
    jobs: int
    test_image: Image | None = None
    may_share: bool = False
    fail_fast: bool = False
    strip: bool = False
    audit_levels: tuple[str, ...] = ()
    source_date_epoch: int = EARLIEST

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of its targets, in their order; without a test where none is tested."""
        is_tested = any(target.is_tested for target in self.targets)
        return tuple(stage for stage in Stage if is_tested or stage is not Stage.TEST)

    @property
    def images(self) -> tuple[Image, ...]:
        """The images that the targets are built in, each once."""
        return tuple(dict.fromkeys(target.image for target in self.targets))

    def with_targets(self, targets: tuple[Target, ...]) -> Plan:
        """Give the same plan for other targets."""
        return replace(self, targets=targets)

    def to_json(self) -> str:
        """Write the plan as JSON: the same bytes for the same input."""
        data = {**asdict(self), "stages": list(self.stages)}
        return json.dumps(data, indent=2, sort_keys=True) + "\n"
