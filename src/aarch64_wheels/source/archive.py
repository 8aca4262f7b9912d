"""Unpacks sdists (`.tar.gz`, `.zip`) that may be hostile: nothing is written outside.

`tarfile`'s data filter (PEP 706) is not used: Python 3.11.2 has none, and those of the next
years follow links out (CVE-2025-4517). `members` decides, `tree` writes, both our own.
"""

from __future__ import annotations

import errno
import gzip
import lzma
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.source.members import Kind, Limits, Members
from aarch64_wheels.source.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SDIST_SUFFIXES = (".tar.gz", ".tgz", ".zip")

#: What the standard library raises over archives that are broken, by accident or on purpose
#: (RecursionError: each extended header of a tar may be followed by another one).
_BAD_ARCHIVE = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile),
    *(zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, ValueError, OverflowError, RecursionError, NotImplementedError),
)

_HOST_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


def unpack(file: Path, workdir: Path, *, limits: Limits | None = None) -> Path:
    """Unpack an sdist below `workdir` and return its one top directory.

    Raises:
        UsageError: not a readable archive, or one with a member that an sdist must not have.
        UnfitError: there is no room for it.
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
    members = Members(file.name, limits)
    # Headers and padding add at most a few blocks to each member, and two records at the end.
    bound = limits.size + limits.members * 4 * tarfile.BLOCKSIZE + 2 * tarfile.RECORDSIZE
    with (
        gzip.open(file) as stream,
        tarfile.open(fileobj=_Bounded(stream, bound), mode="r|") as tar,  # type: ignore[call-overload]  # it only reads
    ):
        _extract_tar(tar, target, members)
    return members.top


def _extract_tar(tar: tarfile.TarFile, target: Path, members: Members) -> None:
    """Symbolic links come last: when all are known, and no file is written any more."""
    tree = Tree(target)
    for member in tar:
        with _blaming(member.name, target, members):
            _extract_member(tar, member, tree, members)
    for name, link in members.links().items():
        with _blaming(name, target, members):
            tree.link(name, link)


def _extract_member(
    tar: tarfile.TarFile, member: tarfile.TarInfo, tree: Tree, members: Members
) -> None:
    if member.isdir():
        tree.directory(members.add(member.name, Kind.DIRECTORY))
    elif member.issym():
        members.add_link(member.name, member.linkname)
    elif member.islnk():
        tree.copy(*members.add_copy(member.name, member.linkname))
    elif member.isreg() and not member.issparse() and (content := tar.extractfile(member)):
        name = members.add(member.name, Kind.FILE, member.size)
        tree.file(name, content, mode=member.mode, mtime=member.mtime)
    else:
        raise members.hostile(member.name, "neither a file nor a directory nor a link")


@contextmanager
def _blaming(name: str, target: Path, members: Members) -> Iterator[None]:
    """Tell whose fault a system error is: the archive's, the host's disk, or the member's."""
    try:
        yield
    except gzip.BadGzipFile:
        raise
    except OSError as error:
        if error.errno not in _HOST_ERRORS:
            raise members.hostile(name, error.strerror or str(error)) from error
        what = f"cannot unpack the source to {target}"
        hint = "make room there, or set TMPDIR"
        raise UnfitError(what, found=str(error), hint=hint) from error


def _unpack_zip(file: Path, target: Path, limits: Limits) -> str:
    members = Members(file.name, limits)
    tree = Tree(target)
    with zipfile.ZipFile(file) as archive:
        for info, name in _checked(archive.infolist(), members):
            with _blaming(info.filename, target, members):
                _extract_zip_member(archive, info, tree, name)
    return members.top


def _checked(
    infos: Iterable[zipfile.ZipInfo], members: Members
) -> list[tuple[zipfile.ZipInfo, str]]:
    """Check all members before the first is written: a zip has a table of them."""
    checked = []
    for info in infos:
        # `filename` ends at a NUL, so two names of the table could mean one file.
        name = members.add(info.orig_filename, _zip_kind(info, members), info.file_size)
        if info.flag_bits & 0x1:
            raise members.hostile(info.filename, "it is encrypted")
        checked.append((info, name))
    return checked


def _zip_kind(info: zipfile.ZipInfo, members: Members) -> Kind:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise members.hostile(info.filename, "neither a file nor a directory")
    return Kind.DIRECTORY if _is_directory(info) else Kind.FILE


def _extract_zip_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, tree: Tree, name: str
) -> None:
    """`zipfile.extract` leaves the mode out, and a `configure` script must stay executable."""
    if _is_directory(info):
        tree.directory(name)
        return
    with archive.open(info) as content:
        tree.file(name, content, mode=info.external_attr >> 16 or 0o644, mtime=None)


def _is_directory(info: zipfile.ZipInfo) -> bool:
    return info.is_dir() or stat.S_ISDIR(info.external_attr >> 16)
