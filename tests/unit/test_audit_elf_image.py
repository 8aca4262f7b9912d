"""The reader of ELF files, on a good file, and on files that lie."""

from __future__ import annotations

import struct
import time

import pytest

from aarch64_wheels.audit import elf_image
from aarch64_wheels.audit.elf_format import Flag, SegmentType, Tag
from aarch64_wheels.audit.elf_image import ElfImage
from tests.unit.audit_samples import PAGE, X86_64, elf

GOOD = elf(
    needed=("libm.so.6", "libc.so.6"),
    versions={"libc.so.6": ("GLIBC_2.17", "GLIBC_2.34"), "libm.so.6": ("GLIBC_2.29",)},
    imports=("pow",),
    search_path="$ORIGIN",
)
#: Where the header says how many rows its tables have, and where they begin.
E_PHOFF, E_SHOFF, E_PHNUM, E_SHENTSIZE, E_SHNUM, E_SHSTRNDX = 32, 40, 56, 58, 60, 62


def test_the_tables_of_a_good_file() -> None:
    image = ElfImage(GOOD)
    assert (image.bits, image.little_endian, image.machine, image.kind) == (64, True, 183, 3)
    load, *_ = image.segments
    assert (load.kind, load.flags, load.align) == (SegmentType.LOAD, Flag.READ, PAGE)
    names = [".dynstr", ".dynsym", ".gnu.version_r", ".dynamic", ".shstrtab"]
    assert [section.name for section in image.sections] == ["", *names]
    assert image.strings(Tag.NEEDED) == ["libm.so.6", "libc.so.6"]
    assert image.strings(Tag.RUNPATH) == ["$ORIGIN"]
    assert [symbol.name for symbol in image.symbols] == ["", "PyInit_fast", "pow"]
    assert [(need.library, need.version) for need in image.versions] == [
        ("libc.so.6", "GLIBC_2.17"),
        ("libc.so.6", "GLIBC_2.34"),
        ("libm.so.6", "GLIBC_2.29"),
    ]


def test_without_section_headers_the_loaders_tables_tell_the_same() -> None:
    data = bytearray(GOOD)
    struct.pack_into("<Q", data, E_SHOFF, 0)
    struct.pack_into("<HHH", data, E_SHENTSIZE, 0, 0, 0)
    image = ElfImage(bytes(data))
    assert image.sections == ()
    assert image.strings(Tag.NEEDED) == ["libm.so.6", "libc.so.6"]
    assert len(image.versions) == 3


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x7fELF", id="magic-alone"),
        pytest.param(GOOD[:63], id="header-cut"),
        pytest.param(b"\x7fELX" + GOOD[4:], id="other-magic"),
        pytest.param(GOOD[:4] + b"\x07" + GOOD[5:], id="no-class"),
        pytest.param(GOOD[:5] + b"\x07" + GOOD[6:], id="no-byte-order"),
    ],
)
def test_what_has_no_header(data: bytes) -> None:
    with pytest.raises(ValueError, match="ELF header"):
        ElfImage(data)


def test_other_machines_have_a_header_too() -> None:
    assert ElfImage(elf(machine=X86_64)).machine == X86_64


def _read_all(image: ElfImage) -> None:
    for section in image.sections:
        image.content(section)
    image.version_indices()
    assert len(image.segments) <= elf_image.MAX_SEGMENTS
    assert len(image.symbols) + len(image.full_symbols) <= len(image.data)
    assert len(image.versions) <= elf_image.MAX_VERSIONS
    for tag in Tag:
        image.strings(tag)


LIES = {
    "most-sections": [(E_SHNUM, "<H", 0xFFFF)],
    "sections-of-nothing": [(E_SHENTSIZE, "<H", 0)],
    "sections-that-overlap": [(E_SHENTSIZE, "<H", 1), (E_SHNUM, "<H", 0xFFFF)],
    "names-nowhere": [(E_SHSTRNDX, "<H", 0xFFFF)],
    "most-segments": [(E_PHNUM, "<H", 0xFFFF)],
    "segments-behind-the-end": [(E_PHOFF, "<Q", 2**64 - 1)],
    "sections-behind-the-end": [(E_SHOFF, "<Q", 2**63)],
}


@pytest.mark.parametrize("lies", LIES.values(), ids=LIES.keys())
def test_lies_in_the_header(lies: list[tuple[int, str, int]]) -> None:
    data = bytearray(GOOD)
    for at, form, value in lies:
        struct.pack_into(form, data, at, value)
    started = time.monotonic()
    _read_all(ElfImage(bytes(data)))
    assert time.monotonic() - started < 5


def test_chains_of_versions_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that follows itself: the count alone would be four billions."""
    monkeypatch.setattr(elf_image, "MAX_VERSIONS", 100)
    data = bytearray(GOOD)
    image = ElfImage(GOOD)
    at = image.offset_of(image.values(Tag.VERNEED)[0])
    assert at is not None
    struct.pack_into("<H", data, at + 2, 0xFFFF)  # vn_cnt
    struct.pack_into("<I", data, at + 12, 2**32 - 1)  # vn_next
    struct.pack_into("<I", data, at + 16 + 12, 2**32 - 16)  # vna_next
    assert len(ElfImage(bytes(data)).versions) <= 100


def test_every_byte_may_be_wrong() -> None:
    for at in range(len(GOOD)):
        for value in (0x00, 0x7F, 0xFF):
            data = bytearray(GOOD)
            data[at] = value
            try:
                image = ElfImage(bytes(data))
            except ValueError:
                continue
            if image.is_readable:
                _read_all(image)


def test_names_have_a_longest_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elf_image, "MAX_NAME", 4)
    assert ElfImage(GOOD).strings(Tag.NEEDED) == ["libm", "libc"]
