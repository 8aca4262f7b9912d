"""A small, typed reader of 64-bit little-endian ELF files, for content that may be hostile.

Every count and offset in a file may be a lie. Nothing here is trusted to be in bounds, loops end
after numbers of steps that real files do not reach, and names are cut at lengths that real names
do not have: a reader made for well-formed files can be kept busy for hours by forged ones.
"""

from __future__ import annotations

import struct
from functools import cached_property
from typing import TYPE_CHECKING

from aarch64_wheels.audit.elf_format import (
    Section,
    SectionType,
    Segment,
    SegmentType,
    Symbol,
    Tag,
    VersionNeed,
)

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

MAGIC = b"\x7fELF"

#: The most of each that is read; the largest libraries known stay below a tenth of it.
MAX_SEGMENTS = 1024
MAX_SECTIONS = 1 << 16
MAX_DYNAMIC = 1 << 16
MAX_SYMBOLS = 1 << 22
MAX_VERSIONS = 1 << 14
#: The longest symbol, in bytes: C++ has names of thousands. The longest name of anything else.
MAX_NAME, MAX_WORD = 1 << 14, 1 << 8
#: Bytes of symbols' names that are read in all: names can share their bytes, and be many.
MAX_NAMES = 1 << 26
#: The most entries of a kind in the dynamic section whose texts are read.
MAX_TEXTS = 1 << 10

_HEADER = struct.Struct("<HHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_PAIR = struct.Struct("<QQ")
_IDENT = 16


class ElfImage:
    """An ELF file's tables.

    Args:
        data: the file's content, or a map of it.

    Raises:
        ValueError: it has no whole ELF header. Tables that are not whole are cut off.
    """

    def __init__(self, data: bytes | mmap.mmap) -> None:
        self.data = data
        if data[:4] != MAGIC or len(data) < _IDENT + _HEADER.size:
            raise ValueError("the ELF header is cut off")
        self.bits = {1: 32, 2: 64}.get(data[4], 0)
        self.little_endian = data[5] == 1
        order = "<" if self.little_endian else ">"
        self.kind, self.machine = struct.unpack_from(f"{order}HH", data, _IDENT)
        if not (self.bits and data[5] in (1, 2)):
            raise ValueError("the ELF header has no valid class and byte order")

    @property
    def is_readable(self) -> bool:
        """Whether the rest of this class applies: 64 bits, little-endian."""
        return self.bits == 64 and self.little_endian  # noqa: PLR2004

    @cached_property
    def _header(self) -> tuple[int, ...]:
        return _HEADER.unpack_from(self.data, _IDENT)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The program headers."""
        _, _, _, _, start, _, _, _, size, count, *_ = self._header
        return tuple(
            Segment(kind, flags, offset, address, filed, memory, align)
            for kind, flags, offset, address, _, filed, memory, align in self._rows(
                _SEGMENT, start, size, min(count, MAX_SEGMENTS)
            )
        )

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The section headers; none in a file that has lost them."""
        *_, start, _, _, _, _, size, count, names = self._header
        rows = list(self._rows(_SECTION, start, size, min(count, MAX_SECTIONS)))
        table = rows[names] if names < len(rows) else (0,) * 10
        base, end = table[4], table[4] + table[5]
        texts = {at: self.text(base + at, end) for at in {row[0] for row in rows}}
        return tuple(
            Section(texts[name], kind, flags, address, offset, length, link, info)
            for name, kind, flags, address, offset, length, link, info, *_ in rows
        )

    @property
    def sections_end(self) -> int:
        """Where the section headers end, by the ELF header."""
        *_, start, _, _, _, _, size, count, _ = self._header
        return start + size * count if count else 0

    def section(self, name: str) -> Section | None:
        """Find the first section of a name."""
        return next((section for section in self.sections if section.name == name), None)

    @cached_property
    def dynamic(self) -> tuple[tuple[int, int], ...]:
        """Tags and values of the dynamic section, up to its end."""
        segment = next((row for row in self.segments if row.kind == SegmentType.DYNAMIC), None)
        found: list[tuple[int, int]] = []
        if segment:
            count = min(segment.size // _PAIR.size, MAX_DYNAMIC)
            for tag, value in self._rows(_PAIR, segment.offset, _PAIR.size, count):
                if tag == 0:
                    break
                found.append((tag, value))
        return tuple(found)

    def values(self, tag: Tag) -> list[int]:
        """Give the values that a tag of the dynamic section has."""
        return [value for one, value in self.dynamic if one == tag]

    def strings(self, tag: Tag) -> list[str]:
        """Give the values of a tag as names out of the dynamic string table."""
        values = self.values(tag)[:MAX_TEXTS]
        return [self._dynamic_text(value, MAX_NAME) for value in values]

    @cached_property
    def symbols(self) -> tuple[Symbol, ...]:
        """The dynamic symbols, by index."""
        start, count = self._symbol_table()
        return tuple(self._symbols(start, count, *self._strings))

    @cached_property
    def full_symbols(self) -> tuple[Symbol, ...]:
        """The symbols of `.symtab`; none in a stripped file."""
        table = next((row for row in self.sections if row.kind == SectionType.SYMTAB), None)
        if table is None or table.link >= len(self.sections):
            return ()
        names = self.sections[table.link]
        count = min(table.size // _SYMBOL.size, MAX_SYMBOLS)
        return tuple(self._symbols(table.offset, count, names.offset, names.offset + names.size))

    @cached_property
    def versions(self) -> tuple[VersionNeed, ...]:
        """The versions of other libraries' symbols that it asks for."""
        starts = [self.offset_of(address) for address in self.values(Tag.VERNEED)]
        counts = self.values(Tag.VERNEEDNUM)
        if not starts or starts[0] is None or not counts:
            return ()
        return tuple(self._versions(starts[0], min(counts[0], MAX_VERSIONS)))

    def version_indices(self) -> tuple[int, ...]:
        """Give the version index of each dynamic symbol, without the bit for hidden ones."""
        starts = [self.offset_of(address) for address in self.values(Tag.VERSYM)]
        if not starts or starts[0] is None:
            return ()
        raw = self.slice(starts[0], 2 * len(self.symbols))
        count = len(raw) // 2
        return tuple(value & 0x7FFF for value in struct.unpack(f"<{count}H", raw[: 2 * count]))

    def offset_of(self, address: int) -> int | None:
        """Find where in the file the byte of an address in memory is; None if it is not."""
        for segment in self.segments:
            if segment.kind == SegmentType.LOAD and 0 <= address - segment.address < segment.size:
                return segment.offset + address - segment.address
        return None

    def slice(self, offset: int, size: int) -> bytes:
        """Give bytes of the file; fewer, if it ends before."""
        offset = min(offset, len(self.data))
        return bytes(self.data[offset : offset + min(size, len(self.data) - offset)])

    def content(self, section: Section) -> bytes:
        """Give a section's bytes in the file."""
        return (
            b"" if section.kind == SectionType.NOBITS else self.slice(section.offset, section.size)
        )

    def text(self, offset: int, end: int, most: int = MAX_WORD) -> str:
        """Read a name that ends with a zero byte; at most so many bytes of it."""
        stop = min(end, offset + most, len(self.data))
        if not 0 <= offset < stop:
            return ""
        return bytes(self.data[offset:stop]).partition(b"\0")[0].decode("utf-8", "replace")

    def _rows(
        self, row: struct.Struct, start: int, size: int, count: int
    ) -> Iterator[tuple[int, ...]]:
        """Unpack rows of a table as long as the file has them."""
        if size < row.size:
            return
        for at in range(start, start + count * size, size):
            if at + row.size > len(self.data):
                return
            yield row.unpack_from(self.data, at)

    @cached_property
    def _strings(self) -> tuple[int, int]:
        """Find the dynamic string table: where it begins and ends in the file."""
        tables = [self.offset_of(address) for address in self.values(Tag.STRTAB)]
        sizes = self.values(Tag.STRSZ)
        if not tables or tables[0] is None or not sizes:
            return 0, 0
        return tables[0], tables[0] + sizes[0]

    def _dynamic_text(self, value: int, most: int = MAX_WORD) -> str:
        start, end = self._strings
        return self.text(start + value, end, most)

    def _symbol_table(self) -> tuple[int, int]:
        """Find the dynamic symbol table: where it begins, and how many symbols it has."""
        for section in self.sections:
            if section.kind == SectionType.DYNSYM:
                return section.offset, min(section.size // _SYMBOL.size, MAX_SYMBOLS)
        tables = [self.offset_of(address) for address in self.values(Tag.SYMTAB)]
        if not tables or tables[0] is None:
            return 0, 0
        # Without section headers nothing tells its length; by custom the names follow at once.
        names, _ = self._strings
        return tables[0], min(max(0, names - tables[0]) // _SYMBOL.size, MAX_SYMBOLS)

    def _symbols(self, start: int, count: int, base: int, end: int) -> Iterator[Symbol]:
        names = _Names(self.slice(base, end - base))
        for index, (name, info, _, section, value, size) in enumerate(
            self._rows(_SYMBOL, start, _SYMBOL.size, count)
        ):
            yield Symbol(names.at(name), info & 0xF, info >> 4, section, value, size, index)

    def _versions(self, start: int, count: int) -> Iterator[VersionNeed]:
        """Follow the two chains of version needs (LSB, "Symbol Version Requirements")."""
        left = MAX_VERSIONS
        for _ in range(count):
            head = self.slice(start, 16)
            if len(head) < 16:  # noqa: PLR2004
                return
            _, number, library, first, following = struct.unpack("<HHIII", head)
            at = start + first
            for _ in range(min(number, left)):
                entry = self.slice(at, 16)
                if len(entry) < 16:  # noqa: PLR2004
                    break
                left -= 1
                _, _, index, name, further = struct.unpack("<IHHII", entry)
                yield VersionNeed(self._dynamic_text(library), self._dynamic_text(name), index)
                at += further
                if not further:
                    break
            start += following
            if not following or not left:
                return


class _Names:
    """The names of symbols, each read once.

    Args:
        data: the string table. Names may begin anywhere in it, also within each other.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MAX_NAMES
        self._known: dict[int, str] = {}

    def at(self, offset: int) -> str:
        """Give the name at an offset; none once all names together have become too long."""
        if offset not in self._known:
            stop = self._data.find(b"\0", offset, offset + MAX_NAME)
            raw = self._data[offset:stop] if 0 <= stop <= offset + self._left else b""
            self._left -= len(raw)
            self._known[offset] = raw.decode("utf-8", "replace")
        return self._known[offset]
