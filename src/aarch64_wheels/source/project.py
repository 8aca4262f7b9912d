"""Which directory is a package's project: the working directory, the repository, or its own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from aarch64_wheels.engine.archive import is_made_anew
from aarch64_wheels.gitfiles import GIT

#: A `.git` that is a file has one line.
_MAX_LINE = 1 << 12


@dataclass(frozen=True, kw_only=True)
class Project:
    """What is copied into containers for a package.

    Attributes:
        root: the directory that is copied, absolute. package: the package's in it, relative.
        note: what is not copied and might be missed, and why; empty where there is no such.
    """

    root: Path
    package: PurePosixPath = field(default_factory=PurePosixPath)
    note: str = ""


def find_project(path: Path, home: Path | None, cwd: Path | None = None) -> Project:
    """Find what is copied into a container to build a package.

    That is the working directory, where the package lies below it: `cibuildwheel PACKAGE_DIR`
    takes it. Else it is the closest directory at or above that holds `.git`, so that the version
    can be told from it and files beside the package are there. But neither the home directory (of
    which people keep parts in git) nor a directory of another user (CVE-2022-24765), nor one that
    would be copied without the package or its git data, which then is no part of it.

    Args:
        path: a directory.
        home: the user's, if any.
        cwd: the working directory; None: it has no say.
    """
    own, here = path.resolve(), cwd.resolve() if cwd is not None else None
    if here is None or here not in own.parents:
        return _of_repository(path, own, home)
    if why := _why_not(here, own, home):
        found = _of_repository(path, own, home)
        is_same = found.note or found.root == here
        note = f"the working directory {here} is not copied with {path}: {why}"
        return found if is_same else replace(found, note=note)
    note, git = "", repository_around(own)
    if git in here.parents:
        note = f"the repository {git} is not copied, but {here} alone, the working directory: "
        note += f"if a version must be told from it, build from {git}"
    return Project(root=here, package=PurePosixPath(own.relative_to(here)), note=note)


def _of_repository(path: Path, own: Path, home: Path | None) -> Project:
    root = repository_around(own)
    if root in (own, None):
        return Project(root=path.absolute())
    if why := _why_not(root, own, home):
        note = f"the repository {root} around {path} is not copied with it: {why}"
        return Project(root=path.absolute(), note=note)
    return Project(root=root, package=PurePosixPath(own.relative_to(root)))


def repository_around(own: Path) -> Path | None:
    """Give the closest directory, at or above this one, that holds `.git`; None: there is none."""
    return next((place for place in (own, *own.parents) if _holds_git(place)), None)


def _holds_git(place: Path) -> bool:
    try:
        return (place / GIT).exists()
    except OSError:  # a directory above that may not be looked into
        return False


def _why_not(root: Path, own: Path, home: Path | None) -> str:
    """Say why a directory above a package is not copied with it; empty where it can be."""
    if root == root.parent:
        return "it is the root of the file system"
    if home is not None and home.resolve().is_relative_to(root):
        return "the home directory is in it"
    git = [root / GIT] if _holds_git(root) else []
    if {place.lstat().st_uid for place in (root, *git)} != {own.stat().st_uid}:
        return "it belongs to another user"
    between = [place for place in (own, *own.parents) if root in place.parents]
    if any(is_made_anew(place) for place in between):
        return "this is in a virtual environment or a cache of it"
    return "its git data would not be there" if _leads_out(between, root) else ""


def _leads_out(between: list[Path], root: Path) -> bool:
    """Tell whether a package has a `.git` file that leads nowhere in a copy of `root`."""
    git = next((place / GIT for place in between if _holds_git(place)), None)
    if git is None or git.is_dir():
        return False
    try:
        with git.open("rb") as stream:
            text = os.fsdecode(stream.read(_MAX_LINE))
    except OSError:
        return True
    name = Path(text.partition("gitdir:")[2].strip())
    return name.is_absolute() or not (git.parent / name).resolve().is_relative_to(root)
