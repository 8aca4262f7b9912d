"""What compilers and linkers sign an object with (`.comment`), read.

An object has the signatures of all that was linked into it: the image's start files (`crti.o`)
bring that of the GCC which once compiled them. And a project's build can write anything there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aarch64_wheels.bill.origin import CLANG, GCC
from aarch64_wheels.redaction import redact_logins
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

#: So many signatures of an object are told, and of each so many characters.
_MOST, _LONGEST = 32, 200
_NUMBER = r"(\d{1,5}(?:\.\d{1,5}){0,4})"
#: `GCC: (GNU) 14.2.1 20250110 (Red Hat 14.2.1-7)`: the version follows the maker's own words.
_GCC = re.compile(rf"GCC: \(.*\) {_NUMBER}\b")
_OTHERS = {
    CLANG: re.compile(rf"\bclang version {_NUMBER}\b"),
    "flang": re.compile(rf"\bflang(?:-new)? version {_NUMBER}\b"),
    "rustc": re.compile(rf"\brustc version {_NUMBER}\b"),
}


def shown(producers: Iterable[str]) -> tuple[str, ...]:
    """Make signatures fit to be told: clean, short, sorted, and not too many."""
    lines = {redact_logins(one_line(text[: 4 * _LONGEST]))[:_LONGEST] for text in producers}
    return tuple(sorted(lines - {""}))[:_MOST]


def gccs(producers: Iterable[str]) -> frozenset[str]:
    """Name the GCCs that have signed, such as `gcc 10.2.1`."""
    found = (_GCC.match(text[:_LONGEST]) for text in producers)
    return frozenset(f"{GCC} {match[1]}" for match in found if match)


def others(producers: Iterable[str]) -> frozenset[str]:
    """Name the other compilers that have signed, such as `rustc 1.91.0`."""
    return frozenset(
        f"{name} {match[1]}"
        for text in producers
        for name, pattern in _OTHERS.items()
        if (match := pattern.search(text[:_LONGEST]))
    )
