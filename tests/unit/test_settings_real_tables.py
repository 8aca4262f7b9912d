"""The tables of well-known projects: each resolves, and each key is honoured or named in a note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aarch64_wheels.settings.cascade import cascade
from aarch64_wheels.settings.cibuildwheel import NAMES, read_cibuildwheel
from aarch64_wheels.settings.schema import BuildOptions, Option, Settings, all_fields

ROWS = json.loads(Path(__file__).with_name("data").joinpath("cibuildwheel_tables.json").read_text())
TARGETS = [
    f"{tag}-{libc}_aarch64"
    for tag in ("cp39", "cp311", "cp313", "cp314t", "pp311")
    for libc in ("manylinux", "musllinux")
]
PASSED_OVER = {"linux", "macos", "windows", "android", "ios", "pyodide", "overrides", "inherit"}


def _options() -> dict[str, Option]:
    return {option.name: option for option in [*all_fields(Settings), *all_fields(BuildOptions)]}


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_it_resolves_for_every_target(row: dict[str, Any]) -> None:
    found = read_cibuildwheel(row["cibuildwheel"], "pyproject.toml", {})
    for identifier in TARGETS:
        for option in _options().values():
            cascade(option, found.layers, identifier)


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_each_key_is_honoured_or_named(row: dict[str, Any]) -> None:
    table = row["cibuildwheel"]
    found = read_cibuildwheel(table, "pyproject.toml", {})
    keys = {*table, *table.get("linux", {})} - PASSED_OVER
    images = {key for key in keys if key.endswith("-image") and "aarch64" not in key}
    for key in keys - images:
        honoured = NAMES.get(key) in _options() and any(
            NAMES[key] in layer.values for layer in found.layers
        )
        assert honoured or any(f"`{key}`" in note for note in found.notes), key


def test_there_are_enough_of_them() -> None:
    assert len({row["name"] for row in ROWS}) >= 15


def test_every_option_of_theirs_is_one_of_ours() -> None:
    assert set(NAMES.values()) <= set(_options())
