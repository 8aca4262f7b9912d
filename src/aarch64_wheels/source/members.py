"""Decides which members of an sdist may be unpacked, by their names and links alone.

No file system is asked. `realpath` above all must not be: on a path longer than PATH_MAX it
gives up half-way, and a link that leads outside looks as if it stayed inside (CVE-2025-4517).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import PurePosixPath

from aarch64_wheels.errors import UsageError

#: How many characters of a name an error shows.
_SHOWN = 120


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an sdist may unpack to.

    Attributes:
        size: bytes in all. members: how many of them, and how many directories they imply.
        path: bytes of one member's path; with the directory it is unpacked to it must stay
            below PATH_MAX (4096). name: bytes between two slashes. depth: names in a path.
    """

    size: int = 2 * 1024**3
    members: int = 200_000
    path: int = 2048
    name: int = 255
    depth: int = 100


class Kind(enum.StrEnum):
    """What a member is unpacked as."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"


class Members:
    """The members of one archive, checked as they come.

    The methods raise a UsageError that names the archive, the member and the reason.
    Names are given back in their shortest spelling (`./a//b` as `a/b`).
    """

    def __init__(self, archive: str, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._count = 0
        self._implied = 0
        self._size = 0
        self._kinds: dict[str, Kind] = {}
        self._sizes: dict[str, int] = {}
        self._links: dict[str, str] = {}
        self.top = ""

    def add(self, name: str, kind: Kind, size: int = 0) -> str:
        """Take a file or directory; gives its name, "" for the archive's own root."""
        self._take(name, size)
        parts = self._parts(name)
        if parts:
            self._place(name, parts, kind)
        elif kind is not Kind.DIRECTORY:
            raise self.hostile(name, "it has no name")
        path = "/".join(parts)
        if kind is Kind.FILE:
            self._sizes[path] = size
        return path

    def add_copy(self, name: str, original: str) -> tuple[str, str]:
        """Take a hard link: a copy of a file that came before; gives both names."""
        first = str(PurePosixPath(original))
        if self._kinds.get(first) is not Kind.FILE:
            raise self.hostile(name, "a hard link to a file that is not there yet")
        path = self.add(name, Kind.FILE, self._sizes[first])
        if path == first:
            raise self.hostile(name, "a hard link to itself")
        return path, first

    def add_link(self, name: str, target: str) -> None:
        """Take a symbolic link, which is decided on once all links are known (see `links`)."""
        path = self.add(name, Kind.LINK, len(target))
        self._check_lengths(name, target.split("/"))
        if not target or "\0" in target or target.startswith("/"):
            raise self.hostile(name, "a link that holds no relative path")
        self._links[path] = target

    def links(self) -> dict[str, str]:
        """Give the links and what they hold, each of which stays inside of the sdist."""
        for path, target in self._links.items():
            self._follow(path, target)
        return self._links

    def hostile(self, name: str, why: str) -> UsageError:
        """Make the error that refuses the archive for one of its members."""
        shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..."
        return UsageError(
            f"{self._archive} is not unpacked: its member {shown!r} is refused",
            found=why,
            hint="an sdist holds one directory with the project (PEP 625, PEP 721)",
        )

    def _take(self, name: str, size: int) -> None:
        self._count += 1
        self._size += size
        if self._count > self._limits.members:
            raise self.hostile(name, f"more than {self._limits.members} members")
        if size < 0:
            raise self.hostile(name, f"a size of {size} bytes")
        if self._size > self._limits.size:
            raise self.hostile(name, f"more than {self._limits.size} bytes when unpacked")

    def _parts(self, name: str) -> tuple[str, ...]:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
            raise self.hostile(name, "a path that leads outside of the sdist")
        self._check_lengths(name, path.parts)
        if path.parts:
            self.top = self.top or path.parts[0]
            if self.top != path.parts[0]:
                raise self.hostile(name, f"not below the one top directory `{self.top}`")
        return path.parts

    def _check_lengths(self, name: str, parts: tuple[str, ...] | list[str]) -> None:
        sizes = [len(part.encode("utf-8", "surrogatepass")) for part in parts]
        limits = self._limits
        if len(sizes) > limits.depth:
            raise self.hostile(name, f"a path of more than {limits.depth} names")
        if max(sizes, default=0) > limits.name or sum(sizes) + len(sizes) > limits.path:
            raise self.hostile(name, f"a path longer than {limits.name} or {limits.path} bytes")

    def _place(self, name: str, parts: tuple[str, ...], kind: Kind) -> None:
        """Note what stands where: a path means one kind, and only directories hold something."""
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            self._implied += parent not in self._kinds
            if self._kinds.setdefault(parent, Kind.DIRECTORY) is not Kind.DIRECTORY:
                raise self.hostile(name, f"it is below a {self._kinds[parent]}")
        if self._implied > self._limits.members:
            raise self.hostile(name, f"more than {self._limits.members} directories")
        known = self._kinds.setdefault("/".join(parts), kind)
        if known is not kind:
            raise self.hostile(name, f"a {kind} in the place of a {known}")

    def _follow(self, path: str, target: str) -> None:
        """Walk a link's text: never above the top directory, never through another link.

        It may end at a link, which was or will be walked itself.
        """
        place = path.split("/")[:-1]
        for part in target.split("/") if place else [".."]:
            if self._kinds.get("/".join(place)) is Kind.LINK:
                raise self.hostile(path, f"a link that leads through the link {'/'.join(place)!r}")
            if part == "..":
                place = place[:-1]
            elif part not in ("", "."):
                place.append(part)
            if not place:
                raise self.hostile(path, "a link that leads outside of the sdist")
