"""Platform tags of aarch64 Linux, and which of them covers which (PEP 513, 571, 599, 600, 656)."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Self

_VERSIONED = re.compile(r"(?P<family>manylinux|musllinux)_(?P<major>\d+)_(?P<minor>\d+)_aarch64")


class Family(enum.StrEnum):
    """Which C library a platform tag speaks of; `linux` promises none."""

    LINUX = "linux"
    MANYLINUX = "manylinux"
    MUSLLINUX = "musllinux"


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A platform tag of aarch64 Linux: the C library and its oldest version."""

    family: Family
    version: tuple[int, int] = (0, 0)

    @classmethod
    def parse(cls, tag: str) -> Self | None:
        """Read one platform tag; None when it is not one of aarch64 Linux."""
        if tag == "linux_aarch64":
            return cls(family=Family.LINUX)
        if tag == "manylinux2014_aarch64":  # PEP 600: the old name of manylinux_2_17
            return cls(family=Family.MANYLINUX, version=(2, 17))
        match = _VERSIONED.fullmatch(tag)
        if match is None:
            return None
        version = (int(match["major"]), int(match["minor"]))
        return cls(family=Family(match["family"]), version=version)

    def runs_on(self, other: Platform) -> bool:
        """Whether what meets this platform also runs on `other`.

        A musllinux version can't be read from content (musl has no symbol versions,
        PEP 656), so within musllinux every version is as good as another.
        """
        match other.family:
            case Family.LINUX:
                return True
            case Family.MUSLLINUX:
                return self.family is Family.MUSLLINUX
            case Family.MANYLINUX:
                return self.family is Family.MANYLINUX and self.version <= other.version
