"""A bill of materials of a release (CycloneDX 1.6): its files, and what is in them.

A wheel brings bills along in `*.dist-info/sboms/` (PEP 770): auditwheel's, of what it grafts, and
ours, of what compiled each object. Here it is said of the release as a whole, so that a scanner
need not unpack anything.
"""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

from aarch64_wheels.audit.archive import BROKEN
from aarch64_wheels.bill import NAME, PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from aarch64_wheels.publish.distributions import Distribution

#: Of one wheel so many bytes of bills are read, and so many parts are taken over.
_MAX_BYTES = 1 << 22
_MAX_PARTS = 10_000
_END = ".cdx.json"
#: What is taken over of a part: all of it text, so that the whole stays valid.
_TOLD = ("group", "name", "version", "description", "purl")
_SHA256 = re.compile(r"[0-9a-f]{64}")


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
    bills = [(name, _read(text)) for name, text in _texts(one.path)]
    ours = [bill for name, bill in bills if name.endswith(f"/{NAME}")]
    parts = [part for _, bill in bills for part in _grafted(bill)]
    parts += [part for bill in ours for part in _objects(bill)]
    # Wheels graft the same libraries, and references are unique in the whole.
    named = enumerate(parts[:_MAX_PARTS], start=1)
    inside = [{**part, "bom-ref": f"{reference}#{n}"} for n, part in named]
    facts = [fact for bill in ours for fact in _facts(_component(bill))]
    return row | _if_any("properties", facts) | _if_any("components", inside)


def _if_any(key: str, rows: list[Any]) -> dict[str, Any]:
    return {key: rows} if rows else {}


def _texts(path: Path) -> Iterator[tuple[str, bytes]]:
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
                    yield member.filename, wheel.read(member)
    except (OSError, *BROKEN):
        return


def _read(text: bytes) -> dict[str, Any]:
    """Read a bill; another tool's may be broken, and tells nothing then."""
    try:
        bill = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return {}
    is_bill = isinstance(bill, dict) and isinstance(bill.get("metadata", {}), dict)
    return bill if is_bill else {}


def _grafted(bill: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give a bill's parts, without the wheel itself, which auditwheel counts among them."""
    itself = _component(bill)
    for row in _tables(bill.get("components")):
        is_part = row != itself and row.get("type") != "file"
        if is_part and isinstance(row.get("name"), str):
            yield {"type": "library", **{k: row[k] for k in _TOLD if isinstance(row.get(k), str)}}


def _objects(bill: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the objects that our bill tells of, with what compiled them."""
    for row in _tables(bill.get("components")):
        if row.get("type") == "file" and isinstance(row.get("name"), str):
            told = {"type": "file", "name": row["name"]}
            yield told | _if_any("hashes", _hashes(row)) | _if_any("properties", [*_facts(row)])


def _hashes(row: dict[str, Any]) -> list[dict[str, str]]:
    rows = [one for one in _tables(row.get("hashes")) if one.get("alg") == "SHA-256"]
    found = [one["content"] for one in rows if isinstance(one.get("content"), str)]
    return [{"alg": "SHA-256", "content": one} for one in found if _SHA256.fullmatch(one)]


def _facts(row: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Give the properties that we have given a component."""
    for one in _tables(row.get("properties")):
        name, value = one.get("name"), one.get("value")
        if isinstance(name, str) and name.startswith(PREFIX) and isinstance(value, str):
            yield {"name": name, "value": value}


def _component(bill: dict[str, Any]) -> dict[str, Any]:
    found = bill.get("metadata", {}).get("component")
    return found if isinstance(found, dict) else {}


def _tables(rows: object) -> Iterable[dict[str, Any]]:
    return (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
