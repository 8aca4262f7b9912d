"""What a wheel was made from and with, as far as it is the same wherever it is made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aarch64_wheels.report.model import ToolRecord

if TYPE_CHECKING:
    from aarch64_wheels.native.facts import Facts
    from aarch64_wheels.report.model import ImageRecord

CLANG, GCC = "clang", "gcc"


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
        image: that it was built in, None for a build without containers.
        mode: how. backend: how the build backend ran, empty where there is no choice.
        interpreter: of the target, such as `cpython 3.13.5`.
        compilers: of the build. tools: what else had a part in it.
    """

    source: str
    source_sha256: str
    image: ImageRecord | None
    mode: str
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
