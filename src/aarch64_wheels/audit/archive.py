"""Reading a wheel that may be broken or hostile: nothing is ever extracted here."""

from __future__ import annotations

import mmap
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import IO, TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.elf import ElfFacts
from aarch64_wheels.audit.elf_image import MAGIC
from aarch64_wheels.audit.faults import archive_faults, record_faults, unvouched
from aarch64_wheels.audit.gaps import hidden_bytes
from aarch64_wheels.audit.labels import info_directory, is_of_release, read_label
from aarch64_wheels.audit.record import Entry, read_record
from aarch64_wheels.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.tags import Tag
    from packaging.version import Version

    from aarch64_wheels.audit.labels import Label
    from aarch64_wheels.audit.model import Finding

#: Largest content a wheel may unpack to, in bytes: auditwheel puts all of it on the disk.
MAX_CONTENT = 4 * 2**30
#: A wheel may unpack to so many times its size. Compiled code stays below 10, deflate ends at 1032.
MAX_RATIO = 100
#: Up to this content, in bytes, the ratio does no harm: a wheel may be one page of zeros.
SMALL_CONTENT = 64 * 2**20
#: Up to this size an ELF file is read in memory, larger ones through a temporary file.
IN_MEMORY = 32 * 2**20
#: Of texts in `.dist-info` (METADATA, licences, bills of materials) so many bytes are read.
MAX_TEXT, MAX_TEXTS = 4 * 2**20, 16 * 2**20
#: What every installer unpacks; other methods need modules that a Python may lack.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})

#: What zipfile raises on archives that are cut off, forged, encrypted or of an unknown kind.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class UnreadableWheelError(UsageError):
    """A file that is no wheel, or a damaged or harmful one; `check` is what refuses it."""

    check = "zip-damaged"


class BombError(UnreadableWheelError):
    """A wheel that would unpack to far more than its size."""

    check = "zip-bomb"


class HarmError(ValueError):
    """Unpacking an archive would fill the disk."""


@dataclass(frozen=True, kw_only=True)
class WheelContent:
    """A wheel, read.

    Attributes:
        name: the project's canonical name; version: of the release.
        tags: those of the file's name; declared: what its WHEEL file says, None where there is
            no such file.
        info: the name of the `.dist-info` directory.
        names: of the members. texts: what the smaller files of `.dist-info` hold.
        elfs: by member, the facts of each ELF file, or the reason it could not be read as one.
        problems: faults of the archive itself and of RECORD; with them nothing else is judged
            that would unpack it.
    """

    name: str
    version: Version
    tags: frozenset[Tag]
    declared: Label | None
    info: str
    names: tuple[str, ...]
    elfs: Mapping[str, ElfFacts | str]
    problems: tuple[Finding, ...] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def objects(self) -> dict[str, ElfFacts]:
        """The ELF files for AArch64 that a process may load."""
        return {
            name: facts
            for name, facts in self.elfs.items()
            if isinstance(facts, ElfFacts) and facts.is_loaded
        }

    @property
    def grafted(self) -> dict[str, ElfFacts]:
        """The libraries that a repair has put into the wheel, for auditwheel into `*.libs`."""
        return {
            name: facts
            for name, facts in self.objects.items()
            if name.partition("/")[0].endswith(".libs")
        }


def read_wheel(path: Path) -> WheelContent:
    """Read a wheel's name and content.

    Raises:
        UnreadableWheelError: there is no such file, it is not a wheel by name or by content, or
            it is damaged.
    """
    try:
        name, version, _, tags = parse_wheel_filename(path.name)
    except InvalidWheelFilename as error:
        raise UnreadableWheelError(
            f"{path.name} is not the name of a wheel",
            found=str(error),
            hint="a wheel is named name-version-python-abi-platform.whl (PEP 427)",
        ) from error
    with _open(path) as (archive, file):
        reader = _Reader(archive, path.stat().st_size)
        named = is_of_release(reader.info, name, version)
        content = reader.content(str(name), version, tags, is_named_alike=named)
        return replace(content, problems=(*hidden_bytes(archive, file), *content.problems))


@contextmanager
def _open(path: Path) -> Iterator[tuple[zipfile.ZipFile, IO[bytes]]]:
    """Open an archive; whatever is wrong with it becomes an error of ours."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(path) as archive:
            yield archive, file
    except OSError as error:
        raise UnreadableWheelError(
            f"could not read {path}", found=error.strerror or str(error), hint="name a wheel file"
        ) from error
    except HarmError as error:
        raise BombError(
            f"{path.name} is not unpacked", found=str(error), hint="do not install it"
        ) from error
    except BROKEN as error:
        raise UnreadableWheelError(
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
        # By the name: `ZipInfo.is_dir` stumbles over one that is empty.
        members = archive.infolist()
        self._directories = [one.filename for one in members if one.filename.endswith("/")]
        self._members = [member for member in members if not member.filename.endswith("/")]
        refuse_harm(self._members, size)
        self._by_name = {member.filename: member for member in self._members}
        self.names = tuple(member.filename for member in self._members)
        self.info = info_directory(self.names)

    def content(
        self, name: str, version: Version, tags: frozenset[Tag], *, is_named_alike: bool
    ) -> WheelContent:
        """Read every member, once."""
        names = frozenset(self.names)
        record = read_record(self._archive, self._by_name[f"{self.info}/RECORD"], names)
        problems = [*archive_faults(self._members, self._directories)]
        problems += record_faults(names, frozenset(record), self.info)
        if not is_named_alike:
            message = "the file's name is of another release"
            problems.append(found("wheel-name", message, evidence=self.info))
        elfs: dict[str, ElfFacts | str] = {}
        for member, facts, fault in self._looks(record):
            elfs |= {} if facts is None else {member: facts}
            problems += [found("record", fault, file=member)] if fault else []
        return WheelContent(
            name=name,
            version=version,
            tags=tags,
            declared=self._declared(),
            info=self.info,
            names=self.names,
            elfs=elfs,
            problems=tuple(problems),
            texts=self._texts(),
        )

    def _declared(self) -> Label | None:
        label = self._by_name.get(f"{self.info}/WHEEL")
        return None if label is None else read_label(self._archive, label)

    def _texts(self) -> dict[str, bytes]:
        """Read what is told in `.dist-info`: everything but RECORD, which may be long."""
        left, texts = MAX_TEXTS, {}
        for name, member in self._by_name.items():
            is_told = name.startswith(f"{self.info}/") and name not in unvouched(self.info)
            if is_told and member.file_size <= min(MAX_TEXT, left):
                texts[name] = self._archive.read(member)
                left -= member.file_size
        return texts

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
            if source.read(len(MAGIC)) != MAGIC:
                source.seek(0)
                return None, entry.fault(source)
            source.seek(0)
            with tempfile.TemporaryFile() if member.file_size > IN_MEMORY else BytesIO() as copy:
                fault = entry.fault(source, copy)
                try:
                    return _facts(copy), fault
                except ValueError as error:
                    return str(error), fault


def _facts(copy: IO[bytes]) -> ElfFacts:
    if isinstance(copy, BytesIO):
        return ElfFacts.read(copy.getvalue())
    copy.flush()
    with mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return ElfFacts.read(data)


def refuse_harm(members: Sequence[zipfile.ZipInfo], archive_size: int) -> None:
    """Refuse bombs, by the declared sizes: zipfile reads no more of a member than that.

    Raises:
        HarmError: unpacking would fill a disk.
        ValueError: unpacking cannot be done everywhere.
    """
    size = sum(member.file_size for member in members)
    if size > MAX_CONTENT:
        raise HarmError(f"it would unpack to {size} bytes (at most {MAX_CONTENT} are read)")
    if size > SMALL_CONTENT and size > MAX_RATIO * archive_size:
        raise HarmError(f"it would unpack to {size} bytes, over {MAX_RATIO} times its own size")
    for member in members:
        if not member.filename:
            raise ValueError("a file has no name")
        # What is stored is read at once, as much as is claimed.
        if member.compress_size > archive_size:
            raise ValueError(f"{member.filename} claims more bytes than the archive has")
        if member.header_offset < 0:
            raise ValueError(f"{member.filename} would begin before the archive")
        if member.compress_type not in _METHODS:
            raise ValueError(f"{member.filename} is neither stored nor deflated")
