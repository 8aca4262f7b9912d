"""The document: CycloneDX 1.6 in JSON, for `*.dist-info/sboms/` (PEP 770).

The same facts give the same bytes: nothing in it is random, and no time but `SOURCE_DATE_EPOCH`.
What the repair grafted has a bill of its own there; here such a library is a file like the others,
and names its package as that one does.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packaging.utils import parse_wheel_filename

from aarch64_wheels.audit.labels import info_directory
from aarch64_wheels.bill.origin import without_login
from aarch64_wheels.redaction import redact_logins
from aarch64_wheels.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aarch64_wheels.bill.origin import Origin
    from aarch64_wheels.report.model import ObjectRecord, ToolRecord

#: The file's name in `*.dist-info/sboms/`.
NAME = "aarch64-wheels.cdx.json"
#: What our properties begin with (CycloneDX: names are the maker's own, in a namespace).
PREFIX = "aarch64-wheels:"


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What is told of a wheel.

    Attributes:
        filename: of the wheel. objects: its ELF files.
        origin: where it comes from.
        epoch: `SOURCE_DATE_EPOCH`, in seconds; None where nobody has set it.
    """

    filename: str
    objects: tuple[ObjectRecord, ...]
    origin: Origin
    epoch: int | None = None


def added_to(
    wheel: Path, objects: tuple[ObjectRecord, ...], origin: Origin, epoch: int | None
) -> dict[str, bytes]:
    """Give what a wheel gets for its bill: the document by its path there.

    Args:
        wheel: it has come through the audit.
        objects: its ELF files; without any, it gets none.
        origin: where it comes from.
        epoch: `SOURCE_DATE_EPOCH`, None where nobody has set it.

    Raises:
        OSError: it cannot be read. What zipfile raises of a broken one (`archive.BROKEN`).
    """
    if not objects:
        return {}
    with zipfile.ZipFile(wheel) as archive:
        info = info_directory(tuple(archive.namelist()))
    bill = Bill(filename=wheel.name, objects=objects, origin=origin, epoch=epoch)
    return {f"{info}/sboms/{NAME}": make_bill(bill)}


def make_bill(bill: Bill) -> bytes:
    """Write the document; the same facts give the same bytes.

    Raises:
        InvalidWheelFilename: the wheel's name is none.
    """
    name, version, _, _ = parse_wheel_filename(bill.filename)
    purl = f"pkg:pypi/{name}@{quote(str(version), safe='')}"
    wheel = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": str(version),
        "purl": purl,
        "properties": _properties(_wheel_facts(bill)),
    }
    rows = sorted(bill.objects, key=lambda row: row.path)
    files = [_file(row, f"{purl}#{quote(row.path)}") for row in rows]
    document = {
        "version": 1,
        "metadata": {
            **_timestamp(bill.epoch),
            "tools": {"components": _tools(bill.origin.tools)},
            "component": wheel,
        },
        "components": files,
        "dependencies": [{"ref": purl, "dependsOn": [file["bom-ref"] for file in files]}],
    }
    head = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # RFC 9562, version 5: another name for another content, and the same for the same.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document))}",
    }
    return f"{json.dumps(head | document, indent=2)}\n".encode()


def _wheel_facts(bill: Bill) -> Iterable[tuple[str, str]]:
    origin = bill.origin
    yield "source", without_login(origin.source)
    yield "source-sha256", origin.source_sha256
    yield "commit", origin.commit
    yield "sdist", origin.sdist
    if (image := origin.image) is not None:
        yield "image", redact_logins(image.reference)
        # Its id is the engine's own: of the configuration for one, of the manifest for another.
        yield "image-digest", image.digest
    yield "mode", origin.mode
    yield "backend", origin.backend
    yield "interpreter", origin.interpreter


def _file(row: ObjectRecord, reference: str) -> dict[str, Any]:
    facts = [("compiler", name) for name in row.compilers]
    facts += [("producer", name) for name in row.producers]
    facts.append(("package", row.package))
    hashes = {"hashes": [{"alg": "SHA-256", "content": row.sha256}]} if row.sha256 else {}
    return {
        "type": "file",
        "bom-ref": reference,
        "name": clean(row.path),
        **hashes,
        "properties": _properties(facts),
    }


def _tools(tools: Iterable[ToolRecord]) -> list[dict[str, str]]:
    rows = sorted({(tool.name, tool.version) for tool in tools})
    return [{"type": "application", "name": name, "version": version} for name, version in rows]


def _properties(facts: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": f"{PREFIX}{name}", "value": clean(value)} for name, value in facts if value]


def _timestamp(epoch: int | None) -> dict[str, str]:
    """Give the time as RFC 3339 has it; one that it cannot say is left out."""
    try:
        when = None if epoch is None else dt.datetime.fromtimestamp(epoch, dt.UTC)
    except (OverflowError, ValueError, OSError):
        when = None
    return {} if when is None else {"timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ")}
