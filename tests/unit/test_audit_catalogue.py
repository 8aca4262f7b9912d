"""The audit's checks as users know them, and their switches."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import aarch64_wheels.audit
from aarch64_wheels.audit import Finding, Level
from aarch64_wheels.audit.catalogue import Levels, checks, found
from aarch64_wheels.errors import UsageError


@pytest.mark.parametrize("name", checks())
def test_a_check_is_explained(name: str) -> None:
    check = checks()[name]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", check.name)
    assert check.title[0].islower() or check.title.split()[0].isupper()
    assert not check.title.endswith(".")
    assert check.why.endswith(".")
    assert check.remedy.endswith(".")


def test_every_check_is_used_and_every_one_used_is_explained() -> None:
    sources = Path(aarch64_wheels.audit.__file__).parent.rglob("*.py")
    used = set()
    for source in sources:
        text = source.read_text("utf-8")
        used |= set(re.findall(r'found\(\s*"([a-z0-9-]+)"', text))
        used |= set(re.findall(r'^_?[A-Z_]*CHECK[A-Z_]* = "([a-z0-9-]+)"', text, re.MULTILINE))
        used |= set(re.findall(r'^    check = "([a-z0-9-]+)"', text, re.MULTILINE))
    assert used == set(checks())


def some() -> tuple[Finding, ...]:
    return (found("debug-info", "a"), found("rpath", "b"), found("sbom", "c"), found("tag", "d"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param((), "rpath:error tag:error debug-info:warning sbom:warning", id="as-it-is"),
        pytest.param(("rpath=off",), "tag:error debug-info:warning sbom:warning", id="off"),
        pytest.param(
            ("sbom=error", "tag=warning"),
            "rpath:error sbom:error debug-info:warning tag:warning",
            id="both-ways",
        ),
        pytest.param(
            ("rpath=off", "rpath=warning"),
            "tag:error debug-info:warning rpath:warning sbom:warning",
            id="the-last-counts",
        ),
        pytest.param(
            ("cpu-baseline=off",),
            "rpath:error tag:error debug-info:warning sbom:warning",
            id="of-nothing-found",
        ),
    ],
)
def test_levels(words: tuple[str, ...], expected: str) -> None:
    left = Levels.parse(words).apply(some())
    assert " ".join(f"{row.check}:{row.level}" for row in left) == expected


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("debug=off", "the audit has no check `debug`"),
        ("debug-inf=off", "did you mean `debug-info`?"),
        ("debug-info", "`debug-info` chooses no level of a check"),
        ("debug-info=", "chooses no level"),
        ("debug-info=fatal", "write debug-info=error, debug-info=warning or debug-info=off"),
        ("=off", "the audit has no check ``"),
    ],
)
def test_words_that_choose_no_level(word: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Levels.parse([word])
    assert said in str(caught.value)


def test_a_finding_in_one_line() -> None:
    plain = found("rpath", "a.so looks elsewhere", evidence="/x", file="a.so")
    assert plain.words == "a.so looks elsewhere (/x)"
    assert found("record", "no hash", file="b.py").words == "no hash (b.py)"
    assert found("record", "no hash", file="b.py", evidence="md5").words == "no hash (b.py; md5)"
    assert found("tag", "wrong").words == "wrong"
    assert found("tag", "wrong", level=Level.WARNING).level is Level.WARNING
