"""The instructions above ARMv8.0, from `data/instructions.toml`, and what a word of code is."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What the data file calls the architecture that every processor has.
BASE = "ARMv8.0"
#: An instruction's size in bytes.
WORD = 4
#: How many groups a sieve tells apart: a byte has a bit for each.
LANES = 8
#: Encodings are sorted by what a word's highest 11 bits are, which tell most of them apart.
_KEY = 21


@dataclass(frozen=True, slots=True)
class Encoding:
    """An instruction, or a few that belong together: its fixed bits and what they are.

    `feature` is empty for an instruction of ARMv8.0.
    """

    name: str
    feature: str
    mask: int
    value: int

    def fits(self, word: int) -> bool:
        """Whether a word is such an instruction."""
        return word & self.mask == self.value


@dataclass(frozen=True, slots=True)
class Sieve:
    """A superset of groups of encodings, to look at millions of words at once.

    For each byte of a word there is a table: which groups a byte's value is possible in, a bit for
    each. A word may belong to a group whose bit all four have. What fits fixed bits is a product
    of four sets of bytes, so nothing is lost, and what is let through wrongly is rare.
    """

    tables: tuple[bytes, ...]

    @classmethod
    def of(cls, groups: Sequence[Sequence[Encoding]]) -> Sieve:
        """Make a sieve for up to eight groups of encodings."""
        tables = [bytearray(256) for _ in range(WORD)]
        for lane, rows in enumerate(groups):
            for row in rows:
                for shift, table in enumerate(tables):
                    fixed = row.mask >> 8 * shift & 0xFF, row.value >> 8 * shift & 0xFF
                    for byte in _matching(*fixed):
                        table[byte] |= 1 << lane
        return cls(tuple(map(bytes, tables)))


@dataclass(frozen=True)
class Table:
    """All encodings, most fixed bits first, and sieves for those above ARMv8.0."""

    rows: tuple[Encoding, ...]
    sieves: tuple[Sieve, ...]
    _by_key: dict[int, list[tuple[int, int, Encoding]]] = field(default_factory=dict)

    def find(self, word: int) -> Encoding | None:
        """Find what a word of code is, if it is above ARMv8.0."""
        key = word >> _KEY
        if key not in self._by_key:
            self._by_key[key] = [
                (row.mask, row.value, row)
                for row in self.rows
                if not (row.value ^ word) & row.mask >> _KEY << _KEY
            ]
        for mask, value, row in self._by_key[key]:
            if word & mask == value:
                return row if row.feature else None
        return None


@functools.cache
def table() -> Table:
    """Read the table of the data file."""
    text = resources.files("aarch64_wheels.data").joinpath("instructions.toml").read_text("utf-8")
    groups = [
        [
            Encoding(name, feature if feature != BASE else "", *_parse(bits))
            for name, (feature, *patterns) in rows.items()
            for bits in patterns
        ]
        for rows in tomllib.loads(text).values()
    ]
    rows = sorted(
        (row for rows in groups for row in rows), key=lambda row: row.mask.bit_count(), reverse=True
    )
    later = [[row for row in rows if row.feature] for rows in groups]
    sieves = (Sieve.of(later[at : at + LANES]) for at in range(0, len(later), LANES))
    return Table(tuple(rows), tuple(sieves))


def _parse(bits: str) -> tuple[int, int]:
    """Turn a pattern, from bit 31 down, into a mask and a value."""
    pattern = bits.replace(" ", "")
    mask = "".join("0" if bit == "." else "1" for bit in pattern)
    return int(mask, 2), int(pattern.replace(".", "0"), 2)


@functools.cache
def _matching(mask: int, value: int) -> tuple[int, ...]:
    return tuple(byte for byte in range(256) if byte & mask == value)
