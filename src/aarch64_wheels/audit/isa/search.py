"""Searches over millions of words of code, at the speed of C.

There are no loops over words here: a long run of bytes is one number, and arithmetic on it does
the same to all words at once.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from aarch64_wheels.audit.isa.table import WORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aarch64_wheels.audit.isa.table import Sieve

_SOME = re.compile(rb"[^\0]")
#: The bit that tells a call (`bl`) from a jump (`b`); sums without it do not overflow.
_LINK = 1 << 31
_JUMP = 0x14000000
#: How far `b` and `bl` reach, in words, back and ahead together.
_REACH = 1 << 26


def sifted(piece: bytes, sieves: Sequence[Sieve]) -> Iterator[int]:
    """Give the offsets of words that a sieve lets through.

    The bytes that stand at the same place in all words are one number each. Translated by a
    sieve's tables, what these have in common is the answer for all words.
    """
    planes = [piece[place::WORD] for place in range(WORD)]
    found = 0
    for sieve in sieves:
        common = -1
        for plane, table in zip(planes, sieve.tables, strict=True):
            common &= int.from_bytes(plane.translate(table), "little")
        found |= common
    if found:
        for match in _SOME.finditer(found.to_bytes(len(planes[0]), "little")):
            yield match.start() * WORD


def numbers(count: int) -> int:
    """Make the numbers 0, 1, 2, ... in words side by side, as one number."""
    return int.from_bytes(struct.pack(f"<{count}I", *range(count)), "little")


def jumps(piece: bytes, distances: Sequence[int], counted: int) -> Iterator[int]:
    """Give the offsets of jumps to what is so many words behind the piece's start.

    A jump holds its distance, so its word plus its own number is the same for all jumps to one
    target: the sum is made for all words at once, and searched for.
    """
    count = len(piece) // WORD
    kept = int.from_bytes(piece, "little")
    kept &= int.from_bytes((_LINK - 1).to_bytes(WORD, "little") * count, "little")
    counted &= (1 << 32 * count) - 1
    sums = (kept + counted).to_bytes(len(piece), "little")
    for distance in distances:
        for total in (_JUMP + distance, _JUMP + distance + _REACH):
            for at in _aligned(sums, total):
                word = int.from_bytes(piece[at : at + WORD], "little")
                if jump_distance(word) == distance - at // WORD:
                    yield at


def jump_distance(word: int) -> int | None:
    """Give how far `b` or `bl` goes, in words; None for another instruction."""
    if word & 0x7C000000 != _JUMP:
        return None
    distance = word & (_REACH - 1)
    return distance - _REACH if distance >= _REACH // 2 else distance


def _aligned(words: bytes, value: int) -> Iterator[int]:
    """Give the offsets of words that have a value."""
    if not 0 <= value < 1 << 32:
        return
    wanted = value.to_bytes(WORD, "little")
    at = words.find(wanted)
    while at >= 0:
        if at % WORD == 0:
            yield at
        at = words.find(wanted, at + 1)
