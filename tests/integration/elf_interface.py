"""What the shared objects of a wheel offer and ask for: read with pyelftools alone.

The product's own reader is left out on purpose: what is compared here is what the product made.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection, GNUVerSymSection
from packaging.utils import parse_wheel_filename

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: `*local*` and `*global*` (System V ABI): such symbols have no version.
_FIRST_VERSION = 2
#: auditwheel puts eight digits of a hash of the content into the name of a grafted library.
_HASH = re.compile(r"-[0-9a-f]{8}(?=\.so)")


@dataclass(frozen=True, kw_only=True)
class Import:
    """A symbol that another object must have; `version` such as `GLIBC_2.17`, or empty.

    `weak`: it may also be missing.
    """

    name: str
    version: str
    weak: bool


@dataclass(frozen=True, kw_only=True)
class Interface:
    """One shared object, seen from outside.

    Attributes:
        needed: the libraries it asks for (DT_NEEDED), in order.
        strong: exported symbols that must be there once; weak: those that several objects may
            have, as the linker takes any (inline functions and templates of C++).
        imports: what it lacks. alignments: of its loadable segments, in bytes.
        made_by: compilers and linkers that have left their names in it (`.comment`).
    """

    needed: tuple[str, ...]
    strong: frozenset[str]
    weak: frozenset[str]
    imports: frozenset[Import]
    alignments: frozenset[int]
    made_by: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class WheelInterface:
    """A wheel, seen from outside: its name's tags, its WHEEL file's tags, members, objects."""

    tags: frozenset[str]
    declared: tuple[str, ...]
    members: tuple[str, ...]
    objects: Mapping[str, Interface]

    @property
    def own(self) -> dict[str, Interface]:
        """Give the package's own objects, without the libraries that auditwheel has grafted."""
        return {name: item for name, item in self.objects.items() if ".libs/" not in name}


def read_wheel_interface(path: Path) -> WheelInterface:
    """Read a wheel; names of grafted libraries are without their hash."""
    objects: dict[str, Interface] = {}
    declared: tuple[str, ...] = ()
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        for name in names:
            content = archive.read(name)
            if content.startswith(b"\x7fELF"):
                objects[_HASH.sub("", name)] = read_interface(content)
            if name.endswith(".dist-info/WHEEL"):
                lines = content.decode().splitlines()
                declared = tuple(sorted(row for row in lines if row.startswith("Tag: ")))
    _, _, _, tags = parse_wheel_filename(path.name)
    return WheelInterface(
        tags=frozenset(map(str, tags)),
        declared=declared,
        members=tuple(sorted(_HASH.sub("", name) for name in names)),
        objects=objects,
    )


def read_interface(content: bytes) -> Interface:
    """Read one shared object."""
    elf = ELFFile(io.BytesIO(content))
    symbols = list(_symbols(elf))
    exported = [(row, version) for row, version in symbols if _is_exported(row)]
    return Interface(
        needed=tuple(_HASH.sub("", name) for name in _needed(elf)),
        strong=frozenset(row.name for row, _ in exported if _binding(row) == "STB_GLOBAL"),
        weak=frozenset(row.name for row, _ in exported if _binding(row) != "STB_GLOBAL"),
        imports=frozenset(
            Import(name=row.name, version=version, weak=_binding(row) == "STB_WEAK")
            for row, version in symbols
            if row["st_shndx"] == "SHN_UNDEF" and row.name
        ),
        alignments=frozenset(
            segment["p_align"] for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"
        ),
        made_by=_made_by(elf),
    )


def _made_by(elf: ELFFile) -> frozenset[str]:
    section: Any = elf.get_section_by_name(".comment")
    texts = section.data().split(b"\0") if section else ()
    return frozenset(text.decode() for text in texts if text)


def _symbols(elf: ELFFile) -> Iterator[tuple[Any, str]]:
    """Give every dynamic symbol with the version that is asked for, or an empty one."""
    table: Any = elf.get_section_by_name(".dynsym")
    versions = next(elf.iter_sections("SHT_GNU_versym"), None)
    needs = next(elf.iter_sections("SHT_GNU_verneed"), None)
    for number, row in enumerate(table.iter_symbols()):
        yield row, _version(versions, needs, number)


def _version(versions: Any, needs: Any, number: int) -> str:
    if not isinstance(versions, GNUVerSymSection) or not isinstance(needs, GNUVerNeedSection):
        return ""
    index = versions.get_symbol(number)["ndx"]
    if not isinstance(index, int) or index < _FIRST_VERSION:
        return ""
    found: Any = needs.get_version(index)
    return str(found[1].name) if found else ""


def _is_exported(row: Any) -> bool:
    visible = row["st_other"]["visibility"] in ("STV_DEFAULT", "STV_PROTECTED")
    return bool(visible and row["st_shndx"] != "SHN_UNDEF" and row.name and _binding(row))


def _binding(row: Any) -> str:
    """Give `STB_GLOBAL`, `STB_WEAK` or `STB_LOOS` (GNU's unique symbols); empty for local ones."""
    binding = str(row["st_info"]["bind"])
    return "" if binding == "STB_LOCAL" else binding


def _needed(elf: ELFFile) -> Iterator[str]:
    for segment in elf.iter_segments():
        if isinstance(segment, DynamicSegment):
            tags: Any = segment.iter_tags("DT_NEEDED")
            yield from (str(tag.needed) for tag in tags)
