"""Levels of the audit's checks, as they are set: wrong ones are told before anything is built."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.layers import collect
from aarch64_wheels.settings.tables import Tables


def levels(toml: str = "", *flag: str, variable: str = "") -> tuple[str, ...]:
    tables = Tables(ours=tomllib.loads(toml), origin="pyproject.toml")
    environ = {"AARCH64_WHEELS_AUDIT_LEVELS": variable} if variable else {}
    return collect({"audit_levels": flag}, environ, tables, Path("cache")).settings().audit_levels


BOTH = ("debug-info=off", "licence=error")


@pytest.mark.parametrize(
    "toml",
    [
        'audit-levels = "debug-info=off licence=error"',
        'audit-levels = ["debug-info=off", "licence=error"]',
        'audit-levels = { debug-info = "off", licence = "error" }',
        '[audit-levels]\ndebug-info = "off"\nlicence = "error"',
    ],
    ids=["string", "list", "inline-table", "table"],
)
def test_they_can_be_written_in_these_forms(toml: str) -> None:
    assert levels(toml) == BOTH


def test_the_strongest_place_counts() -> None:
    table = 'audit-levels = "elf=warning"'
    assert levels() == ()
    assert levels(table, variable="rpath=off") == ("rpath=off",)
    assert levels(table, *BOTH, variable="rpath=off") == BOTH


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('audit-levels = "debug-inf=off"', "did you mean `debug-info`?"),
        ('audit-levels = "colour=off"', "no check `colour`: the checks: zip-damaged,"),
        ('audit-levels = "rpath"', "write rpath=error, rpath=warning or rpath=off"),
        ('audit-levels = { rpath = "never" }', "`rpath=never` chooses no level"),
        ("audit-levels = { rpath = 1 }", "`rpath=1` chooses no level"),
        ("audit-levels = 3", "found: 3"),
    ],
    ids=["near", "unknown", "no-level", "unknown-level", "number", "no-words"],
)
def test_what_is_wrong_is_named_with_its_place(toml: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        levels(toml)
    text = str(caught.value)
    assert words in text
    assert text.startswith("`audit-levels` in [tool.aarch64-wheels] of pyproject.toml must be ")
    assert len(text.splitlines()) <= 4
