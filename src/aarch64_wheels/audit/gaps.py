"""Bytes of an archive that belong to none of its files, by which two readers see two archives.

The central directory names what `zipfile` and pip read. A reader that goes through the archive from
its beginning sees what lies between as well: other files of the same names, for instance.
"""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING

from aarch64_wheels.audit.catalogue import found

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator

    from aarch64_wheels.audit.model import Finding

#: A local header (PKWARE APPNOTE 4.3.7): its signature, and the lengths of name and extra field.
_LOCAL = struct.Struct("<4s22xHH")
_SIGNATURE = b"PK\x03\x04"
#: The last record (4.3.16): its signature, and the length of the comment that ends the archive.
_END = struct.Struct("<4s16xH")
_END_SIGNATURE, _LONGEST_COMMENT = b"PK\x05\x06", 0xFFFF
#: A data descriptor may follow a file's data: with a signature or not, of zip64 or not (4.3.9).
_HAS_DESCRIPTOR, _DESCRIPTORS = 1 << 3, frozenset({12, 16, 20, 24})


def hidden_bytes(archive: zipfile.ZipFile, file: IO[bytes]) -> Iterator[Finding]:
    """Find the first place that belongs to no file, or to two.

    Args:
        archive: an open archive.
        file: its bytes.

    Raises:
        ValueError: a file has no header of its own.
    """
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    begins = [*(member.header_offset for member in members), archive.start_dir]
    ends = [0, *(_end(file, member) for member in members)]
    flags = [0, *(member.flag_bits for member in members)]
    for end, begin, flag in zip(ends, begins, flags, strict=True):
        is_descriptor = flag & _HAS_DESCRIPTOR and begin - end in _DESCRIPTORS
        if begin != end and not is_descriptor:
            yield _strange(end, begin)
            return
    if behind := _behind(file):
        message = "bytes of the archive belong to no file"
        yield found("zip-hidden", message, evidence=f"{behind} behind its end")


def _end(file: IO[bytes], member: zipfile.ZipInfo) -> int:
    """Say where a file's data ends, by its own header."""
    file.seek(member.header_offset)
    raw = file.read(_LOCAL.size)
    if len(raw) < _LOCAL.size or not raw.startswith(_SIGNATURE):
        raise ValueError(f"there is no header of {member.filename}")
    _, name, extra = _LOCAL.unpack(raw)
    return member.header_offset + _LOCAL.size + int(name) + int(extra) + member.compress_size


def _behind(file: IO[bytes]) -> int:
    """Count the bytes behind the last record and its comment."""
    size = file.seek(0, 2)
    start = file.seek(max(0, size - _END.size - _LONGEST_COMMENT))
    tail = file.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or at + _END.size > len(tail):
        return 0
    _, comment = _END.unpack_from(tail, at)
    return max(0, size - (start + at + _END.size + int(comment)))


def _strange(end: int, begin: int) -> Finding:
    if begin > end:
        evidence = f"{begin - end} bytes at {end}"
        return found("zip-hidden", "bytes of the archive belong to no file", evidence=evidence)
    evidence = f"{end - begin} bytes at {begin}"
    return found("zip-hidden", "bytes of the archive belong to two files", evidence=evidence)
