"""The settings of a build: one frozen object, made once at the edge (see `layers`)."""

from __future__ import annotations

import enum
import types
import typing
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

#: What the name of every setting's environment variable starts with.
ENV_PREFIX = "AARCH64_WHEELS_"

#: Settings that say where the table is read from, and so cannot stand in it.
_NOT_IN_TABLE = frozenset({"source", "dists", "config_file"})
_POSITIONAL = {"source": "SOURCE", "dists": "DIST"}


class Mode(enum.StrEnum):
    """How the build runs on this host (DESIGN: `auto` picks)."""

    AUTO = "auto"
    NATIVE = "native"
    ACCELERATED = "accelerated"
    EMULATED = "emulated"


class Backend(enum.StrEnum):
    """Who runs the PEP 517 build backend in mode `accelerated`.

    `auto` has it run natively, and emulated where that cannot be done.
    """

    AUTO = "auto"
    NATIVE = "native"
    EMULATED = "emulated"


class Compiler(enum.StrEnum):
    """What compiles and links in mode `accelerated`.

    `auto` is native clang, and the image's GCC for the calls that clang cannot serve; `gcc` is
    the image's GCC for every call; with `native-only` a call that clang cannot serve is an error.
    """

    AUTO = "auto"
    GCC = "gcc"
    NATIVE_ONLY = "native-only"


class EngineName(enum.StrEnum):
    """Which container engine to use; `auto` takes the first that answers."""

    AUTO = "auto"
    DOCKER = "docker"
    PODMAN = "podman"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a build depends on that a user can choose.

    Attributes:
        source: a directory, an sdist file or a requirement such as `kiwisolver==1.4.7`.
        python: selectors (`cp313`, `3.13`, `cp3*`, `all`); empty means whatever the source's
            `requires-python` and the image's interpreters have in common.
        image: a short name from `data/images.toml` or any image reference.
        mode: `auto`, `native`, `accelerated` or `emulated`.
        backend: who runs the build backend, `auto`, `native` or `emulated`.
        compiler: what compiles, `auto`, `gcc` or `native-only`.
        engine: `auto`, `docker` or `podman`.
        output_dir: where wheels, logs and `report.json` go.
        jobs: how many targets to build at once; 0 means one per core.
        cache_dir: where downloads and the embedded image are kept.
        no_cache: use neither what `cache_dir` holds nor kept build environments; make all anew.
        config_file: a TOML file read instead of the source's `pyproject.toml`.
    """

    source: str = "."
    python: tuple[str, ...] = ()
    image: str = "manylinux2014"
    mode: Mode = Mode.AUTO
    backend: Backend = Backend.AUTO
    compiler: Compiler = Compiler.AUTO
    engine: EngineName = EngineName.AUTO
    output_dir: Path = Path("wheelhouse")
    jobs: int = 0
    cache_dir: Path = field(default_factory=Path)
    no_cache: bool = False
    config_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Option:
    """One setting as users meet it: as a flag, an input, a variable, a key of the table.

    Attributes:
        field: the attribute of `Settings` or `PublishSettings`.
        kind: `str`, `int`, `bool`, `Path` or a `StrEnum`.
        many: takes any number of values. in_table: may stand in `[tool.aarch64-wheels]`.
    """

    field: str
    kind: type
    many: bool = False
    in_table: bool = True

    @property
    def name(self) -> str:
        """The kebab-case name of the input, of the key, and of the flag after `--`."""
        return self.field.replace("_", "-")

    @property
    def flag(self) -> str:
        """What a command line calls it; sources and dists are positional arguments."""
        return _POSITIONAL.get(self.field, f"--{self.name}")

    @property
    def env(self) -> str:
        """The environment variable's name."""
        return ENV_PREFIX + self.field.upper()

    @property
    def choices(self) -> tuple[str, ...]:
        """The words the option takes; empty when it takes any."""
        return tuple(self.kind) if issubclass(self.kind, enum.StrEnum) else ()


def options(kind: type = Settings) -> tuple[Option, ...]:
    """Every option of a class of settings, in the order of its fields."""
    hints = typing.get_type_hints(kind)
    return tuple(_option(item.name, hints[item.name]) for item in fields(kind))


def _option(name: str, hint: Any) -> Option:
    many = typing.get_origin(hint) is tuple
    if many or typing.get_origin(hint) is types.UnionType:
        hint = typing.get_args(hint)[0]
    return Option(field=name, kind=hint, many=many, in_table=name not in _NOT_IN_TABLE)
