"""The parts of an ELF file that the audit looks at, by the names of the specifications.

The layout is that of the System V ABI, and of the GNU extensions in the LSB.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class SegmentType(enum.IntEnum):
    """Types of segments (`p_type`) that the audit looks at."""

    LOAD = 1
    DYNAMIC = 2
    INTERP = 3
    GNU_EH_FRAME = 0x6474E550
    GNU_STACK = 0x6474E551


class Flag(enum.IntFlag):
    """Permissions of a segment (`p_flags`)."""

    EXECUTE = 1
    WRITE = 2
    READ = 4


class SectionType(enum.IntEnum):
    """Types of sections (`sh_type`) that the audit looks at."""

    PROGBITS = 1
    SYMTAB = 2
    NOBITS = 8
    DYNSYM = 11
    INIT_ARRAY = 14
    VERNEED = 0x6FFFFFFE
    VERSYM = 0x6FFFFFFF


class SectionFlag(enum.IntFlag):
    """Flags of a section (`sh_flags`)."""

    ALLOC = 2
    EXECINSTR = 4


class Tag(enum.IntEnum):
    """Tags of the dynamic section (`d_tag`)."""

    NEEDED = 1
    HASH = 4
    STRTAB = 5
    SYMTAB = 6
    RELA = 7
    RELASZ = 8
    STRSZ = 10
    INIT = 12
    SONAME = 14
    RPATH = 15
    TEXTREL = 22
    INIT_ARRAY = 25
    INIT_ARRAYSZ = 27
    RUNPATH = 29
    FLAGS = 30
    VERSYM = 0x6FFFFFF0
    VERNEED = 0x6FFFFFFE
    VERNEEDNUM = 0x6FFFFFFF


@dataclass(frozen=True, slots=True)
class Segment:
    """A program header."""

    kind: int
    flags: int
    offset: int
    address: int
    size: int
    memory: int
    align: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section header, with its name."""

    name: str
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol: `kind` is its type (2 is a function, 10 an indirect one), `section` 0 if undefined.

    `index` is its place in its table.
    """

    name: str
    kind: int
    binding: int
    section: int
    value: int
    size: int
    index: int


@dataclass(frozen=True, slots=True)
class VersionNeed:
    """A version of a library's symbols that an object asks for; `index` is what symbols carry."""

    library: str
    version: str
    index: int
