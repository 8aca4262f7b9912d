"""Sources: a directory, an sdist, a requirement or a URL becomes an unpacked project."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from aarch64_wheels.errors import UsageError
from aarch64_wheels.gitfiles import GIT
from aarch64_wheels.hashing import sha256_of
from aarch64_wheels.source.archive import SDIST_SUFFIXES, unpack
from aarch64_wheels.source.cache import SdistCache
from aarch64_wheels.source.direct import fetch_direct
from aarch64_wheels.source.epoch import commit_epoch, sdist_epoch
from aarch64_wheels.source.git import clone
from aarch64_wheels.source.gitdata import git_data
from aarch64_wheels.source.metadata import Metadata, directory_metadata, sdist_metadata
from aarch64_wheels.source.model import Source, SourceKind
from aarch64_wheels.source.project import Project, find_project
from aarch64_wheels.source.requirement import fetch_sdist
from aarch64_wheels.source.urls import GitLocation, SdistLocation, read_location, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.hostindex import IndexSettings

__all__ = ["Metadata", "Source", "SourceKind", "open_source", "sdist_source"]

#: What a text must end with to be taken for a file even when there is none of that name.
_FILE_SUFFIXES = (*SDIST_SUFFIXES, ".whl", ".tar.bz2", ".tar.xz", ".tar")

_HINT = "give a directory, an sdist file, a git+https URL, or a requirement: kiwisolver==1.4.7"


def open_source(
    text: str,
    workdir: Path,
    *,
    index: IndexSettings,
    cache_dir: Path,
    no_cache: bool,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Source:
    """Open a source: find out what it is, fetch and unpack it where needed, read its metadata.

    A directory or file of that name wins over a requirement.

    Args:
        text: the source as the user gave it.
        workdir: sdists are unpacked, and repositories cloned, in a new directory below this one.
        index: where requirements are fetched from.
        cache_dir: downloads are kept in its `sdists`.
        no_cache: fetch anew what is kept there.
        environ: the process's variables, for git and the home directory; None: its own.
        cwd: the working directory, which is copied with a package below it (see `find_project`).

    Raises:
        UsageError: not a source, or one without build metadata, or a hostile archive.
        UnfitError: the index or a server cannot be reached, or there is no git to ask it with.
    """
    environ = os.environ if environ is None else environ
    location = read_location(text)
    if isinstance(location, GitLocation):
        return _cloned(location, _new_directory(workdir), environ)
    if location is not None:
        return _fetched(location, _new_directory(workdir), index)
    path = Path(text)
    # These two take any text; those of `Path` raise OSError for a name that is too long.
    if text and os.path.isdir(text):  # noqa: PTH112
        home = environ.get("HOME", "")
        project = find_project(path, Path(home) if home else None, cwd)
        return _directory(text, path, workdir, project, environ)
    if text and os.path.isfile(text):  # noqa: PTH113
        _refuse_other_files(text)
        return sdist_source(text, path, workdir)
    requirement = _requirement(text)
    file = fetch_sdist(requirement, index, SdistCache(cache_dir / "sdists"), reuse=not no_cache)
    return sdist_source(text, file, workdir, kind=SourceKind.REQUIREMENT)


def sdist_source(
    origin: str,
    file: Path,
    workdir: Path,
    *,
    kind: SourceKind = SourceKind.SDIST,
    package: PurePosixPath | None = None,
) -> Source:
    """Unpack an sdist file and read it.

    Args:
        origin: what it is called in reports.
        file: the sdist.
        workdir: it is unpacked in a new directory below this one.
        kind: what it came from.
        package: the directory with the build metadata in it; None: its own root.

    Raises:
        UsageError: it is hostile, or no sdist, or without build metadata.
    """
    _refuse_other_files(file.name)
    root = unpack(file, workdir)
    return Source(
        kind=kind,
        origin=origin,
        root=root,
        sha256=sha256_of(file),
        metadata=sdist_metadata(_inside(root, package or PurePosixPath())),
        package=package or PurePosixPath(),
        file=file,
        epoch=sdist_epoch(file, root),
    )


def _directory(
    text: str, path: Path, workdir: Path, project: Project, environ: Mapping[str, str]
) -> Source:
    metadata = directory_metadata(path)
    data, notes = git_data(project.root, workdir)
    if project.package.parts:
        is_repository = (project.root / GIT).exists()
        what = "the repository around it" if is_repository else "the working directory"
        notes = (f"the project of {text} is {project.root}, {what}", *notes)
    return Source(
        kind=SourceKind.DIRECTORY,
        origin=text,
        root=project.root,
        sha256="",
        metadata=metadata,
        package=project.package,
        git_data=data,
        epoch=commit_epoch(project.root, environ),
        notes=(*filter(None, [project.note]), *notes),
    )


def _cloned(location: GitLocation, place: Path, environ: Mapping[str, str]) -> Source:
    found = clone(location, place, environ)
    metadata = directory_metadata(_inside(found.root, location.subdirectory))
    _refuse_another(location.name, metadata)
    part = f"#subdirectory={location.subdirectory}" if location.subdirectory.parts else ""
    return Source(
        kind=SourceKind.VCS,
        origin=f"git+{location.shown}@{found.commit}{part}",
        root=found.root,
        sha256="",
        metadata=metadata,
        package=location.subdirectory,
        commit=found.commit,
        epoch=commit_epoch(found.root, environ),
    )


def _fetched(location: SdistLocation, place: Path, index: IndexSettings) -> Source:
    file = fetch_direct(location, place, index)
    source = sdist_source(location.shown, file, place, package=location.subdirectory)
    _refuse_another(location.name, source.metadata)
    return source


def _new_directory(workdir: Path) -> Path:
    workdir.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="fetched-", dir=workdir))


def _inside(root: Path, package: PurePosixPath) -> Path:
    """Give a package's directory, once it is seen that nothing read there is a link out."""
    place = root / package
    if not place.is_dir():
        raise UsageError(
            f"the source has no directory {package}",
            hint="correct what follows `#subdirectory=`",
        )
    for path in (place, *(place / name for name in ("pyproject.toml", "setup.cfg", "PKG-INFO"))):
        if not path.resolve().is_relative_to(root.resolve()):
            what = f"the source's {path.relative_to(root)} is a link that leads out of it"
            raise UsageError(what, hint="such a source is not to be trusted")
    return place


def _refuse_another(name: str, metadata: Metadata) -> None:
    """Hold `name @ url` to its word (PEP 508), where the name can be known."""
    if name and metadata.name and canonicalize_name(name) != canonicalize_name(metadata.name):
        raise UsageError(
            f"the URL was given as that of {name}, and holds another project",
            found=metadata.name,
            hint="correct the name before the `@`, or the URL",
        )


def _requirement(text: str) -> Requirement:
    if _looks_like_path(text):
        if not os.path.exists(text):  # noqa: PTH110
            _refuse_wheel(text)
            raise UsageError(f"the source {_shown(text)} does not exist", hint=_HINT)
        raise UsageError(f"the source {text} is neither a directory nor a file", hint=_HINT)
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        found = shown(str(error).partition("\n")[0])
        raise UsageError(f"`{_shown(text)}` is not a source", found=found, hint=_HINT) from error
    if requirement.url is not None:  # without `//`, or `read_location` had seen it
        raise UsageError(f"`{_shown(text)}` is not a source", found="a direct URL", hint=_HINT)
    if requirement.marker is not None:
        raise UsageError(
            f"the requirement `{text}` has an environment marker, which says nothing here",
            hint="leave out what follows the `;`",
        )
    return requirement


def _shown(text: str) -> str:
    """Leave out credentials, unless the text can only be a path, where `@` is a mere letter."""
    return text if text.startswith((".", "/", "~")) else shown(text)


def _looks_like_path(text: str) -> bool:
    return "/" in text or text.startswith((".", "~")) or text.lower().endswith(_FILE_SUFFIXES)


def _refuse_other_files(name: str) -> None:
    _refuse_wheel(name)
    if not name.lower().endswith(SDIST_SUFFIXES):
        raise UsageError(
            f"{name} is not an sdist",
            found=f"a name that does not end with {', '.join(SDIST_SUFFIXES)}",
            hint=_HINT,
        )


def _refuse_wheel(name: str) -> None:
    if name.lower().endswith(".whl"):
        raise UsageError(
            f"{name} is a wheel: it is built already, and wheels are made from sources",
            hint="give the sdist or the project's directory; `audit` takes wheels",
        )
