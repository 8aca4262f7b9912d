"""Which directory is the project of a package: the repository around it, or itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from aarch64_wheels.engine.archive import is_made_anew

GIT = ".git"


@dataclass(frozen=True, kw_only=True)
class Project:
    """What is copied into containers for a package.

    Attributes:
        root: the directory that is copied, absolute. package: the package's in it, relative.
        note: why it is not the repository around the package; empty where there is no such.
    """

    root: Path
    package: PurePosixPath = field(default_factory=PurePosixPath)
    note: str = ""


def find_project(path: Path, home: Path | None) -> Project:
    """Find what is copied into a container to build a package.

    That is the closest directory at or above that holds `.git`, so that the version can be told
    from it and files beside the package are there. But neither the home directory (of which
    people keep parts in git) nor a repository of another user (CVE-2022-24765), nor one that
    would be copied without the package, which then is no part of it.

    Args:
        path: a directory.
        home: the user's, if any.
    """
    own = path.resolve()
    root = next((place for place in (own, *own.parents) if _holds_git(place)), own)
    if root == own:
        return Project(root=path.absolute())
    if why := _why_not(root, own, home):
        note = f"the repository {root} around {path} is not copied with it: {why}"
        return Project(root=path.absolute(), note=note)
    return Project(root=root, package=PurePosixPath(own.relative_to(root)))


def _holds_git(place: Path) -> bool:
    try:
        return (place / GIT).exists()
    except OSError:  # a directory above that may not be looked into
        return False


def _why_not(root: Path, own: Path, home: Path | None) -> str:
    if home is not None and home.resolve().is_relative_to(root):
        return "the home directory is in it"
    if {(root / GIT).lstat().st_uid, root.stat().st_uid} != {own.stat().st_uid}:
        return "it belongs to another user"
    between = [own, *(place for place in own.parents if place.is_relative_to(root))]
    left_out = any(is_made_anew(place) for place in between if place != root)
    return "this is in a virtual environment or a cache of it" if left_out else ""
