"""Descriptions in METADATA: what indexes render, what they cannot, and markup that is a bomb."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit.check import audit_wheel
from aarch64_wheels.audit.description import render
from tests.unit.audit_samples import METADATA, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_judged")

BROKEN = "Title\n==\n\n.. image:: a.png\n   :nonsense: 1\n\n`unfinished <"
DESCRIPTIONS = {
    "none": ("", []),
    "good": ("\nTitle\n=====\n\nText with `a link <https://example.org>`_.\n", []),
    "broken": (f"\n{BROKEN}", ["the description cannot be rendered"]),
    "broken-as-markdown": (f"Description-Content-Type: text/markdown\n\n{BROKEN}", []),
    "broken-as-plain": (f"Description-Content-Type: text/plain; charset=UTF-8\n\n{BROKEN}", []),
    "broken-and-named": (
        f"Description-Content-Type: text/x-rst\n\n{BROKEN}",
        ["the description cannot be rendered"],
    ),
}


@pytest.mark.parametrize(("text", "messages"), DESCRIPTIONS.values(), ids=DESCRIPTIONS.keys())
def test_descriptions(tmp_path: Path, text: str, messages: list[str]) -> None:
    result = audit_wheel(write_wheel(tmp_path, metadata=METADATA + text))
    assert [(row.check, row.message) for row in result.findings] == [
        ("metadata", message) for message in messages
    ]


FIELDS = {
    "no-version": ("Metadata-Version: 2.1\nName: fast\n", "error"),
    "no-name": ("Metadata-Version: 2.1\nVersion: 1.0\n", "error"),
    "bad-version": ("Metadata-Version: 2.1\nName: fast\nVersion: one\n", "error"),
    "bad-requirement": (METADATA + "Requires-Dist: this is none\n", "error"),
    "bad-classifier-is-the-indexs": (METADATA + "Classifier: Nothing :: Known\n", ""),
    "license-file-before-its-time": (METADATA + "License-File: LICENSE\n", ""),
    "unknown-field": (METADATA + "Flavour: sweet\n", "warning"),
    "no-text": ("", "error"),
}


@pytest.mark.parametrize(("text", "level"), FIELDS.values(), ids=FIELDS.keys())
def test_fields(tmp_path: Path, text: str, level: str) -> None:
    result = audit_wheel(write_wheel(tmp_path, metadata=text))
    found = {(row.check, str(row.level)) for row in result.findings}
    assert found == ({("metadata", level)} if level else set())


def test_fields_without_end_are_not_read(tmp_path: Path) -> None:
    """Reading them takes time by the square of their number."""
    fields = "".join(f"X-Field-{number}: 1\n" for number in range(40_000))
    started = time.monotonic()
    result = audit_wheel(write_wheel(tmp_path, metadata=METADATA + fields))
    assert time.monotonic() - started < 10
    assert [(row.check, row.evidence) for row in result.findings] == [
        ("metadata", "it has 40003 fields")
    ]


def test_substitutions_that_grow_end() -> None:
    """Each names the next one twice: 2^25 of the last."""
    names = [f".. |a{number}| replace:: |a{number + 1}| |a{number + 1}|" for number in range(25)]
    started = time.monotonic()
    assert render("\n".join([*names, ".. |a25| replace:: x", "", "|a0|"]), timeout=1) is None
    assert time.monotonic() - started < 10


def test_memory_has_a_limit() -> None:
    """Section lines alone: half a megabyte of them takes docutils a gigabyte."""
    said = render("=\n" * 2**18, timeout=4)
    assert said is None or "MemoryError" in said
