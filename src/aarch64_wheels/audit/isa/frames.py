"""Where functions are, from the tables for unwinding: `.eh_frame_hdr` and `.eh_frame`.

They stay in a stripped file, since exceptions need them. The formats are those of the LSB,
"Exception Frames"; entries are read one by one as they are asked for.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from aarch64_wheels.audit.elf_format import SegmentType

if TYPE_CHECKING:
    from aarch64_wheels.audit.elf_image import ElfImage

#: The one form that linkers write: version 1, and how its numbers are encoded (`DW_EH_PE_*`):
#: relative to the place, four bytes; a count of four bytes; relative to the table, four bytes.
_FORM = bytes((1, 0x1B, 0x03, 0x3B))
#: Sizes of encoded numbers, by the encoding's low half.
_SIZES = {0x00: 8, 0x03: 4, 0x04: 8, 0x0B: 4, 0x0C: 8}
_UNKNOWN = 0xFF
_HEAD = 12
_ROW = 8
#: The most functions that are taken from a table; the largest library known has a million.
_MAX_FUNCTIONS = 1 << 22
#: The longest head of an entry that is read: text of a few letters and five small numbers.
_COMMON = 64


class Frames:
    """The functions that the table for unwinding knows, by address."""

    def __init__(self, image: ElfImage) -> None:
        self._image = image
        self._sizes: dict[int, int] = {}
        self._rows, self._base = _table(image)

    def __len__(self) -> int:
        return len(self._rows) // _ROW

    def stretch(self, address: int) -> tuple[int, int, bool]:
        """Find the function an address is in, or the gap: beginning, end, whether a function."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._row(middle)[0] <= address:
                low = middle + 1
            else:
                high = middle
        behind = self._row(low)[0] if low < len(self) else 1 << 64
        if not low:
            return 0, behind, False
        start, entry = self._row(low - 1)
        end = min(start + self._size(entry), behind)
        return (start, end, True) if address < end else (end, behind, False)

    def _row(self, index: int) -> tuple[int, int]:
        start, entry = struct.unpack_from("<ii", self._rows, index * _ROW)
        return self._base + start, self._base + entry

    def _size(self, address: int) -> int:
        """Read how long the function of an entry is; 0 where that can't be told."""
        offset = self._image.offset_of(address)
        head = self._image.slice(offset, 24) if offset is not None else b""
        if offset is None or len(head) < 24:  # noqa: PLR2004 - length, CIE, start and size
            return 0
        common = offset + 4 - int.from_bytes(head[4:8], "little")
        if common < 0:
            return 0
        if common not in self._sizes:
            encoding = _encoding(self._image.slice(common, _COMMON))
            self._sizes[common] = _SIZES.get(encoding & 0xF, 0) if encoding != _UNKNOWN else 0
        wide = self._sizes[common]
        return int.from_bytes(head[8 + wide : 8 + 2 * wide], "little")


def _table(image: ElfImage) -> tuple[bytes, int]:
    """Find the sorted table of functions: pairs of starts and entries, relative to a base."""
    header = next((row for row in image.segments if row.kind == SegmentType.GNU_EH_FRAME), None)
    head = image.slice(header.offset, _HEAD) if header else b""
    if header is None or len(head) < _HEAD or not head.startswith(_FORM):
        return b"", 0
    count = min(int.from_bytes(head[8:], "little"), _MAX_FUNCTIONS)
    return image.slice(header.offset + _HEAD, count * _ROW), header.address


def _encoding(common: bytes) -> int:
    """Read out of a CIE how its entries' addresses are encoded; whole pointers if it is silent."""
    letters, _, rest = common[9:].partition(b"\0")
    if not letters.startswith(b"z"):
        return 0
    for _ in range(4):  # alignment of code and data, return register, size of what follows
        last = next((at for at, byte in enumerate(rest) if byte < 1 << 7), len(rest))
        rest = rest[last + 1 :]
    for letter in letters[1:].decode("latin-1"):
        if not rest or letter == "R":
            return rest[0] if rest else _UNKNOWN
        if letter == "P":  # a personality routine, after its own encoding
            rest = rest[1 + _SIZES.get(rest[0] & 0xF, len(rest)) :]
        elif letter == "L":
            rest = rest[1:]
    return 0
