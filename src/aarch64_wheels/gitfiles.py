"""What of git's data is copied into containers: one list, for whatever repository it is.

Builds tell versions from it, and read nothing else of it. Tokens lie about in the rest: in the logs
and `FETCH_HEAD` the URLs of `git pull` as they were typed, in `credentials` and hooks what people
put there. So a list says what is copied (gitrepository-layout(5) has the names), and whatever
is not in it stays on the host.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path

GIT = ".git"


class Part(Enum):
    """What a file of git's is to a build."""

    #: It names commits: versions change with it, and all else follows from it.
    COMMITS = "commits"
    #: It holds settings, of which `gitconfig.read_cleaned` leaves what is to be copied.
    CONFIG = "config"
    OTHER = "other"


Entry = tuple[Path, Part]
_Rules = Mapping[str, "Part | _Rules"]

_INFO: _Rules = {"attributes": Part.OTHER, "exclude": Part.OTHER, "grafts": Part.COMMITS}
_OWN_INFO: _Rules = {"sparse-checkout": Part.OTHER}
#: What all worktrees of a repository share. Of a directory with a part everything is copied. Of
#: git-annex: links in the project lead to its objects.
_SHARED: _Rules = {
    "annex": {"objects": Part.OTHER},
    "config": Part.CONFIG,
    "info": _INFO,
    "objects": Part.OTHER,
    "packed-refs": Part.COMMITS,
    "refs": Part.COMMITS,
    "reftable": Part.COMMITS,
    "shallow": Part.COMMITS,
}
#: What each of them has of its own.
_OWN: _Rules = {
    "HEAD": Part.COMMITS,
    "config.worktree": Part.CONFIG,
    "index": Part.OTHER,
    "info": _OWN_INFO,
    "sharedindex.*": Part.OTHER,
}
#: All of that, and where a worktree's own directory says whose it is.
_ALL: _Rules = {
    **_SHARED,
    **_OWN,
    "commondir": Part.OTHER,
    "gitdir": Part.OTHER,
    "info": {**_INFO, **_OWN_INFO},
}
#: In these are git directories: of submodules, below their names, and of worktrees.
_HOLDING = ("modules", "worktrees")

#: Links as they were in the first versions of git lead to the same.
_HEAD = re.compile(rb"ref:\s*refs/|[0-9a-f]{40}")
_MAX_HEAD = 256


def is_repository(path: Path) -> bool:
    """Tell by what is in a directory whether it is git's, whatever it is called, as git tells."""
    if os.path.lexists(path / "commondir"):
        return _is_head(path / "HEAD")
    holds_all = all((path / name).is_dir() for name in ("objects", "refs"))
    return holds_all and _is_head(path / "HEAD")


def contents(repository: Path) -> Iterator[Entry]:
    """Give all that is copied of a git directory, directories before what they hold.

    Args:
        repository: a `.git`, a submodule's or a worktree's directory in one.

    Raises:
        OSError: it cannot be read.
    """
    yield from _chosen(repository, _ALL)
    for name in _HOLDING:
        yield from _nested(repository / name)


def shared(repository: Path) -> Iterator[Entry]:
    """Give of `contents` what all worktrees of a repository share.

    Raises:
        OSError: it cannot be read.
    """
    return _chosen(repository, _SHARED)


def own(directory: Path) -> Iterator[Entry]:
    """Give of `contents` what belongs to one worktree alone.

    Raises:
        OSError: it cannot be read.
    """
    return _chosen(directory, _OWN)


def _is_head(path: Path) -> bool:
    if path.is_symlink():
        return str(path.readlink()).startswith("refs/")
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return _HEAD.match(stream.read(_MAX_HEAD)) is not None


def _chosen(place: Path, rules: _Rules) -> Iterator[Entry]:
    for child in sorted(place.iterdir()):
        rule = next((rules[name] for name in rules if fnmatchcase(child.name, name)), None)
        if isinstance(rule, Part):
            yield from ((path, rule) for path in _whole(child))
        elif rule is not None and _is_directory(child):
            yield child, Part.OTHER
            yield from _chosen(child, rule)


def _whole(path: Path) -> Iterator[Path]:
    yield path
    if _is_directory(path):
        for child in sorted(path.iterdir()):
            yield from _whole(child)


def _nested(place: Path) -> Iterator[Entry]:
    """Find the git directories somewhere in `place`: a submodule's name may have several parts."""
    if not _is_directory(place):
        return
    yield place, Part.OTHER
    if is_repository(place):
        yield from contents(place)
        return
    for child in sorted(place.iterdir()):
        yield from _nested(child)


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
