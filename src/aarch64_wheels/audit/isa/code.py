"""Executable code of an ELF file: what there is, and single words of it."""

from __future__ import annotations

import bisect
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from aarch64_wheels.audit.elf_format import Flag, SectionFlag, SectionType, SegmentType
from aarch64_wheels.audit.isa import search
from aarch64_wheels.audit.isa.table import WORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aarch64_wheels.audit.elf_image import ElfImage
    from aarch64_wheels.audit.isa.table import Sieve

#: Code is gone through in pieces of so many bytes, which the processor's caches hold.
PIECE = 1 << 20


@dataclass(frozen=True)
class Region:
    """A stretch of code."""

    address: int
    content: bytes

    @property
    def end(self) -> int:
        """The address behind it."""
        return self.address + len(self.content)


@dataclass(frozen=True)
class Code:
    """All code of an object: regions by address, that do not overlap.

    `of_sections` is false where a file has lost its sections: there may be data in its regions.
    """

    regions: tuple[Region, ...]
    of_sections: bool = True

    @classmethod
    def of(cls, image: ElfImage) -> Code:
        """Take the executable sections, or segments where a file has lost its sections.

        No more in all than the file is long: forged headers could name a byte thousands of times.
        """
        left, end, regions = len(image.data), 0, list[Region]()
        sections = sorted(_sections(image))
        for address, offset, size in sections or sorted(_segments(image)):
            # Instructions are aligned, wherever a header says that code begins.
            skip = -address % WORD
            content = image.slice(offset + skip, min(size - skip, left) // WORD * WORD)
            content = content[: len(content) // WORD * WORD]
            if content and address + skip >= end:
                regions.append(Region(address + skip, content))
                left, end = left - len(content), regions[-1].end
        return cls(tuple(regions), of_sections=bool(sections))

    def word(self, address: int) -> int | None:
        """Read a word of code; None where there is none."""
        return next(iter(self.words(address, 1)), None)

    def region(self, address: int) -> Region | None:
        """Find the region an address is in."""
        index = bisect.bisect_right(self._starts, address) - 1
        return self.regions[index] if index >= 0 and address < self.regions[index].end else None

    def words(self, start: int, count: int) -> Sequence[int]:
        """Read words of code from an address on; fewer where it ends before."""
        region = self.region(start)
        if region is None or start % WORD:
            return ()
        at = start - region.address
        count = min(count, (len(region.content) - at) // WORD)
        return struct.unpack_from(f"<{count}I", region.content, at)

    def before(self, end: int, count: int) -> Sequence[int]:
        """Read up to so many words of code that stand before an address."""
        index = bisect.bisect_left(self._starts, end) - 1
        start = max(end - count * WORD, self._starts[index] if index >= 0 else end)
        return self.words(start, (end - start) // WORD)

    def sift(self, sieves: Sequence[Sieve]) -> Iterator[tuple[int, int]]:
        """Find the words that a sieve lets through; give addresses and words, in order."""
        for address, piece in self._pieces():
            for at in search.sifted(piece, sieves):
                yield address + at, int.from_bytes(piece[at : at + WORD], "little")

    def jumps_to(self, targets: Sequence[int]) -> Iterator[int]:
        """Find the calls of addresses and jumps to them, by `bl` and `b`."""
        numbers = search.numbers(PIECE // WORD)
        for address, piece in self._pieces():
            distances = [(target - address) // WORD for target in targets]
            for at in search.jumps(piece, distances, numbers):
                yield address + at

    @cached_property
    def _starts(self) -> list[int]:
        return [region.address for region in self.regions]

    def _pieces(self) -> Iterator[tuple[int, bytes]]:
        for region in self.regions:
            for at in range(0, len(region.content), PIECE):
                yield region.address + at, region.content[at : at + PIECE]


def _sections(image: ElfImage) -> Iterator[tuple[int, int, int]]:
    """Give address, offset and size of executable sections."""
    code = SectionFlag.EXECINSTR | SectionFlag.ALLOC
    for row in image.sections:
        if row.flags & code == code and row.kind != SectionType.NOBITS:
            yield row.address, row.offset, row.size


def _segments(image: ElfImage) -> Iterator[tuple[int, int, int]]:
    """Give address, offset and size of executable segments."""
    for row in image.segments:
        if row.kind == SegmentType.LOAD and row.flags & Flag.EXECUTE:
            yield row.address, row.offset, row.size
