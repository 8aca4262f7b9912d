"""Build environments kept between runs: the second build of a project needs no index.

An archive is only ever taken in a container in which no code of a project has run, so no source
can put anything into the environment of another's build (`stages/environment.py`).
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aarch64_wheels.plan import Interpreter

#: Seconds after which requirements are resolved anew: one like `setuptools>=77` must come to
#: mean a newer release some day.
FRESH_SECONDS = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class EnvironmentStore:
    """Archives of build environments in the cache.

    Attributes:
        directory: where they are. image_id: the image they were made in.
        indexes: what their packages came from.
        reuse: False: make each anew.
    """

    directory: Path
    image_id: str
    indexes: tuple[str, ...] = ()
    reuse: bool = True

    def archive(
        self, interpreter: Interpreter, requires: Sequence[str], made_by: Sequence[str] = ()
    ) -> Path:
        """Give the archive's path for an interpreter and what a build requires.

        `made_by` says what else it depends on: a native interpreter's key, our files in it.
        """
        parts = [self.image_id, interpreter.directory, *self.indexes, "", *sorted(requires)]
        parts += ["", *made_by]
        key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
        return self.directory / f"{interpreter.tag}-{key}.tar"

    def holds(self, archive: Path) -> bool:
        """Tell whether an archive is there and fresh."""
        return self.reuse and _age(archive) < FRESH_SECONDS

    def draft(self, archive: Path) -> Path:
        """Give a place to write an archive to, until it is whole and takes its name."""
        self.directory.mkdir(parents=True, exist_ok=True)
        return archive.with_suffix(f".{time.monotonic_ns()}.partial")

    def discard_old(self) -> None:
        """Remove archives, and parts of them, that nothing will use any more."""
        for path in [*self.directory.glob("*.tar"), *self.directory.glob("*.partial")]:
            if _age(path) > FRESH_SECONDS:
                path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    """Count the seconds since a file was written; infinitely many if another run removed it."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return math.inf
