"""Wheels that serve more than one target: pure Python, the stable ABI, libraries without an ABI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.tags import compatible_tags, cpython_tags, generic_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag

    from aarch64_wheels.plan import Interpreter, Target

_PURE = "-none-any.whl"
#: ABIs that are not one interpreter's own (PEP 425).
_SHARED = frozenset({"abi3", "none"})


def is_pure(filename: str) -> bool:
    """Tell whether a wheel says that it holds no compiled code."""
    return filename.endswith(_PURE)


def is_stable_abi(filename: str) -> bool:
    """Tell whether a wheel is tagged for the stable ABI."""
    return any(tag.abi == "abi3" for tag in _tags(filename))


def find_shared(filenames: Iterable[str], target: Target) -> str:
    """Find the first wheel that was made for others and serves this target too, or nothing."""
    return next((name for name in filenames if serves(name, target)), "")


def serves(filename: str, target: Target) -> bool:
    """Tell whether a wheel for several interpreters can be installed by a target's."""
    allowed = installable(target.interpreter)
    platform = "musllinux_" if target.image.libc == "musl" else "manylinux"
    return any(
        tag.abi in _SHARED
        and (tag.interpreter, tag.abi) in allowed
        and (tag.platform == "any" or tag.platform.startswith(platform))
        for tag in _tags(filename)
    )


def installable(interpreter: Interpreter) -> set[tuple[str, str]]:
    """Give the pairs of interpreter and ABI that the target installs (PEP 425, abi3 included)."""
    name, abi = interpreter.directory.split("-", 1)
    version = tuple(int(part) for part in interpreter.version.split("."))
    if name.startswith("cp"):
        own = cpython_tags(version, [abi], ["any"])
    else:
        own = generic_tags(name, [abi], ["any"])
    return {(tag.interpreter, tag.abi) for tag in (*own, *compatible_tags(version, name, ["any"]))}


def _tags(filename: str) -> frozenset[Tag]:
    try:
        return parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return frozenset()
