"""Writes a wheel anew in one canonical form: the same files give the same bytes.

What packed it (a backend, auditwheel, another zip program), where and when, leaves no trace. The
form is that of PEP 427: RECORD vouches for all files by SHA-256, and `.dist-info` stands last.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import stat
import tempfile
import time
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING

from aarch64_wheels.audit.archive import BROKEN, refuse_harm
from aarch64_wheels.audit.faults import leads_out
from aarch64_wheels.audit.labels import info_directory
from aarch64_wheels.epoch import EARLIEST, LATEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Files that vouch for RECORD's bytes (PEP 427), and so for none that we write.
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_NOTHING: Mapping[str, bytes] = MappingProxyType({})
_CHUNK = 2**20


def repack(
    wheel: Path, destination: Path, *, epoch: int, added: Mapping[str, bytes] = _NOTHING
) -> None:
    """Write a wheel's canonical form.

    Args:
        wheel: it may be broken or hostile. Nothing is unpacked to the disk.
        destination: gets the result once that is complete; may be the wheel itself.
        epoch: the modification time of all members (`SOURCE_DATE_EPOCH`), in seconds.
        added: files to put in, or in place of those there, by their paths in the wheel.

    Raises:
        ValueError: it is damaged, would do harm, or has no canonical form.
        OSError: it cannot be read, or the result not written.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, _draft(destination) as draft:
            _Packer(archive, _moment(epoch)).pack(_checked(archive, wheel), added, draft)
    except BROKEN as error:
        raise ValueError(str(error) or type(error).__name__) from error


@dataclass(frozen=True)
class _Packer:
    """Copies members of an archive.

    Attributes:
        archive: the wheel. moment: the modification time, as zip has it.
    """

    archive: zipfile.ZipFile
    moment: tuple[int, int, int, int, int, int]

    def pack(
        self, members: Mapping[str, zipfile.ZipInfo], added: Mapping[str, bytes], into: IO[bytes]
    ) -> None:
        """Write the members and what is added to them, and a RECORD of all of these."""
        info = info_directory(tuple(members))
        left_out = {f"{info}/{name}" for name in ("RECORD", *_SIGNATURES)}
        names = sorted({*members, *added} - left_out, key=lambda name: _rank(name, info))
        record = f"{info}/RECORD"
        with zipfile.ZipFile(into, "w") as output:
            rows = [self._one(output, members.get(name), name, added.get(name)) for name in names]
            self._write(output, record, _lines([*rows, (record, "", "")]))

    def _one(
        self, output: zipfile.ZipFile, member: zipfile.ZipInfo | None, name: str, data: bytes | None
    ) -> tuple[str, str, str]:
        """Write one file; gives its line of RECORD."""
        if data is not None or member is None:
            return self._write(output, name, data or b"")
        executable = bool(member.external_attr >> 16 & 0o111)
        entry = self._entry(name, member.file_size, executable=executable)
        with self.archive.open(member) as source:
            return _copy(source, output, entry)

    def _write(self, output: zipfile.ZipFile, name: str, data: bytes) -> tuple[str, str, str]:
        return _copy(io.BytesIO(data), output, self._entry(name, len(data)))

    def _entry(self, name: str, size: int, *, executable: bool = False) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name, self.moment)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3  # Unix, on whatever host this runs: so the mode counts
        entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
        entry.file_size = size  # zipfile asks it whether the archive needs the fields of zip64
        return entry


def _checked(archive: zipfile.ZipFile, wheel: Path) -> dict[str, zipfile.ZipInfo]:
    """Give a wheel's files by name.

    Raises:
        ValueError: unpacking would do harm, or depends on who does it.
    """
    # By the name: `ZipInfo.is_dir` stumbles over one that is empty.
    members = [member for member in archive.infolist() if not member.filename.endswith("/")]
    refuse_harm(members, wheel.stat().st_size)
    found: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
            raise ValueError(f"{member.filename} is no regular file")
        if leads_out(member.filename):
            raise ValueError(f"{member.filename} leads out of the wheel")
        if found.setdefault(member.filename, member) is not member:
            raise ValueError(f"there is more than one {member.filename}")
    return found


def _rank(name: str, info: str) -> tuple[bool, str]:
    """Order members: `.dist-info` comes last, so that it can be changed in place (PEP 427)."""
    return name.startswith(f"{info}/"), name


def _copy(
    source: IO[bytes], output: zipfile.ZipFile, entry: zipfile.ZipInfo
) -> tuple[str, str, str]:
    """Compress a file into an archive, piece by piece; gives its line of RECORD."""
    digest, size = hashlib.sha256(), 0
    with output.open(entry, "w") as target:
        for chunk in _chunks(source):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
    text = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return entry.filename, f"sha256={text}", str(size)


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk


def _lines(rows: Iterable[tuple[str, str, str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    return text.getvalue().encode()


def _moment(epoch: int) -> tuple[int, int, int, int, int, int]:
    when = time.gmtime(min(max(epoch, EARLIEST), LATEST))
    return when.tm_year, when.tm_mon, when.tm_mday, when.tm_hour, when.tm_min, when.tm_sec


@contextmanager
def _draft(destination: Path) -> Iterator[IO[bytes]]:
    """Open a file beside `destination`, to take its place when the block ends without an error."""
    made, name = tempfile.mkstemp(prefix=".repack-", dir=destination.parent)
    try:
        with os.fdopen(made, "w+b") as draft:
            yield draft
            os.fchmod(draft.fileno(), 0o644)
        Path(name).replace(destination)
    finally:
        Path(name).unlink(missing_ok=True)
