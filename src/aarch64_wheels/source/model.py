"""What a source is once it is open."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.source.metadata import Metadata


class SourceKind(enum.StrEnum):
    """What the user's text turned out to be."""

    DIRECTORY = "directory"
    SDIST = "sdist"
    REQUIREMENT = "requirement"


@dataclass(frozen=True, kw_only=True)
class Source:
    """An unpacked project.

    Attributes:
        kind: what it was opened from; origin: as the user gave it, without credentials.
        root: the project's directory on the host: the user's own for a directory,
            an unpacked copy otherwise.
        sha256: hash of the sdist file in hexadecimal; empty for a directory.
        metadata: what it says about itself.
    """

    kind: SourceKind
    origin: str
    root: Path
    sha256: str
    metadata: Metadata
