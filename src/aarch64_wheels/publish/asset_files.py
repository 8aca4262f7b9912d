"""A file on its way to a GitHub release, and what GitHub would not take."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.errors import PublishError
from aarch64_wheels.hashing import sha256_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: GitHub wants files to be smaller than this, and not empty.
_TOO_LARGE = 1 << 31
#: How a name ends while what has it waits to replace another; no pattern for wheels fits it.
_WAITING = ".aarch64-wheels-new"


@dataclass(frozen=True, kw_only=True)
class AssetFile:
    """A file for a release.

    Attributes:
        path: its place here. sha256: its hash, in hex.
        derived: it tells of the other files, and of how they were built: one that differs is
            no other release, and is replaced unasked.
    """

    path: Path
    sha256: str
    derived: bool = False

    @classmethod
    def read(cls, path: Path, *, derived: bool = False) -> AssetFile:
        """Hash a file."""
        return cls(path=path, sha256=sha256_of(path), derived=derived)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def stored_name(self) -> str:
        """The asset's name: GitHub puts a period for what it does not like, such as `!`.

        It does not say what that is; this is what its own client `gh` takes it to be.
        """
        return re.sub(r"[^A-Za-z0-9_+@-]+", ".", self.name).strip(".")

    @property
    def waiting_name(self) -> str:
        """The asset's name while another has its own."""
        return self.stored_name + _WAITING

    @property
    def label(self) -> str:
        """What its page shows, where the asset cannot have the file's name."""
        return self.name if self.stored_name != self.name else ""

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.path.stat().st_size


def require_fit(files: Sequence[AssetFile]) -> None:
    """Refuse what GitHub would refuse in the middle.

    Raises:
        PublishError: a file's size, or names that would become the same.
    """
    if wrong := [one.name for one in files if not 0 < one.size < _TOO_LARGE]:
        raise PublishError(
            "a GitHub release takes no empty files, and none of 2 GiB or more",
            found=", ".join(wrong),
            hint="publish the others (--dists), or without --github-release",
        )
    names = [one.stored_name for one in files]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PublishError(
            "files would have the same name in a GitHub release",
            found=", ".join(twice),
            hint="rename one of them, or publish them in different releases",
        )
