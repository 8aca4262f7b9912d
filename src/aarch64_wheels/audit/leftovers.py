"""Paths of the machine that an object was built on, left in what a process loads of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.audit.elf_format import SectionFlag, SectionType
from aarch64_wheels.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.elf_image import ElfImage

# Compilers leave the names of source files where `__FILE__`, assertions and panics use them.
# Strings of Rust stand without an end, so another may follow; and no path begins within a word.
_PATH = re.compile(rb"(?<![\w./+*~$%}>)\]-])/[\w.+@~/-]{6,3000}")
_SOURCE = re.compile(
    rb"\.(?:c|cc|cpp|cxx|C|h|hh|hpp|hxx|inl|ipp|rs|pyx|pxd|f|f90|F90|go|S|s)(?![\w])"
)
# Two directories at least, of more than a letter: `/foo.c` is hardly one, nor a table of bytes.
_DIRECTORIES = re.compile(rb"/[\w.+@~-]{2,100}/[\w.+@~-]{2,100}/(?!/)")
# Distributions build their own libraries there, and the parts that are linked in keep the names.
_DISTRIBUTIONS = (b"/builddir/build/", b"/home/buildozer/aports/")
# What a toolchain or an image brings is the same for everybody: headers of the system and of
# the interpreters, and Rust's own library, whose paths have been mapped already.
_OF_THE_TOOLCHAIN = (b"/usr/include/", b"/usr/lib/", b"/opt/", b"/rustc/", *_DISTRIBUTIONS)
#: Code of graphics processors, where any text is chance.
_COMPRESSED = frozenset({".nv_fatbin", "__nv_relfatbin"})
#: Of a section so many are counted.
_MOST = 10_000


@dataclass(frozen=True, kw_only=True)
class BuildPath:
    """The paths found in one section: how many, and the first."""

    section: str
    count: int
    first: str


def build_paths(image: ElfImage) -> Iterator[BuildPath]:
    """Find absolute paths of source files in the sections that are loaded, without code."""
    read = 0
    for section in sorted(image.sections, key=lambda section: section.offset):
        is_data = section.kind == SectionType.PROGBITS and section.flags & SectionFlag.ALLOC
        if section.name in _COMPRESSED:
            continue
        # Sections do not overlap; forged ones would be read thousands of times.
        if is_data and not section.flags & SectionFlag.EXECINSTR and section.offset >= read:
            read = section.offset + section.size
            found = _paths(image.content(section))
            if found:
                first = clean(min(found).decode("ascii", "replace"))
                yield BuildPath(section=clean(section.name), count=len(found), first=first)


def _paths(data: bytes) -> set[bytes]:
    found: set[bytes] = set()
    for match in _PATH.finditer(data):
        ends = [end.end() for end in _SOURCE.finditer(match[0])]
        path = match[0][: ends[0]] if ends else b""
        if _DIRECTORIES.match(path) and not path.startswith(_OF_THE_TOOLCHAIN):
            found.add(path)
        if len(found) >= _MOST:
            break
    return found
