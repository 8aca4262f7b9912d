"""Text from elsewhere (a source, a tool, a server), made fit for a terminal and a job's log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# ECMA-48: CSI and OSC sequences, then the two-character escapes.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")

#: As much of a value as an error shows.
_LONGEST_VALUE = 300


def clean(line: str) -> str:
    """Take colours, cursor movements and control characters out of a line of output.

    Of a progress bar that redraws itself with carriage returns the last state stays.
    """
    last = line.rstrip("\r\n").rsplit("\r", 1)[-1]
    plain = _ESCAPES.sub("", last).replace("\t", "    ")
    return "".join(char for char in plain if char.isprintable())


def inert(line: str) -> str:
    """Keep GitHub's runner from taking a clean line for a workflow command.

    It obeys `::command` at a line's start, whatever blanks stand before it, and the old
    `##[command]` anywhere in a line (actions/runner, ActionCommand.cs).
    """
    plain = line.replace("##[", "## [")
    return f"| {plain}" if plain.lstrip().startswith("::") else plain


def one_line(text: str) -> str:
    """Put a text of any number of lines on one."""
    return inert(" ".join(clean(part) for part in text.splitlines()).strip())


def some(words: Sequence[str], most: int) -> str:
    """Name the first of many, and say how many more there are."""
    rest = [f"and {len(words) - most} more"] if len(words) > most else []
    return ", ".join([*words[:most], *rest])


def indented(text: str) -> str:
    """Keep the lines of a text, with all but the first indented by two spaces."""
    first, *rest = (inert(clean(line)) for line in text.strip("\r\n").split("\n"))
    return "\n".join([first, *(f"  {line}".rstrip() for line in rest)])


def shown(value: object) -> str:
    """Give a value of TOML for a message, cut off where it is long."""
    try:
        text = repr(value)
    # Python writes no integer of thousands of digits in decimal (CVE-2020-10735).
    except (ValueError, RecursionError):
        return "a value that is too large to be shown"
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
