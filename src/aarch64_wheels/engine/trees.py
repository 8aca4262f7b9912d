"""Whole directories of this host on their way to an engine, as a stream that no disk holds."""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1 << 20


@contextmanager
def tar_of(directory: Path, *options: str) -> Iterator[Iterator[bytes]]:
    """Stream a directory's content as a tar archive, all of it owned by root.

    Args:
        directory: its members are named `./…`.
        *options: more for `tar`, such as other names.

    Raises:
        UnfitError: (at the stream's end) it cannot be read.
    """
    argv = ["tar", "--create", "--file=-", f"--directory={directory}", "--format=gnu"]
    argv += ["--owner=0", "--group=0", "--numeric-owner", *options, "."]
    with TemporaryFile() as words, Processes().started(argv, stderr=words) as child:
        pipe = child.stdout
        assert pipe is not None  # noqa: S101 - for the type: it is a pipe by default

        def chunks() -> Iterator[bytes]:
            yield from iter(lambda: pipe.read(_CHUNK), b"")
            if child.wait() != 0:
                words.seek(0)
                found = words.read().decode(errors="replace").strip()[-300:]
                raise UnfitError(f"cannot read {directory}", found=found)

        yield chunks()
