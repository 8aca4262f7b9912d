#!/usr/bin/env python3
"""Writes what of the documentation is made from settings and checks. `make docs` calls it."""

from __future__ import annotations

import json
from pathlib import Path

from aarch64_wheels.audit.reference import with_checks
from aarch64_wheels.settings.jsonschema import file_schema
from aarch64_wheels.settings.reference import render_reference


def main(directory: Path) -> None:
    """Write the files; `tests/unit/test_docs.py` sees that they are current."""
    schema = json.dumps(file_schema(), indent=2) + "\n"
    (directory / "aarch64-wheels.schema.json").write_text(schema, encoding="utf-8")
    (directory / "settings.md").write_text(render_reference(), encoding="utf-8")
    audit = directory / "audit.md"
    audit.write_text(with_checks(audit.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(__file__).parents[1] / "docs")
