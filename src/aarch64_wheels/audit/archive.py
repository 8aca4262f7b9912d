"""Reading a wheel that may be broken or hostile: nothing is ever extracted here."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from aarch64_wheels.audit.elf import MAGIC, ElfFacts
from aarch64_wheels.audit.faults import listing_faults, unvouched
from aarch64_wheels.audit.labels import declared_tags, info_directory, is_of_release
from aarch64_wheels.audit.record import Entry, read_record
from aarch64_wheels.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from packaging.tags import Tag

#: Largest content a wheel may unpack to, in bytes: auditwheel puts all of it on the disk.
MAX_CONTENT = 4 * 2**30
#: A wheel may unpack to so many times its size. Compiled code stays below 10, deflate ends at 1032.
MAX_RATIO = 100
#: Up to this content, in bytes, the ratio does no harm: a wheel may be one page of zeros.
SMALL_CONTENT = 64 * 2**20
#: Up to this size an ELF file is read in memory, larger ones through a temporary file.
IN_MEMORY = 32 * 2**20
#: What every installer unpacks; other methods need modules that a Python may lack.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})

#: What zipfile raises on archives that are cut off, forged, encrypted or of an unknown kind.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True, kw_only=True)
class WheelContent:
    """A wheel, read: its tags, its members' names, and every ELF file in it.

    `declared` are the tags its WHEEL file has, None where there is no such file. `elfs` maps
    a member to its facts, or to the reason it could not be read as ELF. `problems` are faults
    of the archive itself, each with its evidence.
    """

    tags: frozenset[Tag]
    declared: frozenset[Tag] | None
    names: tuple[str, ...]
    elfs: dict[str, ElfFacts | str]
    problems: tuple[tuple[str, str], ...]


def read_wheel(path: Path) -> WheelContent:
    """Read a wheel's name and content.

    Raises:
        UsageError: there is no such file, it is not a wheel by name or by content, or
            it is damaged.
    """
    try:
        name, version, _, tags = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise UsageError(
            f"{path.name} is not the name of a wheel",
            found=str(error),
            hint="a wheel is named name-version-python-abi-platform.whl (PEP 427)",
        ) from error
    try:
        with zipfile.ZipFile(path) as archive:
            reader = _Reader(archive, path.stat().st_size)
            named = is_of_release(reader.info, name, version)
            return reader.content(tags, is_named_alike=named)
    except OSError as error:
        raise UsageError(
            f"could not read {path}", found=error.strerror or str(error), hint="name a wheel file"
        ) from error
    except BROKEN as error:
        raise UsageError(
            f"{path.name} is not a wheel, or it is damaged",
            found=str(error) or type(error).__name__,
            hint="build or download it again",
        ) from error


class _Reader:
    """An open wheel; every method raises one of `BROKEN` when the archive is not as it should be.

    Args:
        archive: the wheel.
        size: its size in bytes.
    """

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        self._members = [member for member in archive.infolist() if not member.is_dir()]
        refuse_harm(self._members, size)
        self._by_name = {member.filename: member for member in self._members}
        self.names = tuple(member.filename for member in self._members)
        self.info = info_directory(self.names)

    def content(self, tags: frozenset[Tag], *, is_named_alike: bool) -> WheelContent:
        """Read every member, once."""
        record = read_record(
            self._archive, self._by_name[f"{self.info}/RECORD"], frozenset(self.names)
        )
        elfs: dict[str, ElfFacts | str] = {}
        problems = [] if is_named_alike else [("the file's name is of another release", self.info)]
        problems += listing_faults(self._members, frozenset(record), self.info)
        for member, facts, fault in self._looks(record):
            elfs |= {} if facts is None else {member: facts}
            problems += [(fault, member)] if fault else []
        declared = self._declared()
        problems += [("there is no WHEEL file", self.info)] if declared is None else []
        return WheelContent(
            tags=tags, declared=declared, names=self.names, elfs=elfs, problems=tuple(problems)
        )

    def _declared(self) -> frozenset[Tag] | None:
        label = self._by_name.get(f"{self.info}/WHEEL")
        return None if label is None else declared_tags(self._archive, label)

    def _looks(self, record: dict[str, Entry]) -> Iterator[tuple[str, ElfFacts | str | None, str]]:
        """Look into each member: its name, its facts if it is ELF, what RECORD has wrong of it."""
        unlisted = Entry(digest="", size="")
        for member in self._members:
            name = member.filename
            facts, fault = self._look(member, record.get(name, unlisted))
            vouched = name in record and name not in unvouched(self.info)
            yield name, facts, fault if vouched else ""

    def _look(self, member: zipfile.ZipInfo, entry: Entry) -> tuple[ElfFacts | str | None, str]:
        with self._archive.open(member) as source:
            is_elf = source.read(len(MAGIC)) == MAGIC
        with self._archive.open(member) as source:
            if not is_elf:
                return None, entry.fault(source)
            with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as copy:
                fault = entry.fault(source, copy)
                copy.seek(0)
                try:
                    return ElfFacts.read(copy), fault
                except ValueError as error:
                    return str(error), fault


def refuse_harm(members: Sequence[zipfile.ZipInfo], archive_size: int) -> None:
    """Refuse bombs, by the declared sizes: zipfile reads no more of a member than that.

    Raises:
        ValueError: unpacking would do harm, or cannot be done everywhere.
    """
    size = sum(member.file_size for member in members)
    if size > MAX_CONTENT:
        raise ValueError(f"it would unpack to {size} bytes (at most {MAX_CONTENT} are read)")
    if size > SMALL_CONTENT and size > MAX_RATIO * archive_size:
        raise ValueError(f"it would unpack to {size} bytes, over {MAX_RATIO} times its own size")
    for member in members:
        if member.compress_type not in _METHODS:
            raise ValueError(f"{member.filename} is neither stored nor deflated")
