"""Which file names of extension modules an interpreter will import (`EXT_SUFFIX`, PEP 3149)."""

from __future__ import annotations

import functools
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.tags import Tag

# `name.cpython-313-aarch64-linux-gnu.so`, `name.pypy311-pp73-aarch64-linux-gnu.so`, `name.abi3.so`.
# Anything else before `.so` is a plain library's or a plain extension module's own name.
_TAGGED = re.compile(r"(?P<stem>[^.]+)\.(?P<soabi>(?:cpython-|pypy)[^.]+|abi3t?)\.so")
_CPYTHON_ABI = re.compile(r"cp(?P<version>3\d+)(?P<flags>[a-z]*)")
_PYPY_ABI = re.compile(r"pypy(?P<version>3\d+)_pp(?P<api>\d+)")
#: Before 3.11 CPython called itself `linux-gnu` on musl as well (bpo-43112).
_MUSL_SINCE = 11


def wrong_suffix(name: str, tags: frozenset[Tag]) -> str | None:
    """Say what is wrong with an extension module's file name in a wheel of these tags.

    Args:
        name: the member's path in the wheel.
        tags: the wheel's tags.

    Returns:
        None when an interpreter of one of the tags imports it, else the names
        that it would import.
    """
    match = _TAGGED.fullmatch(PurePosixPath(name).name)
    if match is None:
        return None
    allowed = _allowed(tags)
    if match["soabi"] in allowed or not allowed:
        return None
    return ", ".join(f".{soabi}.so" for soabi in allowed) + " or .so"


@functools.lru_cache(maxsize=8)
def _allowed(tags: frozenset[Tag]) -> tuple[str, ...]:
    """List what interpreters of the tags import: once for a wheel, which may have many members."""
    return tuple(sorted({soabi for tag in tags for soabi in _soabis(tag)}))


def tagged_stem(name: str) -> str | None:
    """Give the module's own name from a member's path; None without an interpreter's suffix."""
    match = _TAGGED.fullmatch(PurePosixPath(name).name)
    return match["stem"] if match else None


def _soabis(tag: Tag) -> list[str]:
    """List the middle parts (SOABI) that interpreters of the tag import; none for `py3-none`."""
    if tag.abi in {"abi3", "abi3t"}:
        return ["abi3", "abi3t"] if tag.abi == "abi3t" else ["abi3"]
    if match := _CPYTHON_ABI.fullmatch(tag.abi):
        soabi = f"cpython-{match['version']}{match['flags']}"
        triplets = _triplets(tag.platform, int(match["version"][1:]))
        stable = ["abi3t"] if "t" in match["flags"] else ["abi3", "abi3t"]  # PEP 384, PEP 803
        return [*(f"{soabi}-{triplet}" for triplet in triplets), *stable]
    if match := _PYPY_ABI.fullmatch(tag.abi):
        return [f"pypy{match['version']}-pp{match['api']}-aarch64-linux-gnu"]
    return []


def _triplets(platform: str, minor: int) -> list[str]:
    gnu, musl = "aarch64-linux-gnu", "aarch64-linux-musl"
    if not platform.startswith("musllinux"):
        return [gnu]
    return [musl] if minor >= _MUSL_SINCE else [gnu, musl]
