"""Where a container's paths are on the host: `WORK` and `PROJECT` are in a private directory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError
from aarch64_wheels.native.places import PROJECT, WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OURS = (WORK, PROJECT)

#: Ends what stands before it, in words of shells, lists of paths and options.
_BREAKS = r"\s=:;&|(<>,"
#: One that stands behind the beginning of a word opens; one behind its characters closes.
_QUOTES = r"""(?:\\*["'`])*"""
#: What an absolute path follows at once: an option, as `-I`, `-L` and `-isystem`, or the mark of
#: a file of arguments (`@/x`).
_OPTION = r"(?:-[A-Za-z]|-i[a-z]+|@)"
#: Our paths, each where it begins a word, and so is no end of another: `"$DIR"/project`,
#: `*/project`. `name@host:` is consumed, for what comes next is a path of another machine.
_PATHS = re.compile(
    rf"""
    (?<![^{_BREAKS}]) [^{_BREAKS}/@]+ @ [^{_BREAKS}/@]+ : (?=/(?!/))
    | (?P<before>
        (?: \A | [{_BREAKS}\[{{] ) {_QUOTES} (?: {_OPTION} {_QUOTES} )?
        | (?<!\w) file://
      )
      (?P<path> {"|".join(re.escape(str(place)) for place in _OURS)} ) (?![\w.-])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True)
class Places:
    """The container's paths of one session, on the host.

    Attributes:
        root: stands for the container's `/`, an absolute path without links in it, and none that
            is mapped itself. Only what is below `WORK` and `PROJECT` is in it; all other paths
            mean the host's own.
    """

    root: Path

    def place(self, path: PurePosixPath) -> Path:
        """Give the place of what a container has at this path.

        Raises:
            StageError: it is not below one of these, or lies behind a link that leads elsewhere.
        """
        found = self.root / path.relative_to("/") if path.is_absolute() else self.root / path
        inside = is_ours(path) and ".." not in path.parts
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
        return _replaced(text, lambda path: str(self.place(PurePosixPath(path))))

    def variables(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Replace the paths in the values of variables."""
        return {name: self.text(value) for name, value in variables.items()}

    def path(self, path: PurePosixPath) -> Path:
        """Give what a path means: the host's own outside of our places.

        Raises:
            StageError: it lies behind a link that leads elsewhere.
        """
        return self.place(path) if is_ours(path) else Path(path)


def kept(text: str) -> str:
    """Write a text of the host's own so that `Places.text` leaves it as it is.

    The host may have directories of these names, too: `/./project` means the same one there, and
    no path of a container is written like this.
    """
    return _replaced(text, lambda path: f"/.{path}")


def is_ours(path: PurePosixPath) -> bool:
    """Tell whether a path is one that `Places` maps."""
    return any(path.is_relative_to(place) for place in _OURS)


def _replaced(text: str, replace: Callable[[str], str]) -> str:
    def one(found: re.Match[str]) -> str:
        path: str | None = found["path"]
        return found[0] if path is None else found["before"] + replace(path)

    return _PATHS.sub(one, text)
