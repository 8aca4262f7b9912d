"""Small ELF files that claim to be large ones: what they say is read again and again."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Self

from aarch64_wheels.audit.elf_format import Tag
from aarch64_wheels.audit.elf_image import MAX_NAME

_BASE = 0x1000
_HEADER, _SEGMENT, _SECTION = 64, 56, 64
#: A name as long as any that is read, which thousands of entries share.
LONG = b"a" * (MAX_NAME - 1) + b"\0"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A section: its type, flags, content, and how many headers there are of it."""

    kind: int = 1
    flags: int = 2
    data: bytes = b""
    link: int = 0
    entry: int = 0
    name: int = 0
    copies: int = 1


@dataclass(frozen=True, kw_only=True)
class Forged:
    """An object of some sections, the first of which has the names.

    Attributes:
        parts: its sections. dynamic: tags and values, of which `{0}` is where a part begins.
    """

    parts: tuple[Part, ...]
    dynamic: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of_dynamic(cls, names: bytes, *rows: tuple[int, int], more: bytes = b"") -> Self:
        """Make one of dynamic tags, with names, and what follows these."""
        known = ((Tag.STRTAB, _BASE), (Tag.STRSZ, len(names)))
        return cls(parts=(Part(kind=3, data=names), Part(data=more)), dynamic=(*known, *rows))

    def to_bytes(self) -> bytes:
        body, headers = b"", bytes(_SECTION)
        for part in self.parts:
            at = _BASE + len(body)
            fields = (part.name, part.kind, part.flags, at, at, len(part.data), part.link, 1)
            headers += struct.pack("<IIQQQQIIQQ", *fields, 8, part.entry) * part.copies
            body += part.data
        dynamic = b"".join(struct.pack("<QQ", *row) for row in self.dynamic) + bytes(16)
        start, total = _BASE + len(body), _BASE + len(body) + len(dynamic)
        segments = [(1, 0, total), (2, start, len(dynamic))]
        table = b"".join(
            struct.pack("<IIQQQQQQ", kind, 5, at, at, at, size, size, 0x10000)
            for kind, at, size in segments
        )
        head = b"\x7fELF\x02\x01\x01" + bytes(9)
        count = 1 + sum(part.copies for part in self.parts)
        start_of = (3, 183, 1, 0, _HEADER, total, 0)
        sizes = (_HEADER, _SEGMENT, len(segments), _SECTION, count, 1)
        front = head + struct.pack("<HHIQQQIHHHHHH", *start_of, *sizes) + table
        return front + bytes(_BASE - len(front)) + body + dynamic + headers


def code(*words: int, times: int) -> bytes:
    """Make an object of instructions, again and again."""
    text = struct.pack(f"<{len(words)}I", *words) * times
    return Forged(parts=(Part(kind=3, data=b"\0"), Part(flags=6, data=text))).to_bytes()


def versions(count: int) -> bytes:
    """Make an object that asks for so many versions."""
    rows = (struct.pack("<IHHII", 0, 0, 2 + index, index % 100, 16) for index in range(count))
    needs = struct.pack("<HHIII", 1, count, 0, 16, 0) + b"".join(rows)
    tags = ((Tag.VERNEED, _BASE + len(LONG)), (Tag.VERNEEDNUM, 1))
    return Forged.of_dynamic(LONG, *tags, more=needs).to_bytes()


def symbols(count: int, kind: int) -> bytes:
    """Make an object of so many functions, all of them of one name."""
    rows = struct.pack("<IBBHQQ", 0, 0x12, 0, 0, _BASE, 64) * count
    names = Part(kind=3, data=LONG)
    table = Part(kind=kind, data=rows, link=1, entry=24)
    known = ((Tag.STRTAB, _BASE), (Tag.STRSZ, len(LONG)), (Tag.SYMTAB, _BASE + len(LONG)))
    return Forged(parts=(names, table), dynamic=known).to_bytes()


def sections(data: bytes, flags: int, copies: int) -> bytes:
    """Make an object with so many sections, all of them at one place."""
    part = Part(flags=flags, data=data, copies=copies)
    return Forged(parts=(Part(kind=3, data=LONG), part)).to_bytes()


def tags(tag: Tag, name: bytes, count: int) -> bytes:
    """Make an object with so many dynamic tags of one name."""
    return Forged.of_dynamic(name, *[(tag, 0)] * count).to_bytes()
