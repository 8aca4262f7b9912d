"""The cache of downloaded sdists: each file with a small record of what it is."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import Version

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.hashing import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class SdistRecord:
    """One downloaded sdist: `index` is the URL it was found at, without credentials."""

    name: str
    version: str
    filename: str
    sha256: str
    index: str


class SdistCache:
    """The sdists in one directory, which need not exist yet."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, name: str, version: Version) -> SdistRecord | None:
        """Find the record of a release whose file is here and still has the hash recorded."""
        try:
            data = json.loads(self._record_path(name, version).read_text(encoding="utf-8"))
            record = SdistRecord(**data)
            digest = sha256_of(self.path(record))
        except (OSError, ValueError, TypeError):
            return None  # absent, or spoiled by a crash: it is fetched again
        return record if digest == record.sha256 else None

    def path(self, record: SdistRecord) -> Path:
        """Where the record's file is."""
        return self._directory / Path(record.filename).name

    def add(self, record: SdistRecord, download: Callable[[Path], None]) -> SdistRecord:
        """Keep a file: `download` writes it to the path it is given. The hash is filled in.

        A reader sees the old file or the new one whole, never a part (atomic renames).

        Raises:
            UnfitError: the cache cannot be written. And whatever `download` raises.
        """
        part = self._part()
        try:
            download(part)
            kept = SdistRecord(**{**asdict(record), "sha256": sha256_of(part)})
            part.replace(self.path(kept))
            part.write_text(json.dumps(asdict(kept), indent=2) + "\n", encoding="utf-8")
            part.replace(self._record_path(kept.name, Version(kept.version)))
        except OSError as error:
            # Network errors are OSErrors too, but only those of the file system have a number.
            raise (self._unwritable(error) if error.errno else error) from error
        finally:
            part.unlink(missing_ok=True)
        return kept

    def _part(self) -> Path:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._directory)
        except OSError as error:
            raise self._unwritable(error) from error
        os.close(handle)
        return Path(name)

    def _record_path(self, name: str, version: Version) -> Path:
        key = f"{canonicalize_name(name)}-{canonicalize_version(version)}"
        return self._directory / f"{key}.json"

    def _unwritable(self, error: OSError) -> UnfitError:
        return UnfitError(
            f"cannot keep a download in {self._directory}",
            found=error.strerror or str(error),
            hint="make room there, or choose another --cache-dir",
        )
