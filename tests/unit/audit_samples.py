"""Real, if tiny, ELF files and wheels around them, made in memory."""

from __future__ import annotations

import base64
import hashlib
import struct
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

AARCH64, X86_64, ARM = 183, 62, 40
ET_REL, ET_EXEC, ET_DYN = 1, 2, 3

_EHDR, _PHDR, _SHDR = 64, 56, 64
#: What a linker for AArch64 aligns segments to.
PAGE = 1 << 16
_SEGMENTS = 3


@dataclass
class Strings:
    """A string table that hands out offsets."""

    data: bytes = b"\0"

    def add(self, text: str) -> int:
        offset = len(self.data)
        self.data += text.encode() + b"\0"
        return offset


@dataclass(frozen=True, kw_only=True)
class Section:
    name: str
    kind: int
    data: bytes
    link: int = 0
    info: int = 0
    entry: int = 0
    flags: int = 2


@dataclass(frozen=True, kw_only=True)
class Elf:
    """A shared object: its machine, what it needs, and the symbol versions it asks for."""

    machine: int = AARCH64
    kind: int = ET_DYN
    needed: tuple[str, ...] = ("libc.so.6",)
    versions: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"libc.so.6": ("GLIBC_2.17",)}
    )
    symbol: str = "PyInit_fast"
    search_path: str = ""
    align: int = PAGE
    stack: int = 6
    flags: int = 4
    imports: tuple[str, ...] = ()
    text_relocations: bool = False
    more: tuple[Section, ...] = ()

    def to_bytes(self) -> bytes:
        strings = Strings()
        symbols = bytes(24) + struct.pack("<IBBHQQ", strings.add(self.symbol), 0x12, 0, 1, 0, 0)
        for name in self.imports:
            symbols += struct.pack("<IBBHQQ", strings.add(name), 0x12, 0, 0, 0, 0)
        versions = self._version_needs(strings)
        tags = self._tags(strings)
        sections = [
            Section(name=".dynstr", kind=3, data=strings.data),
            Section(name=".dynsym", kind=11, data=symbols, link=1, info=1, entry=24),
            Section(
                name=".gnu.version_r",
                kind=0x6FFFFFFE,
                data=versions,
                link=1,
                info=len(self.versions),
            ),
            # Its size is known, its content is not yet: it tells where the others are.
            Section(name=".dynamic", kind=6, data=bytes(16 * len(tags)), link=1, entry=16),
        ]
        return self._assemble([part for part in (*sections, *self.more) if part.data], tags)

    def _version_needs(self, strings: Strings) -> bytes:
        out = b""
        for position, (library, names) in enumerate(self.versions.items(), start=1):
            size = 16 + 16 * len(names)
            following = 0 if position == len(self.versions) else size
            out += struct.pack("<HHIII", 1, len(names), strings.add(library), 16, following)
            for index, name in enumerate(names, start=1):
                last = index == len(names)
                out += struct.pack("<IHHII", 0, 0, index + 1, strings.add(name), 0 if last else 16)
        return out

    def _tags(self, strings: Strings) -> list[tuple[int, int | str]]:
        """The dynamic section; a value that is a text is where the section of that name begins."""
        tags: list[tuple[int, int | str]] = [(1, strings.add(name)) for name in self.needed]
        tags += [(29, strings.add(self.search_path))] if self.search_path else []
        tags += [(5, ".dynstr"), (10, len(strings.data)), (6, ".dynsym")]
        tags += [(22, 0)] if self.text_relocations else []
        if self.versions:
            tags += [(0x6FFFFFFE, ".gnu.version_r"), (0x6FFFFFFF, len(self.versions))]
        return [*tags, (0, 0)]

    def _assemble(self, sections: list[Section], tags: list[tuple[int, int | str]]) -> bytes:
        names = Strings()
        headers, body = bytes(_SHDR), b""
        start = _EHDR + _SEGMENTS * _PHDR
        place: dict[str, tuple[int, int]] = {}
        for part in [*sections, Section(name=".shstrtab", kind=3, data=b"")]:
            name = names.add(part.name)
            data = part.data or names.data
            place[part.name] = (offset := start + len(body), len(data))
            headers += struct.pack(
                "<IIQQQQIIQQ",
                *(name, part.kind, part.flags, offset, offset, len(data), part.link, part.info, 8),
                part.entry,
            )
            body += data + bytes(-len(data) % 8)
        total = start + len(body)
        dynamic, size = place[".dynamic"]
        told = b"".join(
            struct.pack("<QQ", tag, place[value][0] if isinstance(value, str) else value)
            for tag, value in tags
        )
        body = body[: dynamic - start] + told + body[dynamic - start + size :]
        segments = _segment(1, 0, total, self.flags, self.align)
        segments += _segment(2, dynamic, size) + _segment(0x6474E551, 0, 0, self.stack, 16)
        return self._header(total, len(sections) + 2) + segments + body + headers

    def _header(self, sections_at: int, count: int) -> bytes:
        return b"\x7fELF\x02\x01\x01" + struct.pack(
            "<9xHHIQQQIHHHHHH",
            *(self.kind, self.machine, 1, 0, _EHDR, sections_at, 0),
            *(_EHDR, _PHDR, _SEGMENTS, _SHDR, count, count - 1),
        )


def _segment(kind: int, offset: int, size: int, flags: int = 4, align: int = 8) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, flags, offset, offset, offset, size, size, align)


def elf(**fields: object) -> bytes:
    """The bytes of a shared object; see `Elf` for the fields."""
    return Elf(**fields).to_bytes()  # type: ignore[arg-type]


EXTENSION = "fast.cpython-313-aarch64-linux-gnu.so"
GOOD_NAME = "fast-1.0-cp313-cp313-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"


INFO = "fast-1.0.dist-info"
METADATA = "Metadata-Version: 2.1\nName: fast\nVersion: 1.0\n"


def row(member: str, data: bytes) -> str:
    """The line of RECORD for a file of this content."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{member},sha256={digest},{len(data)}\n"


def wheel_file(name: str = GOOD_NAME) -> str:
    """The WHEEL file that says what the wheel's name says."""
    python, abi, platforms = name.removesuffix(".whl").split("-")[-3:]
    tags = "".join(f"Tag: {python}-{abi}-{platform}\n" for platform in platforms.split("."))
    return f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\n{tags}"


def metadata_of(name: str = GOOD_NAME) -> str:
    """The METADATA of the release that a wheel's name says."""
    project, version = name.split("-")[:2]
    return f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"


def write_wheel(
    directory: Path,
    name: str = GOOD_NAME,
    files: dict[str, bytes] | None = None,
    record: list[str] | None = None,
    *,
    info: str = INFO,
    label: str | None = None,
    metadata: str | None = None,
) -> Path:
    """Write a wheel of these files.

    Its RECORD lists them, or has just the lines that `record` says; `label` is its WHEEL
    file instead of one with the tags of the name.
    """
    content = {EXTENSION: elf()} if files is None else files
    said = wheel_file(name) if label is None else label
    told = metadata_of(name) if metadata is None else metadata
    content = {f"{info}/METADATA": told.encode(), **content, f"{info}/WHEEL": said.encode()}
    rows = [row(member, data) for member, data in content.items()] if record is None else record
    path = directory / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in content.items():
            archive.writestr(member, data)
        archive.writestr(f"{info}/RECORD", "".join([*rows, f"{info}/RECORD,,\n"]))
    return path
