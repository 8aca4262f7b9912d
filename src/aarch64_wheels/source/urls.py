"""Reads the URLs that sources are given by: `git+https://…@ref#subdirectory=…`, `name @ …`.

The spelling is pip's (and PEP 508's direct references); nothing is fetched here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from aarch64_wheels.errors import UsageError
from aarch64_wheels.redaction import redact
from aarch64_wheels.source.archive import SDIST_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping

#: How git may be reached; not by `git:`, which neither encrypts nor knows who answers, and above
#: all not by `ext:`, which runs programs.
GIT_SCHEMES = ("https", "http", "ssh", "file")
#: Hashes that a direct URL may have; weaker ones say nothing against an attacker.
HASHES = ("sha256", "sha384", "sha512")

_URL = re.compile(
    r"(?:(?P<name>[a-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*@\s*)?(?P<url>[a-z][a-z0-9+.-]*://\S+)",
    re.IGNORECASE | re.ASCII,
)
_SCP = re.compile(r"(?:git\+)?[\w.-]+@[\w.-]+:")  # git@host:owner/name
_VCS = re.compile(r"\b(?:hg|svn|bzr|git)\+[a-z]", re.IGNORECASE)
#: What git forbids in the names of branches and tags (git-check-ref-format(1)), and `^`, `~`, `:`
#: and `@{`, which would make an expression of it.
_NOT_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
#: A URL with an `@` in its path, whose login ends at an `@` before or is none. What may just as
#: well be half of a password with a `/` in it does not fit: see `shown`.
_AT_IN_PATH = re.compile(
    r"""
    (?P<before> [(\['"<`]* (?:[\w.-]+(?:\[[^\]@/]*\])?@)? [a-z][a-z0-9+.-]*:// )
    (?: [^@/?#]*@ | (?=localhost[:/] | [\w-]+\.[\w.-]*[a-z]/) )
    (?P<place>
        (?:[\w.-]+ | \[[0-9a-f:.]+\]) (?::\d+)?
        / (?: [^@?#]*\.git@[^@?#]* | [^@?#]*@[^@?#/]* )
    )
    (?: [?#][^@]* )?
    """,
    re.IGNORECASE | re.ASCII | re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where a source is.

    Attributes:
        url: to be asked; it may hold credentials, so it is not to be shown.
        shown: the same without them.
        name: the project that it should be; empty: any.
        subdirectory: of what is there, with the package.
    """

    url: str = field(repr=False)
    shown: str
    name: str = ""
    subdirectory: PurePosixPath = field(default_factory=PurePosixPath)


@dataclass(frozen=True, kw_only=True)
class GitLocation(Location):
    """A git repository; `ref` is a branch, a tag or a commit, empty for the default branch."""

    ref: str = ""


@dataclass(frozen=True, kw_only=True)
class SdistLocation(Location):
    """An sdist's own URL. `digests` has the hashes by algorithm that its content must have."""

    filename: str
    digests: Mapping[str, str] = field(default_factory=dict)


def read_location(text: str) -> GitLocation | SdistLocation | None:
    """Read a source's URL; None where the text is none.

    Raises:
        UsageError: a URL that nothing can be built from; never with its credentials.
    """
    found = _URL.fullmatch(text.strip())
    if found is None:
        _refuse_other(text)
        return None
    name, url = found["name"] or "", found["url"]
    is_git = url[:4].lower() == "git+"
    try:
        parts = urlsplit(url[4:] if is_git else url)
        _ = parts.port  # an invalid one is found when it is asked for
    except ValueError as error:
        raise _no_source(text, "its host or port cannot be read") from error
    location = _git(parts, name, text) if is_git else _sdist(parts, name, text)
    if not unquote(location.url).isprintable():
        raise _no_source(text, "it holds control characters")
    return location


def _refuse_other(text: str) -> None:
    if "://" not in text and not _SCP.match(text):
        return
    hint = "see the README for what a source can be"
    if _SCP.match(text):
        hint = "write git+ssh://USER@HOST/PATH, or give a directory with a clone of it"
    elif ";" in text:
        hint = "leave out what follows the `;`: a marker says nothing here"
    raise _no_source(text, "a URL that cannot be read", hint)


def shown(text: str) -> str:
    """Redact a text with URLs of sources, whose `@` before a branch or tag is no login's.

    `redaction.redact` takes all before the last `@` for a login, so that no odd password is
    shown. It has the word where it may be right: where an `@` can be meant in two ways.
    """
    return re.sub(r"\S+", lambda word: _shown_word(word[0]), text, flags=re.ASCII)


def _shown_word(word: str) -> str:
    found = _AT_IN_PATH.fullmatch(word)
    return f"{found['before']}{found['place']}" if found else redact(word)


def _no_source(text: str, found: str, hint: str = "") -> UsageError:
    hint = hint or "write git+https://HOST/PATH@REF, or the URL of an sdist"
    return UsageError(f"`{shown(text)}` is not a source", found=found, hint=hint)


def _git(parts: SplitResult, name: str, text: str) -> GitLocation:
    path, mark, ref = parts.path.rpartition("@") if "@" in parts.path else (parts.path, "", "")
    if parts.scheme not in GIT_SCHEMES:
        raise _no_source(text, f"git over {parts.scheme}: it is asked by {', '.join(GIT_SCHEMES)}")
    _check_host(parts, text)
    if not path.strip("/") or parts.query:
        raise _no_source(text, "a query" if parts.query else "no path to a repository")
    if mark and (not ref or ref[0] in "-+/" or _NOT_IN_REF.search(ref)):
        raise _no_source(text, "what follows the `@` can be no branch, tag or commit")
    if parts.scheme == "ssh" and parts.password is not None:
        raise _no_source(text, "a password, which ssh does not take from a URL")
    words = _fragment(parts.fragment, (), text)
    # Of ssh the user's name is needed, and no secret.
    netloc = parts.netloc if parts.scheme == "ssh" else parts.netloc.rpartition("@")[2]
    return GitLocation(
        url=urlunsplit((parts.scheme, parts.netloc, path, "", "")),
        shown=urlunsplit((parts.scheme, netloc, path, "", "")),
        name=name,
        subdirectory=_subdirectory(words, text),
        ref=ref,
    )


def _check_host(parts: SplitResult, text: str) -> None:
    """Refuse hosts that cannot be, or that ssh takes for options (CVE-2017-1000117)."""
    host = parts.hostname or ""
    if parts.scheme == "file":
        if host not in ("", "localhost"):
            raise _no_source(text, "a file URL with a host; three slashes follow `file:`")
    elif not host or host.startswith("-") or (parts.username or "").startswith("-"):
        raise _no_source(text, "no host that could be asked")


def _sdist(parts: SplitResult, name: str, text: str) -> SdistLocation:
    filename = unquote(parts.path).rpartition("/")[2]
    if parts.scheme not in ("http", "https"):
        hint = "clone it and give the directory" if _VCS.search(text) else ""
        hint = hint or "write git+ before a repository's URL; a file is given by its path"
        raise _no_source(text, f"a URL of the scheme {parts.scheme}", hint)
    if not filename.lower().endswith(SDIST_SUFFIXES) or "\0" in filename:
        hint = f"write git+{parts.scheme}:// for a repository, or give the URL of an sdist"
        raise _no_source(text, f"it does not end with {', '.join(SDIST_SUFFIXES)}", hint)
    _check_host(parts, text)
    words = _fragment(parts.fragment, HASHES, text)
    netloc = parts.netloc.rpartition("@")[2]
    return SdistLocation(
        url=urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, "")),
        shown=urlunsplit((parts.scheme, netloc, parts.path, "", "")),
        name=name,
        subdirectory=_subdirectory(words, text),
        filename=filename,
        digests={key: value.lower() for key, value in words.items() if key in HASHES},
    )


def _fragment(fragment: str, more: tuple[str, ...], text: str) -> dict[str, str]:
    """Read `a=1&b=2`. What is not known is refused: a misspelt hash would not be checked."""
    words: dict[str, str] = {}
    for item in filter(None, fragment.split("&")):
        key, _, value = item.partition("=")
        if key not in ("subdirectory", "egg", *more) or not value or key in words:
            known = ", ".join(("subdirectory", *more))
            raise _no_source(text, f"its fragment holds more than: {known}")
        words[key] = unquote(value)
    return words


def _subdirectory(words: Mapping[str, str], text: str) -> PurePosixPath:
    path = PurePosixPath(words.get("subdirectory", "."))
    if path.is_absolute() or ".." in path.parts:
        raise _no_source(text, "its subdirectory leads out of the source")
    return path
