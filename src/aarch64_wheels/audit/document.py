"""An audit as JSON: `docs/audit.schema.json` has its form, docs/audit.md says what it means."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aarch64_wheels import __version__
from aarch64_wheels.audit.groups import grouped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from aarch64_wheels.audit.model import AuditResult, Finding

#: Raised whenever a field of the JSON changes its meaning or goes away.
SCHEMA_VERSION = 2


def as_json(results: Sequence[tuple[Path, AuditResult]]) -> str:
    """Write results, each with the path of its wheel; ends with a line end."""
    document = {
        "schema": SCHEMA_VERSION,
        "tool": {"name": "aarch64-wheels", "version": __version__},
        "ok": all(result.ok for _, result in results),
        "checks": _checks(row for _, result in results for row in result.findings),
        "wheels": [_wheel(path, result) for path, result in results],
    }
    # What is no character at all (half of a surrogate pair, from a name that is not UTF-8) is
    # an error to most readers of JSON.
    text = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return json.dumps(json.loads(text), indent=2) + "\n"


def _wheel(path: Path, result: AuditResult) -> dict[str, Any]:
    return {"path": str(path), "ok": result.ok, **asdict(result)}


def _checks(findings: Iterable[Finding]) -> list[dict[str, str]]:
    """Say once of each check that found something what it is about, and what to do."""
    named = {group.check.name: group.check for group in grouped(findings)}
    return [
        {"name": row.name, "title": row.title, "remedy": row.remedy, "level": str(row.level)}
        for row in named.values()
    ]
