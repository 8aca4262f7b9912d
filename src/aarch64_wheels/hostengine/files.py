"""Files between the host and a session's private directory, with the manners of a container."""

from __future__ import annotations

import tarfile
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from aarch64_wheels.engine.archive import pack
from aarch64_wheels.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path, PurePosixPath

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
