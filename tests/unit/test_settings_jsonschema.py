"""The JSON schema of our table, against what is really read."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.examples import EXAMPLES
from aarch64_wheels.settings.jsonschema import POINTER, default_of, file_schema
from aarch64_wheels.settings.layers import collect
from aarch64_wheels.settings.schema import Settings
from aarch64_wheels.settings.tables import Tables, all_options
from aarch64_wheels.settings.texts import TEXTS
from tests.unit.json_schema import faults

SCHEMA = json.loads(json.dumps(file_schema()))


def _table_schema() -> Any:
    found = SCHEMA
    for part in POINTER.split("/")[1:]:
        found = found[part]
    return found


def _faults(toml: str) -> list[str]:
    """What an editor would mark in a file with this table."""
    return faults(SCHEMA, {"project": {}, "tool": {"aarch64-wheels": tomllib.loads(toml)}})


def _read(toml: str) -> None:
    """What the program itself does with it."""
    tables = Tables(ours=tomllib.loads(toml), origin="pyproject.toml")
    layers = collect({}, {}, tables, Path("cache"))
    layers.settings()
    layers.options("cp313-manylinux_aarch64")
    layers.publishing()


def test_it_is_of_draft_7_and_named_without_an_address() -> None:
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert SCHEMA["$id"].startswith("urn:")


@pytest.mark.parametrize(
    ("toml", "is_right"),
    [
        ('audit-levels = { debug-info = "off", licence = "error" }', True),
        ('audit-levels = ["debug-info=off"]', True),
        ('audit-levels = { debug-inf = "off" }', False),
        ('audit-levels = { debug-info = "never" }', False),
        ("audit-levels = 3", False),
    ],
    ids=["table", "list", "check", "level", "number"],
)
def test_it_knows_the_audits_checks_and_their_levels(toml: str, *, is_right: bool) -> None:
    assert (not _faults(toml)) == is_right


def test_it_has_the_keys_of_the_table_and_no_others() -> None:
    table = _table_schema()
    names = [option.name for option in all_options() if option.in_table]
    assert list(table["properties"]) == names
    assert table["additionalProperties"] is False
    assert "source" not in names
    assert "before-all" in names
    assert "attestations" in names


def test_every_key_is_described() -> None:
    for option in all_options():
        if option.in_table:
            text = _table_schema()["properties"][option.name]["description"]
            assert TEXTS[option.field][1:] in text
            assert text.endswith(".")


def test_defaults_are_what_is_there_if_nothing_is_set() -> None:
    settings = Settings()
    found = {name: row.get("default") for name, row in _table_schema()["properties"].items()}
    assert found["image"] == settings.image
    assert found["silence-limit"] == settings.silence_limit
    assert (found["output-dir"], found["mode"], found["no-cache"]) == ("wheelhouse", "auto", False)
    assert (found["cache-dir"], found["python"], found["before-all"]) == (None, None, None)


def test_defaults_are_valid_themselves() -> None:
    for option in all_options():
        default = default_of(option)
        if option.in_table and default is not None:
            assert faults(_table_schema()["properties"][option.name], default) == []
            option.kind.read(default, option.name, text=False)


GOOD = {
    "empty": "",
    "words": 'python = "cp311 cp313"\nskip = ["cp39-*"]',
    "choices": 'mode = "native"\nengine = "none"\nattestations = "never"',
    "numbers": "jobs = 0\ntime-limit = 20\nbuild-verbosity = -3",
    "switches": "resume = true\nno-cache = false",
    "commands": 'before-all = ["a", "b"]\ntest-command = "pytest"',
    "tables": 'environment = { A = "1", B = 2 }\nconfig-settings = { a = ["b", "c"] }',
    "parameters": 'build-frontend = { name = "build", args = ["-n"] }',
    "path": 'output-dir = "dist"',
    "levels": 'audit-levels = "debug-info=off licence=error"\nstrip = true',
}
BAD = {
    "unknown-key": 'pyton = "cp313"',
    "no-key-of-a-table": 'source = "."',
    "unknown-choice": 'mode = "quick"',
    "text-for-a-number": 'jobs = "3"',
    "truth-for-a-number": "jobs = true",
    "number-below": "jobs = -1",
    "number-for-a-switch": "resume = 1",
    "number-for-words": "python = 3.10",
    "numbers-for-words": "python = [3.10]",
    "empty-text": 'image = ""',
    "number-for-a-command": "before-all = 1",
    "list-for-variables": 'environment = ["A=1"]',
}


@pytest.mark.parametrize("toml", GOOD.values(), ids=GOOD.keys())
def test_what_is_read_is_valid(toml: str) -> None:
    _read(toml)
    assert _faults(toml) == []


@pytest.mark.parametrize("toml", BAD.values(), ids=BAD.keys())
def test_what_is_refused_is_not(toml: str) -> None:
    with pytest.raises(UsageError):
        _read(toml)
    assert _faults(toml) != []


ROWS = [pytest.param(name, toml, id=name) for name, rows in EXAMPLES.items() for toml in rows]


@pytest.mark.parametrize(("name", "toml"), ROWS)
def test_the_examples_of_the_reference_are_read_and_valid(name: str, toml: str) -> None:
    assert list(tomllib.loads(toml)) == [name]
    _read(toml)
    assert _faults(toml) == []


def test_a_file_without_the_table_is_valid() -> None:
    assert faults(SCHEMA, {"project": {"name": "spring"}, "tool": {"other": {"python": 3}}}) == []
