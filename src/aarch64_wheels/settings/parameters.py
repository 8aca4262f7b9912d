"""Options that hold a name and arguments: `docker; create_args: --cpus 2`, as cibuildwheel's do."""

from __future__ import annotations

import argparse
import itertools
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from aarch64_wheels.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What such an option says.

    Attributes:
        name: the words without a key, empty if there are none.
        arguments: the words of each key.
    """

    name: str = ""
    arguments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def words(self, key: str) -> tuple[str, ...]:
        """Give the words of a key."""
        return self.arguments.get(key, ())


class Words(argparse.ArgumentParser):
    """A parser of another program's arguments.

    Args:
        what: the error of arguments that it does not know. hint: of that error.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        self._what, self._hint = what, hint

    def error(self, message: str) -> NoReturn:
        """Raise a UsageError: argparse would end this process."""
        raise UsageError(self._what, found=message, hint=self._hint)


def parse(text: str, option: str, keys: Collection[str]) -> Parameters:
    """Read `name; key: words; key: words`, quoted as for a shell.

    Args:
        text: the value; empty for nothing.
        option: its name, for the error.
        keys: what it may have; `name` stands for the words without a key.

    Raises:
        UsageError: it cannot be read, or has another key.
    """
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";")
    lexer.commenters = ""
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError as error:
        what = f"`{option}` cannot be read"
        raise UsageError(what, found=f"{text!r}: {error}", hint="quote it as for a shell") from None
    found: dict[str, tuple[str, ...]] = {}
    for is_end, group in itertools.groupby(words, ";".__eq__):
        if not is_end:
            key, values = _field(list(group), option, keys)
            found[key] = (*found.get(key, ()), *values)
    return Parameters(name=" ".join(found.pop("name", ())), arguments=found)


def _field(words: list[str], option: str, keys: Collection[str]) -> tuple[str, list[str]]:
    key, colon, first = words[0].partition(":")
    if not colon:
        return "name", words
    name = key.replace("-", "_")
    if name not in (*keys, "name"):
        known = ", ".join(keys)
        raise UsageError(f"`{option}` has no `{key}`", hint=f"it may have {known}")
    return name, [*filter(None, [first]), *words[1:]]
