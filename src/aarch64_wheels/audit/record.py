"""Reading RECORD, the wheel's list of its files with their hashes (PEP 376, PEP 427)."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import zipfile

#: Largest RECORD that is read, in bytes: room for some 500,000 files.
MAX_RECORD = 64 * 2**20
#: So many files RECORD may list that the wheel does not have, before reading stops.
MAX_MISSING = 10_000

#: PEP 427: sha256 or better.
_ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})
_CHUNK = 2**20


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What RECORD says of one file, as written: `sha256=…` without padding, and bytes."""

    digest: str
    size: str

    def fault(self, source: IO[bytes], copy: IO[bytes] | None = None) -> str:
        """Compare with the file's content, reading it to its end.

        Args:
            source: the content.
            copy: where to copy the content to, if anywhere.

        Returns:
            What RECORD says wrongly of it; empty when nothing.
        """
        algorithm, _, expected = self.digest.partition("=")
        known = algorithm in _ALGORITHMS
        digest = hashlib.new(algorithm if known else "sha256")
        size = 0
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if copy is not None:
                copy.write(chunk)
        if not known:
            return "RECORD has no sha256 hash of a file"
        if _encode(digest.digest()) != expected.rstrip("="):
            return "RECORD has another hash than the content of a file"
        if self.size not in {"", str(size)}:
            return "RECORD has another size than the content of a file"
        return ""


def read_record(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, names: frozenset[str]
) -> dict[str, Entry]:
    """Read RECORD, entries by path.

    Args:
        archive: the wheel.
        member: its RECORD.
        names: the files that the wheel has.

    Raises:
        ValueError: it is too large, not CSV in UTF-8, or contradicts itself.
    """
    if member.file_size > MAX_RECORD:
        raise ValueError(f"RECORD has {member.file_size} bytes (at most {MAX_RECORD} are read)")
    entries: dict[str, Entry] = {}
    with archive.open(member) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
        try:
            for row in csv.reader(text):
                _add(entries, row)
                if len(entries) > len(names) + MAX_MISSING:
                    raise ValueError(f"RECORD lists over {len(entries) - 1} files of {len(names)}")
        except csv.Error as error:
            raise ValueError(f"RECORD is not CSV: {error}") from error
    return entries


def _add(entries: dict[str, Entry], row: list[str]) -> None:
    path, digest, size = (*row, "", "", "")[:3]
    if not path or path.endswith("/"):  # a directory: some old tools list them
        return
    entry = Entry(digest=digest, size=size)
    if entries.setdefault(path, entry) != entry:
        raise ValueError(f"RECORD lists {path} twice, each time with another hash or size")


def _encode(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
