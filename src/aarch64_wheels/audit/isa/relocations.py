"""Relocations of an object, as far as they tell what its code calls and runs when loaded."""

from __future__ import annotations

import struct
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from aarch64_wheels.audit.elf_format import Tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.elf_image import ElfImage

#: Types of relocations (AAELF64): an address, a slot of the global offset table, one for a call,
#: and what an indirect function answers.
_ABS64, _GLOB_DAT, _JUMP_SLOT, _IRELATIVE = 257, 1025, 1026, 1032
#: The dynamic section's tags for relocations of calls.
_JMPREL, _PLTRELSZ = 23, 2
_ROW = struct.Struct("<QQq")
#: The most bytes of relocations that are read; the largest library known has 60 MB of them.
_MAX_BYTES = 1 << 28
#: The most functions to run at loading that are read, and slots of one function.
_MAX_INITIAL, _MAX_SLOTS = 1 << 14, 4


class Relocations:
    """The dynamic relocations of an object."""

    def __init__(self, image: ElfImage) -> None:
        self._image = image

    def slots(self, symbol: int) -> list[int]:
        """Find where the address of a symbol of another object is kept, by the symbol's index."""
        return [
            place
            for table in self._tables
            for kind in (_ABS64, _GLOB_DAT, _JUMP_SLOT)
            for place in islice(_places(table, symbol << 32 | kind), _MAX_SLOTS)
        ]

    @cached_property
    def has_indirect(self) -> bool:
        """Whether an indirect function is asked for its answer when the object is loaded."""
        return any(True for table in self._tables for _ in _places(table, _IRELATIVE))

    def initial(self) -> list[int]:
        """Give the addresses of functions that run when the object is loaded."""
        starts, sizes = self._values(Tag.INIT_ARRAY), self._values(Tag.INIT_ARRAYSZ)
        own = self._values(Tag.INIT)[:1]
        if starts and sizes:
            own += self._array(starts[0], min(sizes[0] // 8, _MAX_INITIAL))
        return own

    def _array(self, start: int, count: int) -> list[int]:
        """Read an array of addresses, with what relocations put there."""
        offset = self._image.offset_of(start)
        raw = self._image.slice(offset, count * 8) if offset is not None else b""
        count = len(raw) // 8
        values = list(struct.unpack_from(f"<{count}Q", raw))
        for table in self._tables:
            for place, info, addend in _ROW.iter_unpack(table):
                if 0 <= place - start < count * 8:
                    values[(place - start) // 8] = self._value(info, addend)
        return values

    def _value(self, info: int, addend: int) -> int:
        symbols, index = self._image.symbols, info >> 32
        return addend + (symbols[index].value if 0 < index < len(symbols) else 0)

    @cached_property
    def _tables(self) -> list[bytes]:
        """The tables of relocations, whole rows of them."""
        found = list[bytes]()
        for table, length in ((Tag.RELA, Tag.RELASZ), (_JMPREL, _PLTRELSZ)):
            starts, sizes = self._values(table), self._values(length)
            offset = self._image.offset_of(starts[0]) if starts else None
            if offset is not None and sizes:
                raw = self._image.slice(offset, min(sizes[0], _MAX_BYTES))
                found.append(raw[: len(raw) // _ROW.size * _ROW.size])
        return found

    def _values(self, tag: int) -> list[int]:
        return [value for one, value in self._image.dynamic if one == tag]


def _places(table: bytes, info: int) -> Iterator[int]:
    """Find the places of a table's rows by their symbol and type together."""
    wanted = info.to_bytes(8, "little")
    at = table.find(wanted)
    while at >= 0:
        if at % _ROW.size == 8:  # noqa: PLR2004 - behind the place
            yield int.from_bytes(table[at - 8 : at], "little")
        at = table.find(wanted, at + 1)
