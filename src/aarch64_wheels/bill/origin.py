"""What a wheel was made from and with, as far as it is the same wherever it is made."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aarch64_wheels.redaction import redact_logins
from aarch64_wheels.report.model import ToolRecord

if TYPE_CHECKING:
    from aarch64_wheels.native.facts import Facts
    from aarch64_wheels.report.model import ImageRecord

CLANG, GCC = "clang", "gcc"
#: A repository's URL at a commit, in which no `@` but that of the commit stands behind the host:
#: then what stands before the host is all there is of a login (RFC 3986, section 3.2).
_AT_COMMIT = re.compile(
    r"([a-z][a-z0-9+.-]*://)(?:[^@/?#\s]*@)?"
    r"((?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?/[^@?#\s]*@[0-9a-f]{7,64}(?:#[^@?\s]*)?)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class Compilers:
    """The compilers of a build by name, with their versions where these are known.

    Attributes:
        native: of the native tools. image: of the image, or of the host where there is none.
    """

    native: str = CLANG
    image: str = GCC


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a wheel comes from. Nothing in it tells of a machine, a user or a place of either.

    Attributes:
        source: the sdist's file name, the repository's URL with its commit, or the project's name
            where it was a directory; source_sha256: of the sdist, or over the directory's files.
        commit: that a directory or a repository was at; its files may differ from that, which
            the digest tells.
        sdist: the file name of the one that was made of these first, empty if none was.
        image: that it was built in, None for a build without containers. Only its reference and
            its digest are the same for all engines.
        mode: how. backend: how the build backend ran, empty where there is no choice.
        interpreter: of the target, such as `cpython 3.13.5`.
        compilers: of the build. tools: what else had a part in it.
    """

    source: str
    source_sha256: str
    image: ImageRecord | None
    mode: str
    commit: str = ""
    sdist: str = ""
    backend: str = ""
    interpreter: str = ""
    compilers: Compilers = field(default_factory=Compilers)
    tools: tuple[ToolRecord, ...] = ()


def built_by(origin: Origin, backend: str, facts: Facts) -> Origin:
    """Add what is known once a target's environment is there.

    Args:
        origin: of its wheel.
        backend: how the build backend runs.
        facts: of its interpreter.
    """
    clang = next((tool.version for tool in origin.tools if tool.name == CLANG), "")
    compilers = Compilers(native=f"{CLANG} {clang}".strip(), image=f"{GCC} {facts.gcc}".strip())
    return replace(origin, backend=backend, interpreter=facts.release, compilers=compilers)


def target_tools(facts: Facts) -> tuple[ToolRecord, ...]:
    """Name what a target's image builds with: its interpreter, and its GCC if it has one."""
    words = (facts.release, f"{GCC} {facts.gcc}")
    found = (text.partition(" ") for text in words)
    return tuple(ToolRecord(name=name, version=version) for name, _, version in found if version)


def without_login(text: str) -> str:
    """Give what a source is named by without the login that a URL in it may have.

    It should be clean already (`source.urls`): this is a second lock.
    """
    found = _AT_COMMIT.fullmatch(text)
    return f"{found[1]}{found[2]}" if found else redact_logins(text)
