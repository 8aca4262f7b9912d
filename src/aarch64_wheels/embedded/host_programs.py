"""Programs of this host's architecture that work on the image while it is made."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class HostPrograms:
    """Programs unpacked from packages of this host's architecture, with their own loader.

    The host's C library may be older than theirs, so they never meet it.
    """

    root: Path

    def argv(self, name: str) -> list[str]:
        """How to start the program `name` (such as `python3.13`) on this host.

        Raises:
            UnfitError: the packages hold no loader.
        """
        loaders = [*self.root.glob("usr/lib*/ld-linux-*"), *self.root.glob("usr/lib/*/ld-linux-*")]
        if not loaders:
            raise UnfitError(
                "the packages of this host's architecture hold no dynamic loader",
                hint="run again with --no-cache; if it fails again, please report it",
            )
        loader = min(loaders)
        libraries = f"{loader.parent}:{self.root}/usr/lib/{os.uname().machine}-linux-gnu"
        return [str(loader), "--library-path", libraries, str(self.root / "usr/bin" / name)]
