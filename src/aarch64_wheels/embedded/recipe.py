"""The embedded image's recipe as data, and the key under which its result is kept."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

#: `into` of a set whose programs run on this host while the image is made.
HOST = "host"


@dataclass(frozen=True, kw_only=True)
class PackageSet:
    """Debian packages fetched in one go from one suite and unpacked into one place.

    Attributes:
        closure: packages fetched with their dependencies; alone: packages fetched without.
        into: a directory of the image, or `HOST`.
    """

    name: str
    suite: str
    architecture: str
    into: str
    closure: tuple[str, ...]
    alone: tuple[str, ...]

    @property
    def key(self) -> str:
        """Changes whenever what the set fetches changes."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> PackageSet:
        """Read one `[[set]]` of `data/embedded.toml`."""
        return cls(
            name=row["name"],
            suite=row["suite"],
            architecture=row["architecture"],
            into=row["into"],
            closure=tuple(row.get("closure", ())),
            alone=tuple(row.get("alone", ())),
        )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What the embedded image is made of.

    Attributes:
        sysroot: where the old glibc and GCC live in the image.
        key: changes whenever the recipe, a lock or the code that follows it changes.
    """

    sysroot: PurePosixPath
    gcc_version: str
    sets: tuple[PackageSet, ...]
    key: str


def load_recipe() -> Recipe:
    """Read `data/embedded.toml`."""
    data = resources.files("aarch64_wheels.data")
    table = tomllib.loads((data / "embedded.toml").read_text(encoding="utf-8"))
    return Recipe(
        sysroot=PurePosixPath(table["sysroot"]),
        gcc_version=table["gcc_version"],
        sets=tuple(PackageSet.from_row(row) for row in table["set"]),
        key=_key(),
    )


def _key() -> str:
    """Hash what determines the image: its data files and this package's code."""
    digest = hashlib.sha256()
    data = resources.files("aarch64_wheels.data")
    for name in ("embedded.toml", "fetch-debs.sh", "image.txt", "image-tools.txt"):
        digest.update((data / name).read_bytes())
    code = resources.files("aarch64_wheels.embedded")
    for entry in sorted(code.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".py"):
            digest.update(entry.read_bytes())
    return digest.hexdigest()[:16]
