"""Which package of the image a grafted library comes from, as the repair's own bill tells.

auditwheel writes `*.dist-info/sboms/auditwheel.cdx.json` (PEP 770): a component for each library,
with its package's purl. Of the library itself there is only a hash of its path in the image.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterable, Iterator

#: Of all bills of a wheel so many bytes are read.
_MAX_BYTES = 1 << 22
_BILL = re.compile(r"[^/]+\.dist-info/sboms/[^/]+\.cdx\.json")
#: auditwheel names a library that it copies into a wheel `libz-1a2b3c4d.so.1`.
_VENDORED = re.compile(r"-[0-9a-f]{8}(?=\.so)")
_PURL = re.compile(r"pkg:[a-z][a-z0-9.+-]*/[\x21-\x7e]{1,400}")
_HASH = re.compile(r"[0-9a-f]{64}")
#: The embedded image has the libraries that are compiled against in a sysroot (`embedded.toml`).
SYSROOT = "/opt/gcc-10"
#: Where images have their libraries.
_PLACES = tuple(
    f"{root}{below}/{name}"
    for root in (SYSROOT, "")
    for below in ("/usr", "", "/usr/local")
    for name in ("lib/aarch64-linux-gnu", "lib64", "lib")
)


def packages_of(archive: zipfile.ZipFile, members: Iterable[str]) -> dict[str, str]:
    """Find the packages of grafted libraries.

    Args:
        archive: the wheel.
        members: the libraries' paths in it.

    Returns:
        The purl of each whose package is known.
    """
    left = {key: purl for text in _bills(archive) for key, purl in _components(text)}
    found: dict[str, str] = {}
    unknown = []
    for member in members:
        keys = (_key(place, _plain(member)) for place in _PLACES)
        if (key := next((key for key in keys if key in left), None)) is not None:
            found[member] = left.pop(key)
        else:
            unknown.append(member)
    # What was grafted from another place, where it can only be this one.
    if len(left) == 1 == len(unknown):
        found[unknown[0]] = left.popitem()[1]
    return found


def _bills(archive: zipfile.ZipFile) -> Iterator[bytes]:
    left = _MAX_BYTES
    for member in archive.infolist():
        if _BILL.fullmatch(member.filename) and member.file_size <= left:
            left -= member.file_size
            yield archive.read(member)


def _components(text: bytes) -> Iterator[tuple[str, str]]:
    """Give the purl of each of a bill's libraries, by the hash that stands for its path.

    The first component has none: it is the wheel itself.
    """
    try:
        rows = json.loads(text)["components"]
    except (ValueError, KeyError, TypeError, RecursionError):  # another tool's, or broken
        return
    for row in filter(_is_table, rows if isinstance(rows, list) else ()):
        purl, reference = row.get("purl"), row.get("bom-ref")
        if isinstance(purl, str) and isinstance(reference, str) and _PURL.fullmatch(purl):
            key = reference.removeprefix(f"{purl}#")
            if _HASH.fullmatch(key):
                yield key, purl


def _is_table(row: object) -> bool:
    return isinstance(row, dict)


def _plain(member: str) -> str:
    return _VENDORED.sub("", PurePosixPath(member).name)


def _key(place: str, name: str) -> str:
    return hashlib.sha256(f"{place}/{name}".encode()).hexdigest()
