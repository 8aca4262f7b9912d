"""Placeholders in commands: which are filled, and that nothing else is."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aarch64_wheels.stages.placeholders import fill

SAMPLES = {
    "path": ("pytest {project}/tests", "pytest /p/tests"),
    "twice": ("{project} {project}", "/p /p"),
    "unknown": ("{dest} ${HOME} {a,b} {}", "{dest} ${HOME} {a,b} {}"),
    "marked": ("#{project} {project}", "{project} /p"),
    "odd": ("auditwheel {wheel}", "auditwheel '/b/a b.whl'"),
    "no second round": ("{nested}", "'{project}'"),
}


@pytest.mark.parametrize(("command", "expected"), SAMPLES.values(), ids=SAMPLES.keys())
def test_what_is_filled(command: str, expected: str) -> None:
    filled = fill(command, project=PurePosixPath("/p"), wheel="/b/a b.whl", nested="{project}")
    assert filled == expected


def test_without_values_nothing_is_filled() -> None:
    assert fill("{project}") == "{project}"


@given(st.text())
def test_any_value_is_one_word_of_the_shell(value: str) -> None:
    assert shlex.split(fill("run {wheel} end", wheel=value)) == ["run", value, "end"]


@given(st.text(alphabet="#{}project $a"))
def test_what_holds_no_placeholder_stays(text: str) -> None:
    if "{project}" not in text:
        assert fill(text, project="/p") == text
