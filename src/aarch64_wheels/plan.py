"""The plan: the pure description of everything a build will do. No I/O happens here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from aarch64_wheels.errors import UsageError
from aarch64_wheels.report.model import Stage
from aarch64_wheels.settings.modes import choose_mode, effective_backend, effective_compiler
from aarch64_wheels.settings.selectors import is_exact, select, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aarch64_wheels.settings.schema import Backend, Compiler, Mode, Settings
    from aarch64_wheels.source.metadata import Metadata


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
        build_requires: `[build-system] requires` (PEP 518); build_backend, backend_path: what
            makes the wheel (PEP 517).
        mode: how, never `auto`; backend: who runs the build backend; compiler: what compiles.
            These two are `auto` only in mode `accelerated`; the other modes settle them.
        explicit: the user named a target (not by a glob or `all`), so a missing interpreter
            is an error and not a target less.
        jobs: targets built at the same time; 0 means one for each core.
    """

    project: str
    version: str
    source: str
    source_sha256: str
    build_requires: tuple[str, ...]
    build_backend: str
    backend_path: tuple[str, ...]
    image: Image
    mode: Mode
    backend: Backend
    compiler: Compiler
    targets: tuple[Target, ...]
    explicit: bool
    jobs: int
    stages: tuple[Stage, ...] = tuple(Stage)

    def with_targets(self, targets: tuple[Target, ...]) -> Plan:
        """Give the same plan for other targets."""
        return replace(self, targets=targets)

    def to_json(self) -> str:
        """Write the plan as JSON: the same bytes for the same input."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


def make_plan(  # noqa: PLR0913 - a pure function takes all it depends on
    settings: Settings,
    metadata: Metadata,
    image: Image,
    interpreters: Sequence[Interpreter],
    *,
    source_origin: str,
    sha256: str,
    host_machine: str,
    host_system: str,
) -> Plan:
    """Decide what will be built. Pure: the same arguments give the same plan, without any I/O.

    Args:
        settings: the resolved settings.
        metadata: of the source.
        image: to build in.
        interpreters: the whole catalogue.
        source_origin: the source as the user gave it, without credentials.
        sha256: hash of the sdist file, empty for a directory.
        host_machine: what `platform.machine()` says on this host.
        host_system: what it runs (see `choose_mode`).

    Raises:
        UsageError: the mode does not fit the host, `backend` or `compiler` contradicts the mode,
            a selector, `requires-python` or a build requirement is wrong, or no target is left.
        UnfitError: a selector names an interpreter that the image does not have.
    """
    named = _named(settings.python, interpreters)
    chosen = _targets(settings.python, named, metadata, image, interpreters)
    mode = choose_mode(settings.mode, host_machine, host_system)
    return Plan(
        project=metadata.name,
        version=metadata.version,
        source=source_origin,
        source_sha256=sha256,
        build_requires=_checked_requires(metadata.build_requires),
        build_backend=metadata.build_backend,
        backend_path=metadata.backend_path,
        image=image,
        mode=mode,
        backend=effective_backend(settings, mode),
        compiler=effective_compiler(settings, mode),
        targets=tuple(
            Target(identifier=item.identifier(image.libc), interpreter=item) for item in chosen
        ),
        explicit=bool(named),
        jobs=settings.jobs,
    )


def _named(selectors: Iterable[str], interpreters: Sequence[Interpreter]) -> frozenset[str]:
    """Find the tags the user named one by one."""
    exact = [selector for selector in split(selectors) if is_exact(selector)]
    return frozenset(item.tag for item in select(exact, interpreters))


def _targets(
    selectors: Sequence[str],
    named: frozenset[str],
    metadata: Metadata,
    image: Image,
    interpreters: Sequence[Interpreter],
) -> tuple[Interpreter, ...]:
    requires = _specifier(metadata.requires_python)
    if split(selectors):
        candidates = select(selectors, interpreters, image)
    else:
        held = image.interpreters
        all_held = (item for item in interpreters if held is None or item.tag in held)
        candidates = tuple(item for item in all_held if item.default)
    chosen = tuple(item for item in candidates if _allows(requires, item))
    refused = [item.tag for item in candidates if item not in chosen]
    if named.intersection(refused) or not chosen:
        raise _excluded(metadata, image, [tag for tag in refused if not named or tag in named])
    return chosen


def _specifier(text: str) -> SpecifierSet:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        what = "the source's requires-python is not a version specifier (PEP 440)"
        raise UsageError(what, found=repr(text), hint="mend it in pyproject.toml") from error


def _allows(requires: SpecifierSet, interpreter: Interpreter) -> bool:
    """Compare a late patch version, as images hold those: `>=3.9.2` takes 3.9."""
    return requires.contains(f"{interpreter.version}.99")


def _excluded(metadata: Metadata, image: Image, refused: Sequence[str]) -> UsageError:
    project = metadata.name or "the source"
    return UsageError(
        f"requires-python `{metadata.requires_python}` of {project} excludes "
        f"{', '.join(refused) or 'every target'}",
        found=f"the image {image.name} has {', '.join(image.interpreters)}"
        if image.interpreters
        else "",
        hint="select other interpreters with --python, or another --image",
    )


def _checked_requires(requires: tuple[str, ...]) -> tuple[str, ...]:
    """Each once, and each a requirement (PEP 508): an installer's words would come much later."""
    for text in requires:
        try:
            Requirement(text)
        except InvalidRequirement as error:
            raise UsageError(
                f"`{text}` in [build-system] requires is not a requirement (PEP 508)",
                found=str(error).partition("\n")[0],
                hint="mend it in the source's pyproject.toml",
            ) from error
    return tuple(dict.fromkeys(requires))
