"""Faults of a wheel's list of files, by which two readers would see two different wheels."""

from __future__ import annotations

import stat
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterable, Iterator, Sequence


def unvouched(info: str) -> frozenset[str]:
    """List the files that RECORD need not vouch for: itself and its signatures (PEP 427)."""
    return frozenset(f"{info}/{name}" for name in ("RECORD", "RECORD.jws", "RECORD.p7s"))


def listing_faults(
    members: Sequence[zipfile.ZipInfo], record: frozenset[str], info: str
) -> Iterator[tuple[str, str]]:
    """Find faults, each with the file's name.

    Args:
        members: the archive's files.
        record: the files that RECORD lists.
        info: the name of the `.dist-info` directory.
    """
    names = [member.filename for member in members]
    for name in sorted({*names, *record}):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
            yield "a path leads out of the wheel", name
    for name, count in Counter(names).items():
        if count > 1:
            yield "a file is in the archive more than once", name
    for name in sorted(record - set(names)):
        yield "RECORD lists a file that is not in the wheel", name
    for name in sorted(set(names) - record - unvouched(info)):
        yield "RECORD does not list a file that is in the wheel", name
    for name in _links(members):
        yield "a symbolic link, which installers do not make", name


def _links(members: Iterable[zipfile.ZipInfo]) -> Iterator[str]:
    for member in members:
        # The upper half holds the mode of the system that made the archive (PKWARE APPNOTE 4.4.15).
        if stat.S_ISLNK(member.external_attr >> 16):
            yield member.filename
