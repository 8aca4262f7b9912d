"""The embedded image's recipe as data, and the key under which its result is kept."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from aarch64_wheels.catalogue import find_image, interpreters

if TYPE_CHECKING:
    from aarch64_wheels.plan import Interpreter

#: `into` of a set whose programs run on this host while the image is made.
HOST = "host"

_DATA = (
    *("embedded.toml", "ensurepip.py", "fetch-debs.sh", "image.txt", "image-tools.txt"),
    *("apt-get.sh", "apt.conf", "dpkg.sh", "thread_atexit.s"),
)


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
        interpreters: those that are laid out below /opt/python.
        key: changes whenever the recipe, a lock or the code that follows it changes.
    """

    sysroot: PurePosixPath
    gcc_version: str
    sets: tuple[PackageSet, ...]
    interpreters: tuple[Interpreter, ...]
    key: str


def load_recipe() -> Recipe:
    """Read `data/embedded.toml`, and the embedded image's row of the catalogue."""
    data = resources.files("aarch64_wheels.data")
    table = tomllib.loads((data / "embedded.toml").read_text(encoding="utf-8"))
    tags = find_image("debian").interpreters or ()
    rows = tuple(row for row in interpreters() if row.tag in tags)
    return Recipe(
        sysroot=PurePosixPath(table["sysroot"]),
        gcc_version=table["gcc_version"],
        sets=tuple(PackageSet.from_row(row) for row in table["set"]),
        interpreters=rows,
        key=_key(rows),
    )


def _key(rows: tuple[Interpreter, ...]) -> str:
    """Hash what determines the image: interpreters, data files, and this package's code.

    The suites' releases are not part of it, for they can be known only by asking the mirror,
    and a kept image must need no network: `image build --refresh` compares them.
    """
    digest = hashlib.sha256(repr(rows).encode())
    data = resources.files("aarch64_wheels.data")
    for name in _DATA:
        digest.update((data / name).read_bytes())
    code = resources.files("aarch64_wheels.embedded")
    for entry in sorted(code.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".py"):
            digest.update(entry.read_bytes())
    return digest.hexdigest()[:16]
