"""Faults of a wheel's list of files, by which two readers would see two different wheels."""

from __future__ import annotations

import stat
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.audit.catalogue import found

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator, Sequence

    from aarch64_wheels.audit.model import Finding


def unvouched(info: str) -> frozenset[str]:
    """List the files that RECORD need not vouch for: itself and its signatures (PEP 427)."""
    return frozenset(f"{info}/{name}" for name in ("RECORD", "RECORD.jws", "RECORD.p7s"))


def archive_faults(
    members: Sequence[zipfile.ZipInfo], directories: Sequence[str]
) -> Iterator[Finding]:
    """Find faults of the archive itself: with them, unpacking may do harm.

    Args:
        members: the archive's files.
        directories: the names of its other entries.
    """
    for name in sorted(set(filter(leads_out, directories))):
        yield found("zip-path", "a path leads out of the wheel", file=name)
    for name, count in sorted(Counter(member.filename for member in members).items()):
        if leads_out(name):
            yield found("zip-path", "a path leads out of the wheel", file=name)
        if count > 1:
            message = "a file is in the archive more than once"
            yield found("zip-duplicate", message, file=name, evidence=f"{count} times")
    for member in members:
        # The upper half holds the mode of the system that made the archive (PKWARE APPNOTE 4.4.15).
        if stat.S_ISLNK(member.external_attr >> 16):
            message = "a symbolic link, which installers do not make"
            yield found("zip-link", message, file=member.filename)


def record_faults(names: frozenset[str], record: frozenset[str], info: str) -> Iterator[Finding]:
    """Compare the archive's files with those that RECORD lists.

    Args:
        names: the archive's files.
        record: the files that RECORD lists.
        info: the name of the `.dist-info` directory.
    """
    for name in sorted(record - names):
        if leads_out(name):
            yield found("zip-path", "a path leads out of the wheel", file=name, evidence="RECORD")
        else:
            message = "RECORD lists a file that is not in the wheel"
            yield found("record", message, file=name)
    for name in sorted(names - record - unvouched(info)):
        message = "RECORD does not list a file that is in the wheel"
        yield found("record", message, file=name)


def leads_out(name: str) -> bool:
    """Whether a path may be written outside of where the wheel is unpacked (CWE-22)."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name
