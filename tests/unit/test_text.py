from __future__ import annotations

import re

import pytest

from aarch64_wheels.errors import CommandError, UsageError
from aarch64_wheels.text import clean, indented, inert, one_line, shown


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("plain\n", "plain"),
        ("10%\r50%\r100%\r\n", "100%"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("bell\x07 tab\tend", "bell tab    end"),
        ("umlaut ü", "umlaut ü"),
        ("right\u202eleft\u2028line\x85next", "rightleftlinenext"),
    ],
)
def test_clean(line: str, expected: str) -> None:
    assert clean(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("std::vector", "std::vector"),
        ("::error::x", "| ::error::x"),
        ("   ::error::x", "|    ::error::x"),
        ("a ##[error]x", "a ## [error]x"),
    ],
)
def test_inert(line: str, expected: str) -> None:
    assert inert(line) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "a"),
        ("a\nb\r\nc\rd\u2028e\n", "a b c d e"),
        ("\n::error::x", "| ::error::x"),
        ("", ""),
    ],
)
def test_one_line(text: str, expected: str) -> None:
    assert one_line(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "a"),
        ("a.c:1: error\n  int x\n      ^\n\nend\n", "a.c:1: error\n    int x\n        ^\n\n  end"),
        ("a\n::error::x\n  ::error::x", "a\n  | ::error::x\n  |   ::error::x"),
        ("\x1b[1mbold\x1b[0m\n10%\r20%", "bold\n  20%"),
        ("", ""),
    ],
)
def test_indented(text: str, expected: str) -> None:
    assert indented(text) == expected


EVIL = "x\n::error::pwned\r\n \t::add-mask::a\r::stop-commands::t\x0b::debug::d\n##[error]e"


@pytest.mark.parametrize(
    "error",
    [UsageError(EVIL, found=EVIL, hint=EVIL), CommandError(("cc", EVIL), 1, EVIL)],
    ids=["usage", "command"],
)
def test_no_line_of_a_hostile_text_passes_for_one_of_ours(error: UsageError) -> None:
    first, *rest = str(error).split("\n")
    assert first.startswith(("x ", "`cc x "))
    assert all(line.startswith(("  ", "found: ", "next: ")) for line in rest)
    for line in (first, *rest):
        assert line.isprintable()
        assert not re.match(r"\s*::", line)
        assert "##[" not in line


def test_a_value_is_shown_however_large() -> None:
    assert shown(["a", 1]) == "['a', 1]"
    assert shown("x" * 5000) == f"'{'x' * 299}…"
    assert shown(int("f" * 4500, 16)) == "a value that is too large to be shown"
