"""Unpacks sdists (`.tar.gz`, `.zip`) that may be hostile: nothing is written outside."""

from __future__ import annotations

import errno
import gzip
import stat
import tarfile
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

SDIST_SUFFIXES = (".tar.gz", ".tgz", ".zip")

_BAD_ARCHIVE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile)

_HOST_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an sdist may unpack to: bytes in all (headers included), number of members."""

    size: int = 2 * 1024**3
    members: int = 200_000


def unpack(file: Path, workdir: Path, *, limits: Limits | None = None) -> Path:
    """Unpack an sdist below `workdir` and return its one top directory.

    Raises:
        UsageError: not a readable archive, or one with a member that an sdist must not have.
        UnfitError: this Python cannot unpack safely.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    target = Path(tempfile.mkdtemp(prefix="source-", dir=workdir))
    extract = _unpack_zip if file.name.lower().endswith(".zip") else _unpack_tar
    try:
        top = extract(file, target, limits or Limits())
    except _BAD_ARCHIVE as error:
        found = str(error) or type(error).__name__
        hint = "download it again, or make it anew"
        raise UsageError(f"{file.name} is not a readable sdist", found=found, hint=hint) from error
    if not top or not (target / top).is_dir():
        raise UsageError(f"{file.name} is not an sdist", found="no top directory in the archive")
    return target / top


class _Members:
    """Checks the names and sizes of one archive's members as they come."""

    def __init__(self, archive: str, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._count = 0
        self._size = 0
        self.top = ""

    def check(self, name: str, size: int) -> None:
        self._count += 1
        self._size += size
        if self._count > self._limits.members:
            raise self.hostile(name, f"more than {self._limits.members} members")
        if self._size > self._limits.size:
            raise self.hostile(name, f"more than {self._limits.size} bytes when unpacked")
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise self.hostile(name, "a path that leads outside of the sdist")
        if path.parts:
            self._check_top(name, path.parts[0])

    def _check_top(self, name: str, top: str) -> None:
        self.top = self.top or top
        if self.top != top:
            raise self.hostile(name, f"not below the one top directory `{self.top}`")

    def hostile(self, name: str, why: str) -> UsageError:
        return UsageError(
            f"{self._archive} is not unpacked: its member {name!r} is refused",
            found=why,
            hint="an sdist holds one directory with the project (PEP 625, PEP 721)",
        )


class _Bounded:
    """A stream that ends with an error once more than `limit` bytes were read from it."""

    def __init__(self, stream: gzip.GzipFile, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise tarfile.ReadError("it unpacks to more bytes than an sdist may have")
        return block


def _unpack_tar(file: Path, target: Path, limits: Limits) -> str:
    """Read the archive as a stream: a bomb is found by its headers, before it is unpacked."""
    if not hasattr(tarfile, "data_filter"):
        raise UnfitError(
            "this Python cannot unpack sdists safely (PEP 706)", hint="use Python 3.11.4 or newer"
        )
    members = _Members(file.name, limits)
    # Headers and padding add at most a few blocks to each member, and two records at the end.
    bound = limits.size + limits.members * 4 * tarfile.BLOCKSIZE + 2 * tarfile.RECORDSIZE
    with (
        gzip.open(file) as stream,
        tarfile.open(fileobj=_Bounded(stream, bound), mode="r|") as tar,  # type: ignore[call-overload]  # it only reads
    ):
        _extract_tar(tar, target, members)
    return members.top


def _extract_tar(tar: tarfile.TarFile, target: Path, members: _Members) -> None:
    """Symbolic links come last, so that no file is ever written through one."""
    links: list[tarfile.TarInfo] = []
    for member in tar:
        members.check(member.name, member.size)
        if member.islnk() and not (target / member.linkname).is_file():
            raise members.hostile(member.name, "a hard link to a file that is not there yet")
        if member.issym():
            links.append(member)
        else:
            _extract_member(tar, member, target, members)
    for member in links:
        place = target / member.name
        if place.is_dir() and not place.is_symlink():
            raise members.hostile(member.name, "a link in the place of a directory")
        _extract_member(tar, member, target, members)


def _extract_member(
    tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, members: _Members
) -> None:
    try:
        tar.extract(member, target, filter="data")
    except (tarfile.FilterError, tarfile.StreamError, KeyError, ValueError) as error:
        raise members.hostile(member.name, str(error)) from error
    except OSError as error:
        raise _blame(error, member.name, target, members) from error


def _blame(error: OSError, name: str, target: Path, members: _Members) -> Exception:
    """Whose fault a system error is: the archive's file, the host's disk, or the member's."""
    if isinstance(error, gzip.BadGzipFile):
        return error
    if error.errno in _HOST_ERRORS:
        what = f"cannot unpack the source to {target}"
        return UnfitError(what, found=str(error), hint="make room there, or set TMPDIR")
    return members.hostile(name, str(error))


def _unpack_zip(file: Path, target: Path, limits: Limits) -> str:
    members = _Members(file.name, limits)
    with zipfile.ZipFile(file) as archive:
        _check_zip(archive.infolist(), members)
        for info in archive.infolist():
            _extract_zip_member(archive, info, target, members)
    return members.top


def _check_zip(infos: Iterable[zipfile.ZipInfo], members: _Members) -> None:
    for info in infos:
        members.check(info.orig_filename.replace("\0", "\\"), info.file_size)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise members.hostile(info.filename, "neither a file nor a directory")
        if info.flag_bits & 0x1:
            raise members.hostile(info.filename, "it is encrypted")


def _extract_zip_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, members: _Members
) -> None:
    """`zipfile` leaves the mode out, and a `configure` script must stay executable."""
    try:
        path = Path(archive.extract(info, target))
    except NotImplementedError as error:
        raise members.hostile(info.filename, str(error)) from error
    except OSError as error:
        raise _blame(error, info.filename, target, members) from error
    mode = (info.external_attr >> 16) & 0o755
    if mode and path.is_file():
        path.chmod(mode | 0o600)
