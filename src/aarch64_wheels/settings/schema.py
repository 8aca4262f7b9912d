"""The settings of a build: frozen objects, made once at the edge (see `layers`)."""

from __future__ import annotations

import enum
import types
import typing
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from aarch64_wheels.settings import kinds

if typing.TYPE_CHECKING:
    from aarch64_wheels.settings.kinds import Kind

#: What the name of every setting's environment variable starts with.
ENV_PREFIX = "AARCH64_WHEELS_"

#: Where `python` stands for cibuildwheel's `build`: the Action's input of that name is another.
_THEIRS_ALONE = frozenset({"build"})
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
    """Which container engine to use; `auto` takes the first that answers.

    `none` builds without containers, with the interpreters of an arm64 host.
    """

    AUTO = "auto"
    DOCKER = "docker"
    PODMAN = "podman"
    NONE = "none"


def _of(kind: Kind, default: Any = None) -> Any:
    """Make a field whose values are of this kind; its default is the kind's empty value."""
    return field(default=kind.empty if default is None else default, metadata={"kind": kind})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a build depends on that a user can choose, and that is one for all targets.

    Attributes:
        source: a directory, an sdist (a file or its URL), a `git+https` URL, or a requirement such
            as `kiwisolver==1.4.7`.
        python: selectors (`cp313`, `3.13`, `cp3*`, `all`); empty means whatever the source's
            `requires-python` and the image's interpreters have in common.
        build, skip: globs of target identifiers (`cp3{13,14}-*`); `python` goes before `build`.
        enable: groups that no glob means by itself: `pypy`, `graalpy`, `cpython-prerelease`.
        test_skip: globs of the targets whose wheels are not tested.
        image: a short name from `data/images.toml` or any image reference.
        mode: `auto`, `native`, `accelerated` or `emulated`.
        backend: who runs the build backend, `auto`, `native` or `emulated`.
        compiler: what compiles, `auto`, `gcc` or `native-only`.
        engine: `auto`, `docker` or `podman`.
        output_dir: where wheels, logs and `report.json` go.
        jobs: how many targets to build at once; 0 means one per core.
        cache_dir: where downloads and the embedded image are kept.
        sdist: build the sdist too, and the wheels from it.
        test_image: to test wheels in, empty for the image they are built in.
        resume: build only what an earlier run into the same directory has not finished.
        fail_fast: begin nothing new once a target has failed.
        time_limit: minutes that a stage may take. silence_limit: minutes without output after
            which it is ended. 0 means no limit.
        strip: take symbols and debug information out of compiled files when wheels are repaired.
        audit_levels: `CHECK=error`, `CHECK=warning` or `CHECK=off`, for checks of the audit that
            are not to have the levels of `data/checks.toml`.
        no_cache: use neither what `cache_dir` holds nor kept build environments; make all anew.
        config_file: a TOML file read instead of the source's `pyproject.toml`.
    """

    source: str = "."
    python: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    enable: tuple[str, ...] = _of(kinds.GROUPS)
    test_skip: tuple[str, ...] = ()
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
    sdist: bool = False
    test_image: str = ""
    resume: bool = False
    fail_fast: bool = False
    time_limit: int = 0
    silence_limit: int = 60
    strip: bool = False
    audit_levels: tuple[str, ...] = _of(kinds.LEVELS)


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """What a project wants for the build of one target, as cibuildwheel's options have it.

    Attributes:
        before_all: run once in each image, before anything is built.
        before_build: run before each wheel is built.
        environment: variables, as bash reads assignments.
        environment_pass: the names of variables of the host that a build is given.
        config_settings: what the build backend is told (PEP 517).
        build_frontend: accepted for its arguments; the hooks are called by this program.
        build_verbosity: from -3 to 3.
        repair_wheel_command: stands for the repair by auditwheel; empty: that one.
        audit_requires, audit_command: run in the container for finished wheels.
        test_command and what begins with `test`, before_test: how a wheel is tested.
        dependency_versions: constraints on what builds and tests require.
        manylinux_image, manylinux_pypy_image, musllinux_image: to build in.
        container_engine: its name and arguments, as `docker; create_args: --cpus 2`.
    """

    before_all: str = _of(kinds.COMMAND)
    before_build: str = _of(kinds.COMMAND)
    environment: str = _of(kinds.ENVIRONMENT)
    environment_pass: tuple[str, ...] = _of(kinds.WORDS)
    config_settings: kinds.Table = _of(kinds.TABLE)  # noqa: RUF009 - as the others, of tuples alone
    build_frontend: str = _of(kinds.PARAMETERS)
    build_verbosity: int = _of(kinds.LEVEL, 0)
    repair_wheel_command: str = _of(kinds.COMMAND)
    audit_requires: tuple[str, ...] = _of(kinds.QUOTED, ("abi3audit",))
    audit_command: str = _of(kinds.COMMAND)
    before_test: str = _of(kinds.COMMAND)
    test_command: str = _of(kinds.COMMAND)
    test_sources: tuple[str, ...] = _of(kinds.QUOTED)
    test_requires: tuple[str, ...] = _of(kinds.QUOTED)
    test_extras: tuple[str, ...] = _of(kinds.COMMAS)
    test_groups: tuple[str, ...] = _of(kinds.WORDS)
    test_environment: str = _of(kinds.ENVIRONMENT)
    dependency_versions: str = _of(kinds.PARAMETERS)
    manylinux_image: str = _of(kinds.TEXT)
    manylinux_pypy_image: str = _of(kinds.TEXT)
    musllinux_image: str = _of(kinds.TEXT)
    container_engine: str = _of(kinds.PARAMETERS)


@dataclass(frozen=True, kw_only=True)
class Option:
    """One setting as users meet it: as a flag, an input, a variable, a key of the table.

    Attributes:
        field: the attribute of the class of settings.
        kind: of its values.
        in_table: may stand in `[tool.aarch64-wheels]`.
    """

    field: str
    kind: Kind
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
    def many(self) -> bool:
        """Whether a flag takes any number of words."""
        return isinstance(self.kind.empty, tuple)

    @property
    def choices(self) -> tuple[str, ...]:
        """The words the option takes; empty when it takes any."""
        return tuple(self.kind.words) if isinstance(self.kind, kinds.Choice) else ()


def options(kind: type = Settings) -> tuple[Option, ...]:
    """Every option of a class of settings that users have, in the order of its fields."""
    return tuple(option for option in all_fields(kind) if option.field not in _THEIRS_ALONE)


def all_fields(kind: type) -> tuple[Option, ...]:
    """Those that only a project's settings for cibuildwheel can have too."""
    hints = typing.get_type_hints(kind)
    return tuple(_option(item, hints[item.name]) for item in fields(kind))


def _option(item: Field[Any], hint: Any) -> Option:
    kind = item.metadata.get("kind") or _kind_of(hint)
    return Option(field=item.name, kind=kind, in_table=item.name not in _NOT_IN_TABLE)


def _kind_of(hint: Any) -> Kind:
    """Give the kind of value that a type hint means."""
    if typing.get_origin(hint) is types.UnionType:
        hint = typing.get_args(hint)[0]
    if typing.get_origin(hint) is tuple:
        return kinds.WORDS
    if issubclass(hint, enum.StrEnum):
        return kinds.choice(hint)
    known = {str: kinds.TEXT, int: kinds.NUMBER, bool: kinds.SWITCH, Path: kinds.PATH}
    return known[hint]
