"""What the doubles of an engine have in common."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from aarch64_wheels.engine.kept import LABEL


@dataclass(kw_only=True)
class KeptImages:
    """Knows by name which images it has kept, each of them just now."""

    kept: set[str] = field(default_factory=set)

    def find_labels(self, name: str) -> dict[str, str] | None:
        return {LABEL: str(int(time.time()))} if name in self.kept else None
