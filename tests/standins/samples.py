"""Wheels and attestations that the stand-ins accept, and a test may spoil."""

from __future__ import annotations

import base64
import json
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def make_wheel(
    folder: Path,
    text: str = "",
    *,
    name: str = "demo",
    version: str = "1.0",
    tags: str = "py3-none-any",
) -> Path:
    """Write a wheel with one module of `text`: equal arguments make equal bytes."""
    path, info = folder / f"{name}-{version}-{tags}.whl", f"{name}-{version}.dist-info"
    contents = {
        f"{name}.py": text,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tags}\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in contents.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    return path


def make_attestation(filename: str, sha256: str) -> dict[Any, Any]:
    """Return what has an attestation's shape and is of that file, but is signed by nobody."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": filename, "digest": {"sha256": sha256}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": None,
    }
    nothing = base64.b64encode(b"nothing").decode()
    return {
        "version": 1,
        "verification_material": {"certificate": nothing, "transparency_entries": [{}]},
        "envelope": {
            "statement": base64.b64encode(json.dumps(statement).encode()).decode(),
            "signature": nothing,
        },
    }
