"""The facts of an ELF file that the audit's rules look at."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Self

from elftools.elf.enums import ENUM_E_MACHINE, ENUM_E_TYPE

from aarch64_wheels.audit.elf_format import (
    Flag,
    Section,
    SectionFlag,
    SectionType,
    SegmentType,
    Tag,
)
from aarch64_wheels.audit.elf_image import ElfImage
from aarch64_wheels.audit.isa import LaterCode, scan
from aarch64_wheels.audit.leftovers import BuildPath, build_paths
from aarch64_wheels.text import clean

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator, Mapping

    from aarch64_wheels.audit.elf_format import Segment, Symbol, VersionNeed

#: DT_FLAGS: the object has relocations in its code.
_DF_TEXTREL = 4
#: The longest signature of a compiler that is kept, and the most of them.
_MAX_PRODUCER, _MAX_PRODUCERS = 200, 32
#: The most entries of RPATH and RUNPATH that are looked at.
_MAX_PATHS = 1000
_NO_CODE = LaterCode(features=(), detection=(), unguarded=())


@dataclass(frozen=True, kw_only=True)
class NeededVersion:
    """A version of a library's symbols that an object asks for: `GLIBC_2.17` of `libc.so.6`.

    `symbol` is one that is bound to it, empty if none is.
    """

    library: str
    version: str
    symbol: str


@dataclass(frozen=True, kw_only=True)
class ElfFacts:
    """What is known of one ELF file. Of files for other machines, the header's facts alone.

    Attributes:
        machine, kind: names of the ELF specification (`EM_AARCH64`, `ET_DYN`), or the number as
            text where the specification has no name for it.
        is_program: it names a loader to be run by (`PT_INTERP`), as libraries rarely do.
        needed: libraries it asks for. search_paths: entries of RPATH and RUNPATH.
        text_relocations: it has relocations in its code.
        cut: what is missing of the file's end, empty if nothing is.
        segments: its program headers.
        versions: versioned symbols that it asks for, one row for each version.
        exports, imports: names of dynamic symbols that it defines and that it asks for.
        producers: compilers and linkers, as they have signed it (`.comment`).
        debug_size: bytes of debug information.
        build_paths: source files of the machine it was built on, one row for each section.
        code: what its instructions ask of the processor.
    """

    machine: str
    bits: int
    little_endian: bool
    kind: str
    is_program: bool = False
    needed: tuple[str, ...] = ()
    search_paths: tuple[str, ...] = ()
    text_relocations: bool = False
    cut: str = ""
    segments: tuple[Segment, ...] = ()
    versions: tuple[NeededVersion, ...] = ()
    exports: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    producers: tuple[str, ...] = ()
    debug_size: int = 0
    build_paths: tuple[BuildPath, ...] = ()
    code: LaterCode = _NO_CODE

    @classmethod
    def read(cls, data: bytes | mmap.mmap) -> Self:
        """Read the facts from a file's content.

        Raises:
            ValueError: the file begins like ELF, but can't be read as such.
        """
        image = ElfImage(data)
        head = cls(
            machine=_name("EM_", ENUM_E_MACHINE, image.machine),
            bits=image.bits,
            little_endian=image.little_endian,
            kind=_name("ET_", ENUM_E_TYPE, image.kind),
            is_program=image.is_readable
            and any(row.kind == SegmentType.INTERP for row in image.segments),
        )
        return cls(**{**vars(head), **_details(image)}) if head.is_aarch64 else head

    @property
    def is_aarch64(self) -> bool:
        """AArch64, 64 bits, little-endian: what Linux calls aarch64."""
        return self.machine == "EM_AARCH64" and self.bits == 64 and self.little_endian  # noqa: PLR2004

    @property
    def is_loaded(self) -> bool:
        """Something a process is made of: neither a relocatable object nor a core file."""
        return self.is_aarch64 and self.kind in {"ET_DYN", "ET_EXEC"}

    def describe(self) -> str:
        """Put the machine in words, for evidence."""
        order = "little" if self.little_endian else "big"
        return f"{self.machine}, {self.bits}-bit, {order}-endian"


def _name(prefix: str, names: Mapping[str, int], value: int) -> str:
    return next(
        (name for name, number in names.items() if number == value and name.startswith(prefix)),
        str(value),
    )


def _details(image: ElfImage) -> dict[str, object]:
    undefined = [symbol for symbol in image.symbols if not symbol.section]
    loaded = image.kind in (ENUM_E_TYPE["ET_DYN"], ENUM_E_TYPE["ET_EXEC"])
    return {
        "needed": tuple(map(clean, image.strings(Tag.NEEDED))),
        "search_paths": tuple(_search_paths(image)),
        "text_relocations": _has_text_relocations(image),
        "cut": _cut(image) if loaded else "",
        "segments": image.segments,
        "versions": tuple(_versions(image, undefined)),
        "exports": frozenset(symbol.name for symbol in image.symbols if symbol.section),
        "imports": frozenset(symbol.name for symbol in undefined),
        "producers": _producers(image),
        "debug_size": sum(row.size for row in image.sections if _is_debug(row)),
        "build_paths": tuple(build_paths(image)) if loaded else (),
        "code": scan(image) if loaded else _NO_CODE,
    }


def _search_paths(image: ElfImage) -> Iterator[str]:
    texts = (*image.strings(Tag.RPATH), *image.strings(Tag.RUNPATH))
    yield from islice((clean(path) for text in texts for path in text.split(":")), _MAX_PATHS)


def _has_text_relocations(image: ElfImage) -> bool:
    flags = image.values(Tag.FLAGS)
    return bool(image.values(Tag.TEXTREL)) or any(value & _DF_TEXTREL for value in flags)


def _cut(image: ElfImage) -> str:
    """Say what the loader would not find: it refuses a segment that ends behind the file's end."""
    size = len(image.data)
    loads = [row.offset + row.size for row in image.segments if row.kind == SegmentType.LOAD]
    end = max(loads, default=0)
    if end > size:
        return f"a segment ends at {end}, the file has {size} bytes"
    # The loader reads no section, but a file is cut off where they are missing from its end.
    if image.sections_end > size:
        return f"its sections are listed up to {image.sections_end}, the file has {size} bytes"
    return "" if loads else "it has no segment to load"


def _versions(image: ElfImage, undefined: list[Symbol]) -> Iterator[NeededVersion]:
    bound: dict[int, str] = {}
    indices = image.version_indices()
    for symbol in undefined:
        if symbol.index < len(indices):
            bound.setdefault(indices[symbol.index], symbol.name)
    seen: set[VersionNeed] = set()
    for need in image.versions:
        if need not in seen:
            seen.add(need)
            symbol_name = clean(bound.get(need.index, ""))
            yield NeededVersion(
                library=clean(need.library), version=clean(need.version), symbol=symbol_name
            )


def _producers(image: ElfImage) -> tuple[str, ...]:
    section = image.section(".comment")
    if section is None:
        return ()
    raw = image.slice(section.offset, min(section.size, _MAX_PRODUCER * _MAX_PRODUCERS))
    texts = (clean(part.decode("utf-8", "replace"))[:_MAX_PRODUCER] for part in raw.split(b"\0"))
    return tuple(sorted({text for text in texts if text})[:_MAX_PRODUCERS])


def _is_debug(section: Section) -> bool:
    is_kept = section.kind == SectionType.PROGBITS and not section.flags & SectionFlag.ALLOC
    return is_kept and section.name.startswith((".debug_", ".zdebug_"))


def writable_code(segments: tuple[Segment, ...]) -> bool:
    """Whether a loaded segment is both writable and executable."""
    both = Flag.WRITE | Flag.EXECUTE
    return any(row.kind == SegmentType.LOAD and row.flags & both == both for row in segments)
