"""Files between the host and a session's private directory, with the manners of a container."""

from __future__ import annotations

import mmap
import os
import tarfile
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from aarch64_wheels.engine.archive import pack
from aarch64_wheels.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path, PurePosixPath

    from _typeshed import StrOrBytesPath

_CHUNK = 1 << 20


def copy_tree(
    source: Path, root: Path, destination: PurePosixPath, exclude: Collection[Path]
) -> None:
    """Copy a file or directory to where a container would have `destination`.

    Raises:
        OSError: it cannot be read or written.
    """
    with pack(source, destination, exclude) as stream:
        unpack(stream, root)


def unpack(stream: object, root: Path) -> None:
    """Unpack an archive of ours below `root`: links as they are, and whatever they lead to.

    Raises:
        OSError, tarfile.TarError: it cannot be read or written.
    """
    with tarfile.open(fileobj=stream, mode="r") as tar:  # type: ignore[call-overload]
        tar.extraction_filter = lambda member, _path: member
        tar.extractall(root)  # noqa: S202 - of what this program has packed itself


def unpack_moved(stream: object, root: Path, old: Path, new: Path) -> None:
    """Unpack an archive whose files and links know a directory by a name that it no longer has.

    Args:
        stream: the archive.
        root: where to.
        old: that name, a path; it is written over wherever it stands.
        new: stands for it, of the same length: so programs, libraries and bytecode stay whole.

    Raises:
        OSError, tarfile.TarError: it cannot be read or written.
    """
    before, after = os.fsencode(old), os.fsencode(new)
    if len(before) != len(after):
        raise OSError(f"{new} cannot stand for {old}: the names are not of the same length")
    with _Moved.open(fileobj=stream, mode="r") as tar:  # type: ignore[call-overload]
        tar.extraction_filter = lambda member, _path: member
        tar.before, tar.after = before, after
        for member in tar.getmembers():
            if member.issym():  # a hard link's aim is a name in the archive
                member.linkname = member.linkname.replace(str(old), str(new))
        tar.extractall(root)  # noqa: S202 - of what this program has packed itself


class _Moved(tarfile.TarFile):
    """An archive in whose files `before` is written over with `after`."""

    before = after = b""

    def makefile(self, tarinfo: tarfile.TarInfo, targetpath: StrOrBytesPath) -> None:
        """Write a file, which gets its own mode and times only after this."""
        super().makefile(tarinfo, targetpath)
        if tarinfo.size >= len(self.before):
            _write_over(targetpath, self.before, self.after)


def _write_over(path: StrOrBytesPath, before: bytes, after: bytes) -> None:
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as content:  # noqa: PTH123 - typed so
        place = content.find(before)
        while place >= 0:
            content[place : place + len(after)] = after
            place = content.find(before, place + len(after))


@contextmanager
def archived(place: Path) -> Iterator[Iterator[bytes]]:
    """Give a tar of a file or directory in pieces, as an engine does; links stay links.

    Raises:
        StageError: there is no such thing.
    """
    with TemporaryFile() as stream:
        try:
            with tarfile.open(fileobj=stream, mode="w") as tar:
                tar.add(place, arcname=place.name)
        except OSError as error:
            what = f"cannot read {place}"
            raise StageError(what, found=error.strerror or str(error)) from None
        stream.seek(0)
        yield iter(lambda: stream.read(_CHUNK), b"")
