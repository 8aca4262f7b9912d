"""Spoils ELF files by chance, field by field: the same number spoils the same way."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

#: Widths and offsets of fields: of the header, a program header, a section header and a symbol.
_HEADER = (
    *((4, 1), (5, 1), (16, 2), (18, 2), (32, 8), (40, 8)),
    *((54, 2), (56, 2), (58, 2), (60, 2), (62, 2)),
)
_SEGMENT = ((0, 4), (4, 4), (8, 8), (16, 8), (32, 8), (40, 8), (48, 8))
_SECTION = ((0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 4), (44, 4), (56, 8))
_PAIR = ((0, 8), (8, 8))
_SYMBOL = ((0, 4), (4, 1), (5, 1), (6, 2), (8, 8), (16, 8))
_RELOCATION = ((0, 8), (8, 4), (12, 4), (16, 8))
_NEED = ((0, 2), (2, 2), (4, 4), (8, 4), (12, 4))
#: Tables, by their sections: the size of a row, and its fields.
_TABLES = {
    ".dynamic": (16, _PAIR),
    ".dynsym": (24, _SYMBOL),
    ".symtab": (24, _SYMBOL),
    ".rela.dyn": (24, _RELOCATION),
    ".rela.plt": (24, _RELOCATION),
    ".gnu.version_r": (16, _NEED),
    ".gnu.version": (2, ((0, 2),)),
    ".init_array": (8, ((0, 8),)),
    ".text": (4, ((0, 4),)),
}
_RAW = (".eh_frame", ".eh_frame_hdr", ".dynstr", ".strtab", ".rodata", ".comment", ".plt", ".data")
#: Instructions that mean something to who follows code: returns, jumps, calls, MRS, LDADDAL, SVE,
#: an undefined one, ADRP, LDR of a literal.
_CODE = (
    *(0xD65F03C0, 0x14000000, 0x17FFFFFF, 0x94000000, 0x97FFFFFF, 0xD5380400, 0xF8E00020),
    *(0x2598E3E0, 0xA5E0A021, 0x00000000, 0x90000000, 0x58000000, 0xD61F0000, 0x54000000),
    *(0xD503201F, 0xB4000000, 0x37000000, 0x4E284800, 0x9AC04C00, 0xD50B7520, 0xC8207C00),
)
_LONG = 1 << 64


@dataclass(frozen=True)
class _Section:
    name: str
    offset: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Elfs:
    """Spoils ELF files.

    Attributes:
        rng: decides.
    """

    rng: Random

    def spoiled(self, data: bytes) -> bytes:
        """Give a file with some faults."""
        out = bytearray(data)
        ways: list[Callable[[bytearray], None]] = [
            *(self._header, self._segment, self._section, self._table, self._table, self._table),
            *(self._bytes, self._bytes, self._flip, self._size, self._sections_swap),
        ]
        for _ in range(self.rng.choice((1, 1, 1, 2, 3, 8))):
            if len(out) > 64:
                self.rng.choice(ways)(out)
        return bytes(out)

    def number(self, old: int, length: int, width: int) -> int:
        """Give a number that programs stumble over."""
        rng = self.rng
        values = (
            *(0, 1, 2, 3, 7, 0x7F, 0xFF, 0xFFFF, 1 << 15, 1 << 31, (1 << 31) - 1, (1 << 32) - 1),
            *(1 << 62, 1 << 63, _LONG - 1, _LONG - 8, length, length - 1, length + 1),
            *(old + 1, old - 1, old * 2, old + 0x10000, -old, rng.randrange(max(1, length))),
            *(rng.getrandbits(8), rng.getrandbits(16), rng.getrandbits(64), 0x6FFFFFFE, 0x6474E550),
        )
        return rng.choice(values) % (1 << 8 * width)

    def _put(self, out: bytearray, at: int, width: int) -> None:
        if 0 <= at <= len(out) - width:
            old = int.from_bytes(out[at : at + width], "little")
            out[at : at + width] = self.number(old, len(out), width).to_bytes(width, "little")

    def _row(
        self, out: bytearray, start: int, size: int, count: int, fields: tuple[tuple[int, int], ...]
    ) -> None:
        at, width = self.rng.choice(fields)
        if count > 0:
            self._put(out, start + self.rng.randrange(count) * size + at, width)

    def _header(self, out: bytearray) -> None:
        self._row(out, 0, 0, 1, _HEADER)

    def _segment(self, out: bytearray) -> None:
        start, count = struct.unpack_from("<Q16xH", out, 32)[0], out[56]
        self._row(out, start, 56, count, _SEGMENT)

    def _section(self, out: bytearray) -> None:
        start, count = struct.unpack_from("<Q", out, 40)[0], out[60]
        self._row(out, start, 64, count, _SECTION)

    def _table(self, out: bytearray) -> None:
        tables = [row for row in _sections(out) if row.name in _TABLES]
        if not tables:
            return
        table = self.rng.choice(tables)
        size, fields = _TABLES[table.name]
        if table.name == ".text" and self.rng.random() < 0.7:
            self._code(out, table)
        else:
            self._row(out, table.offset, size, table.size // size, fields)

    def _code(self, out: bytearray, table: _Section) -> None:
        at = table.offset + 4 * self.rng.randrange(max(1, table.size // 4))
        if at + 4 <= len(out):
            word = self.rng.choice(_CODE) ^ self.rng.choice((0, 0, self.rng.getrandbits(32)))
            out[at : at + 4] = word.to_bytes(4, "little")

    def _bytes(self, out: bytearray) -> None:
        """Change bytes of a section that is no table."""
        raw = [row for row in _sections(out) if row.name in _RAW and row.size]
        if not raw:
            return
        section = self.rng.choice(raw)
        for _ in range(self.rng.choice((1, 2, 16))):
            at = section.offset + self.rng.randrange(section.size)
            if at < len(out):
                out[at] = self.rng.choice((0, 0xFF, 0x7F, 0x80, ord("/"), self.rng.getrandbits(8)))

    def _flip(self, out: bytearray) -> None:
        for _ in range(self.rng.choice((1, 4, 64))):
            out[self.rng.randrange(4, len(out))] ^= 1 << self.rng.randrange(8)

    def _size(self, out: bytearray) -> None:
        if self.rng.random() < 0.7:
            del out[self.rng.randrange(len(out)) :]
        else:
            out += bytes(self.rng.choice((1, 64, 4096)))

    def _sections_swap(self, out: bytearray) -> None:
        """Exchange two section headers: tables become each other."""
        start, count = struct.unpack_from("<Q", out, 40)[0], out[60]
        if count and start + 64 * count <= len(out):
            one, two = (start + 64 * self.rng.randrange(count) for _ in range(2))
            kept = bytes(out[one + 4 : one + 64])
            out[one + 4 : one + 64] = out[two + 4 : two + 64]
            out[two + 4 : two + 64] = kept


def _sections(data: bytearray) -> list[_Section]:
    """Read the section headers as far as they are whole."""
    start, count, names = (*struct.unpack_from("<Q", data, 40), data[60], data[62])
    if not count or start + 64 * count > len(data) or names >= count:
        return []
    rows = [struct.unpack_from("<I20xQQ", data, start + 64 * index) for index in range(count)]
    base = rows[names][1]
    return [
        _Section(_text(data, base + name), at, size) for name, at, size in rows if at < len(data)
    ]


def _text(data: bytearray, at: int) -> str:
    return bytes(data[at : at + 32]).split(b"\0")[0].decode("latin-1")
