"""Globs of target identifiers, as cibuildwheel has them: `cp3{13,14}-*linux_*`."""

from __future__ import annotations

import itertools
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import bracex

if TYPE_CHECKING:
    from collections.abc import Iterable


def expand(patterns: Iterable[str]) -> tuple[str, ...]:
    """Split patterns at whitespace, and write out what stands in braces.

    Raises:
        ValueError: braces that mean more patterns than anybody can want.
    """
    words = (word for text in patterns for word in text.split())
    try:
        found = itertools.chain.from_iterable(bracex.iexpand(word) for word in words)
        return tuple(dict.fromkeys(found))
    except bracex.ExpansionLimitException:
        raise ValueError("too many patterns in braces") from None


def matches(patterns: Iterable[str], identifier: str) -> bool:
    """Tell whether one of the patterns matches the whole identifier."""
    return any(fnmatchcase(identifier, pattern) for pattern in expand(patterns))
