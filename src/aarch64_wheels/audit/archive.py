"""Reading a wheel that may be broken or hostile: nothing is ever extracted here."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from aarch64_wheels.audit.elf import MAGIC, ElfFacts
from aarch64_wheels.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.tags import Tag

#: Largest content a wheel may unpack to, in bytes. The largest wheels known are near 4 GiB.
MAX_CONTENT = 8 * 2**30
#: Up to this size an ELF file is read in memory, larger ones through a temporary file.
_IN_MEMORY = 32 * 2**20

# What zipfile raises on archives that are cut off, forged, encrypted or of an unknown kind.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True, kw_only=True)
class WheelContent:
    """A wheel, read: its tags, its members' names, and every ELF file in it.

    `elfs` maps a member to its facts, or to the reason it could not be read as ELF.
    `problems` are faults of the archive itself, each with its evidence.
    """

    tags: frozenset[Tag]
    names: tuple[str, ...]
    elfs: dict[str, ElfFacts | str]
    problems: tuple[tuple[str, str], ...]


def read_wheel(path: Path) -> WheelContent:
    """Read a wheel's name and content.

    Raises:
        UsageError: there is no such file, it is not a wheel by name or by content, or
            it is damaged.
    """
    tags = _tags(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, path, tags)
    except OSError as error:
        raise UsageError(
            f"could not read {path}", found=error.strerror or str(error), hint="name a wheel file"
        ) from error
    except _BROKEN as error:
        raise _damaged(path, str(error) or type(error).__name__) from error


def _read(archive: zipfile.ZipFile, path: Path, tags: frozenset[Tag]) -> WheelContent:
    members = [member for member in archive.infolist() if not member.is_dir()]
    size = sum(member.file_size for member in members)
    if size > MAX_CONTENT:
        raise _damaged(path, f"it would unpack to {size} bytes (at most {MAX_CONTENT} are read)")
    names = tuple(member.filename for member in members)
    record = _record(archive, path, names)
    elfs = dict(_elfs(archive, members))
    return WheelContent(
        tags=tags,
        names=names,
        elfs=elfs,
        problems=tuple(_problems(names, record, frozenset(elfs))),
    )


def _tags(path: Path) -> frozenset[Tag]:
    try:
        return parse_wheel_filename(path.name)[3]
    except InvalidWheelFilename as error:
        raise UsageError(
            f"{path.name} is not the name of a wheel",
            found=str(error),
            hint="a wheel is named name-version-python-abi-platform.whl (PEP 427)",
        ) from error


def _damaged(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path.name} is not a wheel, or it is damaged",
        found=why,
        hint="build or download it again",
    )


def _record(archive: zipfile.ZipFile, path: Path, names: tuple[str, ...]) -> frozenset[str]:
    """Read the paths that the wheel's RECORD lists (PEP 376)."""
    records = [name for name in names if PurePosixPath(name).match("*.dist-info/RECORD")]
    top_level = [name for name in records if name.count("/") == 1]
    if len(top_level) != 1:
        raise _damaged(path, f"{len(top_level)} files called *.dist-info/RECORD, not one")
    text = archive.read(top_level[0]).decode()
    return frozenset(row[0] for row in csv.reader(io.StringIO(text)) if row)


def _elfs(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]
) -> Iterator[tuple[str, ElfFacts | str]]:
    for member in members:
        with archive.open(member) as source:
            head = source.read(len(MAGIC))
            if head != MAGIC:
                continue
            with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
                copy.write(head)
                shutil.copyfileobj(source, copy)
                copy.seek(0)
                try:
                    yield member.filename, ElfFacts.read(copy)
                except ValueError as error:
                    yield member.filename, str(error)


def _problems(
    names: tuple[str, ...], record: frozenset[str], elfs: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Faults that would make two readers of the wheel see two different wheels."""
    for name in sorted({*names, *record}):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
            yield "a path leads out of the wheel", name
    for name, count in Counter(names).items():
        if count > 1:
            yield "a file is in the archive more than once", name
    for name in sorted(record - set(names)):
        yield "RECORD lists a file that is not in the wheel", name
    for name in sorted(elfs - record):
        yield "RECORD does not list a file that is in the wheel", name
