"""The plan: the pure description of everything a build will do. No I/O happens here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from aarch64_wheels.report.model import Stage
from aarch64_wheels.settings.schema import Mode


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """One row of `data/interpreters.toml`: wheel tag, version, directory under /opt/python."""

    tag: str
    version: str
    directory: str
    default: bool = True

    @property
    def python(self) -> PurePosixPath:
        """The interpreter inside a manylinux-style image."""
        return PurePosixPath("/opt/python") / self.directory / "bin/python"


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
    """One interpreter to build for, named as cibuildwheel names it."""

    identifier: str
    interpreter: Interpreter


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be built, from what, in which image, and in which steps.

    Attributes:
        project: the distribution's name; version: its version, empty where only the
            backend knows it. source: the source as the user gave it, without credentials.
        source_sha256: hash of the sdist file; empty for a directory.
        build_requires: `[build-system] requires` (PEP 518).
        explicit: the user named the targets, so a missing interpreter is an error
            and not a target less.
        jobs: targets built at the same time; 0 means one for each core.
    """

    project: str
    version: str
    source: str
    source_sha256: str
    build_requires: tuple[str, ...]
    image: Image
    mode: Mode
    targets: tuple[Target, ...]
    explicit: bool
    jobs: int
    stages: tuple[Stage, ...] = tuple(Stage)

    def to_json(self) -> str:
        """The plan as JSON: the same bytes for the same input."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"
