"""Where a container's paths are on the host: `WORK` and `PROJECT` are in a private directory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError
from aarch64_wheels.native.places import PROJECT, WORK

if TYPE_CHECKING:
    from collections.abc import Mapping

_OURS = (WORK, PROJECT)


@dataclass(frozen=True, kw_only=True)
class Places:
    """The container's paths of one session, on the host.

    Attributes:
        root: stands for the container's `/`, an absolute path without links in it. Only what is
            below `WORK` and `PROJECT` is in it; all other paths mean the host's own.
    """

    root: Path

    def place(self, path: PurePosixPath) -> Path:
        """Give the place of what a container has at this path.

        Raises:
            StageError: it is not below one of these, or lies behind a link that leads elsewhere.
        """
        found = self.root / path.relative_to("/") if path.is_absolute() else self.root / path
        inside = _is_ours(path) and ".." not in path.parts
        if not inside or not found.parent.resolve().is_relative_to(self.root):
            raise StageError(
                f"{path} is no place of this build",
                found=f"without containers, files are only touched below {self.root}",
            )
        return found

    def text(self, text: str) -> str:
        """Replace each path of ours in a text: an argument, a variable, a command line.

        A path that only holds the words (`/home/me/aarch64-wheels/x`), or is mapped already,
        stays as it is.
        """
        return self._pattern.sub(lambda found: found["before"] + self._own(found["path"]), text)

    def variables(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Replace the paths in the values of variables."""
        return {name: self.text(value) for name, value in variables.items()}

    def directory(self, path: PurePosixPath | None) -> Path:
        """Give the working directory of a command: the host's own outside of our places."""
        if path is None:
            return self.root
        return self.place(path) if _is_ours(path) else Path(path)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # `-I/x`, `-L/x` and `file:///x` put something right in front of an absolute path.
        before = r"(?P<before>(?<![\w./~}-])(?:-[A-Za-z]|file://)?)"
        names = "|".join(re.escape(str(place)) for place in _OURS)
        return re.compile(rf"{before}(?P<path>{names})(?![\w.-])")

    def _own(self, path: str) -> str:
        return str(self.place(PurePosixPath(path)))


def _is_ours(path: PurePosixPath) -> bool:
    return any(path.is_relative_to(place) for place in _OURS)
