"""Globs of target identifiers, as cibuildwheel has them: `cp3{13,14}-*linux_*`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import bracex

from aarch64_wheels.errors import UsageError
from aarch64_wheels.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable


def expand(patterns: Iterable[str]) -> tuple[str, ...]:
    """Split patterns at whitespace, and write out what stands in braces.

    Raises:
        UsageError: braces that mean more patterns than anybody can want.
    """
    words = (word for text in patterns for word in text.split())
    return tuple(dict.fromkeys(pattern for word in words for pattern in _expanded(word)))


def matches(patterns: Iterable[str], identifier: str) -> bool:
    """Tell whether one of the patterns matches the whole identifier; raises as `expand`."""
    return any(fnmatchcase(identifier, pattern) for pattern in expand(patterns))


def _expanded(word: str) -> list[str]:
    try:
        return bracex.expand(word)
    # The second one: braces in braces in braces, hundreds of them.
    except (bracex.ExpansionLimitException, RecursionError):
        raise UsageError(
            "the braces of a glob stand for too many patterns",
            found=shown(word),
            hint="write a shorter one, such as `cp3{13,14}-*`",
        ) from None
