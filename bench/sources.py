"""The sources that are measured, from sources.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Source:
    """A pinned source.

    Attributes:
        name, version: as an index knows them. about: its language and build backend.
        main: also built in the ways that are measured for one source only.
        slow_rounds: rounds of what takes minutes under QEMU.
    """

    name: str
    version: str
    about: str
    main: bool = False
    slow_rounds: int = 1

    @property
    def requirement(self) -> str:
        """The pin: `kiwisolver==1.4.7`."""
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A text of one of a project's files that is replaced."""

    file: str
    old: str
    new: str

    def apply(self, project: Path) -> None:
        """Make the change in an unpacked project.

        Raises:
            ValueError: the text is not there.
        """
        path = project / self.file
        before = path.read_text(encoding="utf-8")
        if self.old not in before:
            raise ValueError(f"there is no {self.old} in {self.file}")
        path.write_text(before.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Heavy:
    """The big source.

    Attributes:
        setup: what Meson is told besides.
        relaxed: what must change for the image's GCC to configure it at all.
        tests: the modules that are run.
    """

    source: Source
    setup: tuple[str, ...]
    relaxed: Change
    tests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Everything of sources.toml.

    Attributes:
        python: the tag of the CPython (`cp313`). python_version: the same for uv (`3.13`).
        five: tags for the build for several.
    """

    python: str
    python_version: str
    five: tuple[str, ...]
    sources: tuple[Source, ...]
    heavy: Heavy

    def pick(self, names: Sequence[str]) -> tuple[Source, ...]:
        """Give the sources of these names, in the catalogue's order; all for none.

        Raises:
            ValueError: there is no source of that name; says which there are.
        """
        known = [source.name for source in self.sources]
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"no source {', '.join(unknown)}; there are {', '.join(known)}")
        return tuple(source for source in self.sources if not names or source.name in names)


def load_catalogue() -> Catalogue:
    """Read sources.toml."""
    data = tomllib.loads((files("bench") / "sources.toml").read_text(encoding="utf-8"))
    return Catalogue(
        python=data["python"],
        python_version=data["python_version"],
        five=tuple(data["five"]),
        sources=tuple(Source(**row) for row in data["source"]),
        heavy=_heavy(data["heavy"]),
    )


def _heavy(row: dict[str, Any]) -> Heavy:
    source = Source(name=row["name"], version=row["version"], about=row["about"])
    return Heavy(
        source=source,
        setup=tuple(row["setup"]),
        relaxed=Change(**row["relaxed"]),
        tests=tuple(row["tests"]),
    )
