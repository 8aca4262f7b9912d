"""Tar streams between the host and a container. What comes out of a container is hostile."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from aarch64_wheels import gitconfig, gitfiles
from aarch64_wheels.errors import StageError, UsageError
from aarch64_wheels.hashing import sha256_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

#: A directory that holds one of these is a virtual environment (PEP 405) or a cache that is
#: made anew at will (the Cache Directory Tagging Specification).
_MADE_ANEW = ("pyvenv.cfg", "CACHEDIR.TAG")

#: A path, its name in a tar, and what it is to a build if it is git's.
_Row = tuple[Path, str, gitfiles.Part | None]


def pack(source: Path, destination: PurePosixPath, exclude: Collection[Path]) -> IO[bytes]:
    """Make a tar of `source`, to be unpacked at the container's root, as an open temporary file.

    A directory's content lands in `destination`; a file becomes `destination`. What `exclude`
    names is left out, through whatever links it is named. Of git's data, in which tokens
    are kept, only what `gitfiles` lists gets in, and of its configuration what `gitconfig` leaves.
    """
    left_out = {spelling for path in exclude for spelling in _spellings(path.absolute())}
    top = source.resolve(strict=True)
    stream = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, name, part in _walk(top, _name(destination), left_out):
            with suppress(FileNotFoundError):  # gone since it was listed
                _add(tar, path, name, is_config=part is gitfiles.Part.CONFIG)
    stream.seek(0)
    return stream


def digest(source: Path, exclude: Collection[Path] = (), name: str = ".") -> str:
    """Give a SHA-256 of what `pack` would copy: names, kinds, modes and contents, no times.

    Of git's data what names commits counts: the rest follows from it, or changes with every look.

    Args:
        source: a directory.
        exclude: what of it is left out.
        name: what it will be called.

    Raises:
        UsageError: something cannot be read.
    """
    left_out = {spelling for path in exclude for spelling in _spellings(path.absolute())}
    total = hashlib.sha256()
    rows = _walk(source.resolve(), name, left_out)
    try:
        for path, place, part in sorted(rows, key=lambda row: os.fsencode(row[1])):
            if part in (None, gitfiles.Part.COMMITS):
                total.update(_fingerprint(path, place))
    except OSError as error:
        raise UsageError(
            f"{error.filename or source} cannot be read",
            found=error.strerror or str(error),
            hint="all of the project is copied into containers: let this user read it, or move it",
        ) from None
    return total.hexdigest()


def _fingerprint(path: Path, place: str) -> bytes:
    try:
        mode = path.lstat().st_mode
        content = ""
        if stat.S_ISLNK(mode):
            content = os.readlink(path)  # noqa: PTH115 - as text, whatever it is
        elif stat.S_ISREG(mode):
            content = sha256_of(path)
    except FileNotFoundError:  # gone since: something else is at work in the directory
        return b""
    row = (place, stat.S_IFMT(mode), mode & 0o111 != 0, content)
    return repr(row).encode(errors="surrogateescape")


def pack_bytes(path: PurePosixPath, content: bytes, mode: int) -> bytes:
    """Make a tar with one file, to be unpacked at the container's root."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        info = tarfile.TarInfo(_name(path))
        info.size, info.mode = len(content), mode
        tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def pack_links(links: Mapping[PurePosixPath, PurePosixPath]) -> bytes:
    """Make a tar of symbolic links with what they lead to, to be unpacked at the root."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, aim in links.items():
            info = tarfile.TarInfo(_name(path))
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(aim), 0o777
            tar.addfile(info)
    return stream.getvalue()


def unpack_flat(chunks: Iterable[bytes], directory: Path) -> list[Path]:
    """Write the files of a tar of one directory to `directory`; return their paths.

    Raises:
        StageError: an entry is not a regular file directly in that directory.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    with tarfile.open(fileobj=io.BufferedReader(_Chunks(chunks)), mode="r|") as tar:
        members = iter(tar)
        top = next(members, None)
        if top is None or not top.isdir():
            raise _hostile(top.name if top else "", "not a directory")
        for member in members:
            name = _flat_name(member, top.name)
            written.append(_write(tar, member, directory / name))
    return written


def unpack_one(chunks: Iterable[bytes], limit: int) -> bytes:
    """Give the first `limit` bytes of the one regular file of a tar.

    Raises:
        StageError: it holds something else.
    """
    with _one_file(chunks) as (tar, member):
        return _content(tar, member).read(limit)


def unpack_file(chunks: Iterable[bytes], path: Path, limit: int) -> None:
    """Write the one regular file of a tar to `path`.

    Raises:
        StageError: it holds something else, or a file of more than `limit` bytes.
    """
    with _one_file(chunks) as (tar, member):
        if member.size > limit:
            found = f"{member.size} bytes (at most {limit} are copied)"
            raise StageError(f"{path.name} is too large", found=found)
        _write(tar, member, path)


@contextmanager
def _one_file(chunks: Iterable[bytes]) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    with tarfile.open(fileobj=io.BufferedReader(_Chunks(chunks)), mode="r|") as tar:
        member = tar.next()
        if member is None or not member.isreg():
            raise _hostile(member.name if member else "", "not a regular file")
        yield tar, member


def _spellings(path: Path) -> tuple[Path, Path]:
    """Name the entry itself, which may be a link, and what it leads to."""
    return path.parent.resolve() / path.name, path.resolve()


def _name(path: PurePosixPath) -> str:
    return str(path).lstrip("/")


def _walk(path: Path, name: str, left_out: set[Path]) -> Iterator[_Row]:
    """Give each path with its name in the tar, directories before what they hold."""
    yield path, name, None
    if path.is_symlink() or not path.is_dir():
        return
    # A bare repository is copied as it is: one that is committed is a part of the project.
    if PurePosixPath(name).name == gitfiles.GIT:
        for place, part in gitfiles.contents(path):
            yield place, f"{name}/{place.relative_to(path)}", part
        return
    for child in _children(path):
        if child not in left_out and not is_made_anew(child):
            yield from _walk(child, f"{name}/{child.name}", left_out)


def _children(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except FileNotFoundError:  # gone since
        return []


def is_made_anew(path: Path) -> bool:
    """Tell whether a directory is never copied: a virtual environment, or a cache."""
    if path.is_symlink() or not path.is_dir():
        return False
    try:
        return any((path / sign).is_file() for sign in _MADE_ANEW)
    except PermissionError:  # to be told where it is to be copied
        return False


def _add(tar: tarfile.TarFile, path: Path, name: str, *, is_config: bool) -> None:
    info = tar.gettarinfo(path, name)
    # None: a socket, which no archive can hold.
    if info is None or not (info.isfile() or info.isdir() or info.issym() or info.islnk()):
        return
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    if info.islnk():  # a second name of a file: as a file, for its first name may be left out
        info.type, info.linkname, info.size = tarfile.REGTYPE, "", path.stat().st_size
    if info.isreg() and is_config:
        config = gitconfig.read_cleaned(path)
        info.size = len(config)
        tar.addfile(info, io.BytesIO(config))
    elif info.isreg():
        with path.open("rb") as content:
            tar.addfile(info, content)
    else:
        tar.addfile(info)


def _flat_name(member: tarfile.TarInfo, top: str) -> str:
    prefix, _, name = member.name.rpartition("/")
    if not member.isreg():
        raise _hostile(member.name, "a link, a directory or a special file")
    if prefix != top or name in ("", ".", "..") or not name.isprintable():
        raise _hostile(member.name, "a name that leads elsewhere or cannot be shown")
    return name


def _hostile(name: str, why: str) -> StageError:
    return StageError(
        "the container's output directory holds something other than plain files",
        found=f"{name!r}: {why}",
        hint="the build backend must put files only there",
    )


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> Path:
    """Write beside and rename: a link that waits under this name on the host is not followed."""
    content = _content(tar, member)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
    try:
        with os.fdopen(descriptor, "wb") as target:
            while chunk := content.read(1 << 20):
                target.write(chunk)
            os.fchmod(target.fileno(), stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:  # cannot be: it is a regular file
        raise _hostile(member.name, "no content")
    return content


class _Chunks(io.RawIOBase):
    """A readable file over an iterator of bytes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)
