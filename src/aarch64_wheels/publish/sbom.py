"""A bill of materials of a release (CycloneDX 1.6): its files, and what is grafted into them.

auditwheel writes what it grafts into `*.dist-info/sboms/` of a wheel (PEP 770); here it is said
of the release as a whole, so that a scanner need not unpack anything.
"""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

from aarch64_wheels.audit.archive import BROKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from aarch64_wheels.publish.distributions import Distribution

#: Of one wheel so many bytes of bills are read, and so many parts are taken over.
_MAX_BYTES = 1 << 22
_MAX_PARTS = 10_000
_END = ".cdx.json"
#: What is taken over of a part: all of it text, so that the whole stays valid.
_TOLD = ("group", "name", "version", "description", "purl")


def render_sbom(files: Sequence[Distribution]) -> str:
    """Write the bill of materials; the same files give the same text.

    Args:
        files: of one release, with at least one.
    """
    first = files[0]
    url = f"pkg:pypi/{first.project}@{quote(str(first.version), safe='')}"
    release = {"type": "library", "name": first.project, "version": str(first.version)}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**release, "purl": url, "bom-ref": url}},
        "components": [_file(one, url) for one in files],
    }
    return json.dumps(document, indent=2) + "\n"


def _file(one: Distribution, url: str) -> dict[str, Any]:
    reference = f"{url}?file_name={quote(one.filename, safe='')}"
    row: dict[str, Any] = {
        "type": "file",
        "name": one.filename,
        "bom-ref": reference,
        "hashes": [{"alg": "SHA-256", "content": one.sha256}],
    }
    parts = [part for text in _texts(one.path) for part in _grafted(text)][:_MAX_PARTS]
    # Wheels graft the same libraries, and references are unique in the whole.
    grafted = [{**part, "bom-ref": f"{reference}#{n}"} for n, part in enumerate(parts, start=1)]
    return row | ({"components": grafted} if grafted else {})


def _texts(path: Path) -> Iterator[bytes]:
    """Give the bills that a wheel brings along; what is broken is not ours to refuse."""
    if path.suffix != ".whl":
        return
    left = _MAX_BYTES
    try:
        with zipfile.ZipFile(path) as wheel:
            for member in wheel.infolist():
                inside = ".dist-info/sboms/" in member.filename and member.filename.endswith(_END)
                if inside and member.file_size <= left:
                    left -= member.file_size
                    yield wheel.read(member)
    except (OSError, *BROKEN):
        return


def _grafted(text: bytes) -> Iterator[dict[str, str]]:
    """Give a bill's parts, without the wheel itself, which auditwheel counts among them."""
    try:
        bill = json.loads(text, parse_constant=_refuse)
        rows = bill.get("components")
        itself = bill.get("metadata", {}).get("component")
    except (ValueError, AttributeError, RecursionError):  # another tool's, and broken
        return
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row != itself and isinstance(row.get("name"), str):
            yield {"type": "library", **{k: row[k] for k in _TOLD if isinstance(row.get(k), str)}}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
