"""Which words of code are instructions of functions, and what the functions are called."""

from __future__ import annotations

import bisect
import struct
from functools import cached_property
from typing import TYPE_CHECKING

from aarch64_wheels.audit.elf_format import SectionType
from aarch64_wheels.audit.isa.frames import Frames
from aarch64_wheels.audit.isa.table import WORD

if TYPE_CHECKING:
    from aarch64_wheels.audit.elf_image import ElfImage
    from aarch64_wheels.audit.isa.code import Code

#: Types of symbols: none, a function, an indirect function.
UNTYPED, FUNCTION, INDIRECT = 0, 2, 10
_SYMBOL = struct.Struct("<IBBHQQ")
#: Behind all addresses.
_BEHIND = 1 << 64
#: In how many places it is looked at whether functions are known, and in which part they should.
_SAMPLES, _PART = 64, 4
#: The longest name that is given, and how many symbols may begin in another before it is lost.
_MAX_NAME, _OVERLAPPING = 1 << 12, 16
#: The tables of symbols: for other objects, of all.
_FULL, _DYNAMIC = 0, 1


class Functions:
    """The functions of an object, and the stretches of data between their instructions.

    A function's extent comes from the tables for unwinding or its symbol. Tables of numbers that
    hand-written assembler keeps next to its code are outside of both, or marked by the symbol `$d`
    (AAELF64, "Mapping symbols"): random numbers look like SVE every 16th time.
    """

    def __init__(self, image: ElfImage, code: Code) -> None:
        self._image, self._code = image, code
        self._frames = Frames(image)
        # An object that was built without tables for unwinding has those of the start-up code.
        self._everywhere = False
        known = self._is_known(self._frames) or self._is_known(self)
        # Segments hold more than code: they are not searched but for functions.
        self._everywhere = code.of_sections and not known

    def stretch(self, address: int) -> tuple[int, int, bool]:
        """Find the function an address is in, or the gap: beginning, end, whether a function."""
        start, end, inside = self._frames.stretch(address)
        if inside:
            return start, end, True
        at = bisect.bisect_right(self._extents, (address, _BEHIND))
        if at:
            # Of symbols at one address the longest is the last.
            value, size = self._extents[at - 1]
            if address < value + size:
                return value, value + size, True
            start = max(start, value + size)
        behind = self._extents[at][0] if at < len(self._extents) else _BEHIND
        return start, min(end, behind), self._everywhere

    def start(self, address: int) -> int:
        """Give where the function of an address begins; in none, the address."""
        return self.stretch(address)[0]

    def is_data(self, address: int) -> bool:
        """Whether an address is in data between instructions, as far as symbols tell."""
        at = bisect.bisect_right(self._marks, (address, True)) - 1
        if at < 0 or not self._marks[at][1]:
            return False
        return self._code.region(self._marks[at][0]) is self._code.region(address)

    def name(self, address: int) -> str:
        """Name the function an address is in."""
        start = self.start(address)
        at = bisect.bisect_right(self._places, (address, _BEHIND))
        for value, size, kind, table, index in reversed(
            self._places[max(at - _OVERLAPPING, 0) : at]
        ):
            # Without a size it may be a label in a function, if it is not marked as a function.
            unsized = not size and (value == start or (kind != UNTYPED and value > start))
            name = self._symbol_name(table, index) if address < value + size or unsized else ""
            if name and not name.startswith("$"):
                return name
        return f"function at {start:#x}"

    @property
    def count(self) -> int:
        """How many functions are known."""
        return len(self._frames) or len(self._extents)

    def _is_known(self, by: Functions | Frames) -> bool:
        """Whether a good part of the code is in functions, by samples from all over it."""
        total = sum(len(region.content) for region in self._code.regions)
        places = [
            address
            for region in self._code.regions
            for address in range(region.address, region.end, max(total // _SAMPLES, WORD))
        ]
        return sum(by.stretch(address)[2] for address in places) * _PART > len(places)

    @cached_property
    def _all(self) -> tuple[bytes, list[tuple[int, int, int, int]]]:
        """The table of all symbols: names, then name, type, value and size of each defined one.

        It has half a million in a large library, which are not made objects for that.
        """
        sections = self._image.sections
        table = next((row for row in sections if row.kind == SectionType.SYMTAB), None)
        if table is None or table.link >= len(sections):
            return b"", []
        raw = self._image.content(table)
        rows = _SYMBOL.iter_unpack(raw[: len(raw) // _SYMBOL.size * _SYMBOL.size])
        return self._image.content(sections[table.link]), [
            (name, info & 0xF, value, size)
            for name, info, _, section, value, size in rows
            if section and info & 0xF in (UNTYPED, FUNCTION, INDIRECT)
        ]

    @cached_property
    def _extents(self) -> list[tuple[int, int]]:
        """Starts and sizes of functions that have a symbol, sorted."""
        own = {
            (symbol.value, symbol.size)
            for symbol in self._image.symbols
            if symbol.kind in (FUNCTION, INDIRECT) and symbol.section and symbol.size
        }
        return sorted(own | {row[2:] for row in self._all[1] if row[1] != UNTYPED and row[3]})

    @cached_property
    def _marks(self) -> list[tuple[int, bool]]:
        """Where in code instructions begin (`$x`) and data (`$d`), sorted, if symbols are there."""
        names, rows = self._all
        return sorted(
            (value, names[name : name + 2] == b"$d")
            for name, kind, value, _ in rows
            if kind == UNTYPED
            and names[name : name + 2] in (b"$d", b"$x")
            and self._code.region(value)
        )

    @cached_property
    def _places(self) -> list[tuple[int, int, int, int, int]]:
        """Symbols by address: address, size, type, table, and place in it."""
        own = (
            (symbol.value, symbol.size, symbol.kind, _DYNAMIC, symbol.index)
            for symbol in self._image.symbols
            if symbol.section and symbol.kind in (UNTYPED, FUNCTION, INDIRECT)
        )
        others = ((value, size, kind, _FULL, name) for name, kind, value, size in self._all[1])
        return sorted([*own, *others])

    def _symbol_name(self, table: int, index: int) -> str:
        if table == _DYNAMIC:
            return self._image.symbols[index].name
        names, _ = self._all
        end = names.find(b"\0", index, index + _MAX_NAME)
        return names[index : end if end >= 0 else index].decode("utf-8", "replace")
