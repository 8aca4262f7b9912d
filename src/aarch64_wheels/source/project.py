"""Which directory is the project of a package: the repository around it, or itself."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from aarch64_wheels.engine.archive import is_made_anew

GIT = ".git"


def find_project(path: Path, home: Path | None) -> tuple[Path, PurePosixPath]:
    """Find what is copied into a container to build a package.

    That is the closest directory at or above that holds `.git`, so that the version can be told
    from it and files beside the package are there. But neither the home directory (of which
    people keep parts in git) nor a repository of another user (CVE-2022-24765), nor one that
    would be copied without the package, which then is no part of it.

    Args:
        path: a directory.
        home: the user's, if any.

    Returns:
        The project's directory, absolute, and the package's relative to it.
    """
    own = path.resolve()
    root = next((place for place in (own, *own.parents) if _holds_git(place)), own)
    if root == own or not _is_project_of(root, own, home):
        return path.absolute(), PurePosixPath()
    return root, PurePosixPath(own.relative_to(root))


def _holds_git(place: Path) -> bool:
    try:
        return (place / GIT).exists()
    except OSError:  # a directory above that may not be looked into
        return False


def _is_project_of(root: Path, own: Path, home: Path | None) -> bool:
    if home is not None and home.resolve().is_relative_to(root):
        return False
    between = [own, *(place for place in own.parents if place.is_relative_to(root))]
    if any(is_made_anew(place) for place in between if place != root):
        return False
    return {(root / GIT).lstat().st_uid, root.stat().st_uid} == {own.stat().st_uid}
