"""Sources: a directory, an sdist file or a requirement becomes an unpacked project."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from aarch64_wheels.errors import UsageError
from aarch64_wheels.hashing import sha256_of
from aarch64_wheels.hostindex import IndexSettings, redact
from aarch64_wheels.source.archive import SDIST_SUFFIXES, unpack
from aarch64_wheels.source.cache import SdistCache
from aarch64_wheels.source.metadata import Metadata, directory_metadata, sdist_metadata
from aarch64_wheels.source.model import Source, SourceKind
from aarch64_wheels.source.requirement import fetch_sdist

__all__ = ["Metadata", "Source", "SourceKind", "open_source"]

#: What a text must end with to be taken for a file even when there is none of that name.
_FILE_SUFFIXES = (*SDIST_SUFFIXES, ".whl", ".tar.bz2", ".tar.xz", ".tar")

_HINT = "give a directory, an sdist file, or a requirement such as kiwisolver==1.4.7"


def open_source(
    text: str, workdir: Path, *, index: IndexSettings, cache_dir: Path, no_cache: bool
) -> Source:
    """Open a source: find out what it is, fetch and unpack it where needed, read its metadata.

    A directory or file of that name wins over a requirement.

    Args:
        text: the source as the user gave it.
        workdir: sdists are unpacked in a new directory below this one.
        index: where requirements are fetched from.
        cache_dir: downloads are kept in its `sdists`.
        no_cache: fetch anew what is kept there.

    Raises:
        UsageError: not a source, or one without build metadata, or a hostile archive.
        UnfitError: the index cannot be reached.
    """
    _refuse_urls(text)
    path = Path(text)
    if text and path.is_dir():
        return _directory(text, path)
    if text and path.is_file():
        return _sdist(text, path, workdir, SourceKind.SDIST)
    requirement = _requirement(text)
    file = fetch_sdist(requirement, index, SdistCache(cache_dir / "sdists"), reuse=not no_cache)
    return _sdist(text, file, workdir, SourceKind.REQUIREMENT)


def _directory(text: str, path: Path) -> Source:
    return Source(
        kind=SourceKind.DIRECTORY,
        origin=text,
        root=path.absolute(),
        sha256="",
        metadata=directory_metadata(path),
    )


def _sdist(text: str, file: Path, workdir: Path, kind: SourceKind) -> Source:
    _refuse_other_files(text if kind is SourceKind.SDIST else file.name)
    root = unpack(file, workdir)
    digest = sha256_of(file)
    return Source(kind=kind, origin=text, root=root, sha256=digest, metadata=sdist_metadata(root))


def _requirement(text: str) -> Requirement:
    if _looks_like_path(text):
        if not Path(text).exists():
            _refuse_wheel(text)
            raise UsageError(f"the source {_shown(text)} does not exist", hint=_HINT)
        raise UsageError(f"the source {text} is neither a directory nor a file", hint=_HINT)
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        found = redact(str(error).partition("\n")[0])
        raise UsageError(f"`{_shown(text)}` is not a source", found=found, hint=_HINT) from error
    if requirement.url is not None:  # without `//`, or `_refuse_urls` had seen it
        raise UsageError(f"`{_shown(text)}` is not a source", found="a direct URL", hint=_HINT)
    if requirement.marker is not None:
        raise UsageError(
            f"the requirement `{text}` has an environment marker, which says nothing here",
            hint="leave out what follows the `;`",
        )
    return requirement


def _shown(text: str) -> str:
    """Leave out credentials, unless the text can only be a path, where `@` is a mere letter."""
    return text if text.startswith((".", "/", "~")) else redact(text)


def _looks_like_path(text: str) -> bool:
    return "/" in text or text.startswith((".", "~")) or text.lower().endswith(_FILE_SUFFIXES)


def _refuse_urls(text: str) -> None:
    """VCS URLs (and direct URLs, PEP 508's `name @ url`) cannot be built from yet."""
    found = re.search(r"\b(?:(git|hg|svn|bzr)\+)?[a-z][a-z0-9+.-]*://\S*", text, re.IGNORECASE)
    is_scp = re.match(r"(?:git\+)?[\w.-]+@[\w.-]+:", text)  # git@host:owner/name
    if not found and not is_scp:
        return
    is_vcs = is_scp or (found and found[1]) or text.endswith(".git")
    url = found[0] if found else text
    raise UsageError(
        f"the source is a {'VCS ' if is_vcs else ''}URL, which cannot be built from yet",
        found=redact(_without_revision(url) if is_vcs else url),
        hint="clone it and give the directory" if is_vcs else "download it and give the file",
    )


def _without_revision(url: str) -> str:
    """Strip the `@v1` of a VCS URL, where it cannot be a host's beginning: `redact` keeps that."""
    if found := re.match(r"(.*\.git)@[^@]*$", url):
        return found[1]
    found = re.match(r"([^/]+://(?:[^/@]*@)?[^/@:]+\.[^/@:]+/[^@]*)@[^@]*$", url)
    return found[1] if found else url


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
