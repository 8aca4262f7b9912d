"""The audit's JSON, against the schema that documents it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aarch64_wheels import __version__
from aarch64_wheels.audit.catalogue import checks
from aarch64_wheels.audit.document import as_json
from tests.unit.audit_findings import BAD, GOOD, HOSTILE, SVE, hostile
from tests.unit.json_schema import faults

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "audit.schema.json").read_text(encoding="utf-8"))


def document(*results: Any) -> Any:
    return json.loads(as_json([(Path("dist") / "a.whl", result) for result in results]))


@pytest.mark.parametrize(
    "results", [(), (GOOD,), (GOOD, BAD)], ids=["no-wheel", "good", "good-and-bad"]
)
def test_it_is_as_documented(results: tuple[Any, ...]) -> None:
    assert faults(SCHEMA, document(*results)) == []


def test_the_schema_is_of_2020_12_and_knows_what_is_wrong() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    data = document(BAD)
    del data["wheels"][0]["findings"][0]["symbol"]
    data["wheels"][0]["colour"] = "red"
    data["schema"] = 1
    assert sorted(faults(SCHEMA, data)) == [
        ".schema: is not 2",
        ".wheels[].colour: is unknown",
        ".wheels[].findings[].symbol: is missing",
    ]


def test_a_finding_has_all_of_its_fields() -> None:
    data = document(GOOD, BAD)
    assert (data["schema"], data["ok"]) == (2, False)
    assert data["tool"] == {"name": "aarch64-wheels", "version": __version__}
    good, bad = data["wheels"]
    assert (good["path"], good["ok"], bad["ok"]) == ("dist/a.whl", True, False)
    assert bad["findings"][0] == {
        "check": "cpu-baseline",
        "level": "error",
        "message": SVE.message,
        "evidence": SVE.evidence,
        "file": SVE.file,
        "section": ".text",
        "symbol": "step",
    }
    assert bad["versions"][0]["symbol"] == "memcpy"
    assert bad["objects"][0]["later"] == ["FEAT_SVE"]


def test_checks_that_found_something_are_explained_once() -> None:
    data = document(BAD, BAD)
    assert [row["name"] for row in data["checks"]] == ["suffix", "cpu-baseline", "debug-info"]
    assert data["checks"][0]["remedy"] == checks()["suffix"].remedy


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_any_name_can_be_written_and_read(text: str) -> None:
    written = as_json([(Path(text), hostile(text))])
    assert written.isascii()
    data = json.loads(written)
    assert faults(SCHEMA, data) == []
    name = data["wheels"][0]["findings"][0]["file"]
    assert name == text.replace("\udc80", "?")
    assert name.encode()  # a lone surrogate would be an error here, and in other readers
