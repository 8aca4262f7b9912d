"""What a source is once it is open."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.source.metadata import Metadata


class SourceKind(enum.StrEnum):
    """What the user's text turned out to be; an sdist may come from a file or a direct URL."""

    DIRECTORY = "directory"
    SDIST = "sdist"
    REQUIREMENT = "requirement"
    VCS = "vcs"


@dataclass(frozen=True, kw_only=True)
class Source:
    """An unpacked project.

    Attributes:
        kind: what it was opened from; origin: as the user gave it, without credentials; of a VCS
            URL with the commit in place of the branch or tag.
        root: the project's directory on the host, which is copied as a whole: the user's own (or
            one around it, see `find_project`) for a directory, an unpacked copy otherwise.
        package: the directory with the build metadata, relative to `root`.
        sha256: hash of the sdist file in hexadecimal; empty where there is none.
        metadata: what it says about itself.
        file: the sdist file, None where there is none.
        commit: the commit's full name, of a VCS URL alone.
        epoch: when it was made, in seconds since 1970; None if it does not tell (see `epoch`).
        git_data: stands for the project's `.git` where that leads elsewhere (see `gitdata`).
        notes: what the user should know, one line each.
    """

    kind: SourceKind
    origin: str
    root: Path
    sha256: str
    metadata: Metadata
    package: PurePosixPath = field(default_factory=PurePosixPath)
    file: Path | None = None
    commit: str = ""
    epoch: int | None = None
    git_data: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def directory(self) -> Path:
        """The directory with the build metadata, on the host."""
        return self.root / self.package
