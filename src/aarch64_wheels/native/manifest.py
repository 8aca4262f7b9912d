"""The bundle's manifest: what it holds, with versions and hashes.

It is for readers: nothing checks its hashes. What comes from an index is checked by the lock's
hashes when it is fetched.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.hashing import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NAME = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One part of the bundle.

    Attributes:
        name, version: of the project it comes from.
        sha256: over the names, kinds and contents of its files (see `digest`).
    """

    name: str
    version: str
    sha256: str


def write_manifest(directory: Path, key: str, entries: Iterable[Entry]) -> None:
    """Write the manifest, for readers, into the bundle's directory."""
    rows = [asdict(entry) for entry in sorted(entries, key=lambda entry: entry.name)]
    text = json.dumps({"key": key, "components": rows}, indent=1)
    (directory / NAME).write_text(f"{text}\n", encoding="utf-8")


def read_versions(directory: Path) -> dict[str, str]:
    """Give the version of each part of a bundle, by name; a bundle that tells none has none."""
    try:
        rows = json.loads((directory / NAME).read_text(encoding="utf-8"))["components"]
        return {str(row["name"]): str(row["version"]) for row in rows}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def digest(root: Path, parts: Iterable[str]) -> str:
    r"""Hash some parts (files, or directories with all they hold) of a directory.

    Every file counts with its name below `root` and its own SHA-256, every link with its aim,
    in the names' order: `NAME\0KIND\0VALUE\n`.
    """
    total = hashlib.sha256()
    for path in sorted({path for part in parts for path in _files(root / part)}):
        name = path.relative_to(root)
        is_link = path.is_symlink()
        value = os.readlink(path) if is_link else sha256_of(path)  # noqa: PTH115
        total.update(f"{name}\0{'link' if is_link else 'file'}\0{value}\n".encode())
    return total.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_symlink() or path.is_file():
        yield path
    else:
        yield from (below for below in path.rglob("*") if below.is_symlink() or below.is_file())
