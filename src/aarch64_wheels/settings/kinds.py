"""Kinds of values: how each is read from TOML and from text, joined, and shown to an editor.

The forms are those of cibuildwheel's options, so that a project's settings for it mean the same
here: a list of commands is one command line, a table may be written as `KEY=VALUE` words.
"""

from __future__ import annotations

import difflib
import enum
import re
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aarch64_wheels.errors import UsageError
from aarch64_wheels.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
#: Of numbers: text has nine digits at the most, and so TOML has no more.
_LARGEST = 10**9 - 1
_LEAF = (str, int, float)

#: What `enable` takes: cibuildwheel's groups, also those of interpreters that it alone builds for.
ENABLE_GROUPS = (
    *("pypy", "graalpy", "cpython-prerelease", "all"),
    *("pypy-eol", "pyodide-eol", "pyodide-prerelease"),
)

#: A table of options, each with one or more values, in the order given.
Table = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of value.

    Attributes:
        wanted: what an error says it must be.
        from_toml, from_text: read it; both raise ValueError, whose words are a hint.
        join: puts what comes after behind what was before (`inherit`), None if it cannot be.
        schema: what JSON Schema says of it.
        empty: the value that says nothing.
    """

    wanted: str
    from_toml: Callable[[Any], Any]
    from_text: Callable[[str], Any]
    schema: Mapping[str, object]
    join: Callable[[Any, Any], Any] | None = None
    empty: Any = ""

    def read(self, value: object, place: str, *, text: bool) -> Any:
        """Read a value.

        Args:
            value: as it stands in TOML, or as text.
            place: where it stands, for the error.
            text: it is a flag's, an input's or a variable's, where text stands for all kinds.

        Raises:
            UsageError: it is of another kind.
        """
        try:
            is_text = text and isinstance(value, str)
            return self.from_text(str(value)) if is_text else self.from_toml(value)
        except ValueError as error:
            what = f"{place} must be {self.wanted}"
            # A flag's words are shown as they were given.
            given = " ".join(map(str, value)) if isinstance(value, tuple) else value
            raise UsageError(what, found=shown(given), hint=str(error)) from None


def _string(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        raise ValueError
    return value


def _number_text(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError
    return int(text)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - one error for all that is wrong with a value
    return value


def _switch_text(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError
    return text.lower() in _TRUE


def _level(value: object) -> int:
    """Read a verbosity as cibuildwheel does: three either way at the most."""
    if isinstance(value, str):
        return _level_text(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - see `_switch`
    return min(3, max(-3, value))


def _level_text(text: str) -> int:
    if not re.fullmatch(r"([+-]?[0-9]{1,9})?", text):
        raise ValueError
    return _level(int(text or 0))


def _items(value: object, leaves: tuple[type, ...] = _LEAF) -> list[str]:
    """Give the strings of a TOML list, where numbers and truth values may stand for strings."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, leaves) for one in value):
        raise ValueError
    return [str(one) for one in value]


def _strings(value: object) -> list[str]:
    """Give the strings of a TOML list of nothing else: 3.10 would be no `3.10` any more."""
    return _items(value, (str,))


def _words(value: object) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else _strings(value)
    return tuple(word for text in found for word in text.split())


def _groups(value: object) -> tuple[str, ...]:
    found = _words(value)
    for word in found:
        if word not in ENABLE_GROUPS:
            near = difflib.get_close_matches(word, ENABLE_GROUPS, n=1)
            hint = f": did you mean `{near[0]}`?" if near else ""
            raise ValueError(f"`{word}` is no group{hint}")
    return found


def _levels(value: object) -> tuple[str, ...]:
    """Read levels of the audit's checks; a table of them has a check's name for each key."""
    # Imported here: the audit brings libraries that settings can mostly do without.
    from aarch64_wheels.audit.catalogue import Levels

    rows = [f"{name}={level}" for name, level in value.items()] if isinstance(value, dict) else None
    found = _words(value) if rows is None else tuple(rows)
    if isinstance(value, tuple):  # a flag's: it takes whatever follows it
        _check_flag(found)
    try:
        Levels.parse(found)
    except UsageError as error:
        raise ValueError(f"{error.what}: {error.hint}") from None
    return found


def _check_flag(words: Sequence[str]) -> None:
    from aarch64_wheels.audit.catalogue import checks

    for word in words:
        if "=" not in word and word not in checks():
            place = "what is no CHECK=LEVEL stands before the flag, or after `--`"
            raise ValueError(f"`{word}` is no check: {place}")


def _quoted(value: object) -> tuple[str, ...]:
    """Split a string as a shell does; the items of a list are whole."""
    return tuple(shlex.split(value)) if isinstance(value, str) else tuple(_strings(value))


def _commas(value: object) -> tuple[str, ...]:
    found = value.split(",") if isinstance(value, str) else _strings(value)
    return tuple(word.strip() for word in found if word.strip())


def _command(value: object) -> str:
    return value if isinstance(value, str) else " && ".join(_items(value))


def _both_commands(before: str, after: str) -> str:
    return " && ".join(text for text in (before, after) if text)


def _table(value: object) -> Table:
    """Read `KEY=VALUE` words, or a table whose values are strings or lists of them."""
    if not isinstance(value, dict):
        return _collected([_pair(word) for word in _quoted(value)])
    rows = []
    for key, given in value.items():
        many = isinstance(given, list | tuple)
        rows += [(key, item) for item in _items(given if many else [given])]
    return _collected(rows)


def _pair(word: str) -> tuple[str, str]:
    key, found, value = word.partition("=")
    if not found or not key:
        raise ValueError(f"`{word}` is not KEY=VALUE")
    return key, value


def _collected(rows: Sequence[tuple[str, str]]) -> Table:
    """Give each key once, with all of its values."""
    found: dict[str, tuple[str, ...]] = {}
    for key, value in rows:
        found[key] = (*found.get(key, ()), value)
    return tuple(found.items())


def _both_tables(before: Table, after: Table) -> Table:
    return tuple({**dict(before), **dict(after)}.items())


def _assignments(value: object) -> str:
    """Give variables as bash reads them: a table's values stand between double quotes."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 - see `_switch`
    for name, given in value.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(f"`{name}` is no variable's name")
        if not isinstance(given, _LEAF):
            raise ValueError(f"the value of `{name}` is no string")  # noqa: TRY004 - see `_switch`
    return " ".join(f'{name}="{given}"' for name, given in value.items())


def _spaced(before: str, after: str) -> str:
    return f"{before} {after}".strip()


def _parameters(value: object) -> str:
    """Write a table as cibuildwheel's text for it: `name: docker; create_args: --cpus 2`."""
    if not isinstance(value, dict):  # empty is the default, as a workflow's matrix leaves it
        return "" if value == "" else _string(value)
    rows = []
    for key, given in value.items():
        words = _items(given if isinstance(given, list) else [given])
        rows.append(f"{key}: {shlex.join(words)}")
    return "; ".join(rows)


_STRINGS = {"type": "array", "items": {"type": "string"}}
_STRING = {"type": "string"}
_LEAVES = {"type": ["string", "number", "boolean"]}
_STRING_OR_LIST = {"anyOf": [_STRING, _STRINGS]}
_STRING_OR_TABLE = {"anyOf": [_STRING, {"type": "object"}]}

TEXT = Kind(
    wanted="a string that is not empty", from_toml=_string, from_text=_string, schema=_STRING
)
PATH = Kind(
    wanted="a path",
    from_toml=lambda value: value if isinstance(value, Path) else Path(_string(value)),
    from_text=lambda text: Path(_string(text)),
    schema=_STRING,
)
NUMBER = Kind(
    wanted="a whole number, 0 or more, of nine digits at the most",
    from_toml=_number,
    from_text=_number_text,
    schema={"type": "integer", "minimum": 0, "maximum": _LARGEST},
)
LEVEL = Kind(
    wanted="a whole number from -3 to 3",
    from_toml=_level,
    from_text=_level_text,
    schema={"anyOf": [{"type": "integer"}, _STRING]},
)
SWITCH = Kind(
    wanted="true or false",
    from_toml=_switch,
    from_text=_switch_text,
    schema={"type": "boolean"},
    empty=False,
)


def _several(wanted: str, read: Callable[[object], tuple[str, ...]]) -> Kind:
    """Make the kind of value that is a list of strings, which may be written as one string."""
    return Kind(
        wanted=f"{wanted} or a list of strings",
        from_toml=read,
        from_text=read,
        join=lambda before, after: (*before, *after),
        schema=_STRING_OR_LIST,
        empty=(),
    )


WORDS = _several("a string of words", _words)
GROUPS = replace(
    WORDS,
    wanted=f"{WORDS.wanted}, of {', '.join(ENABLE_GROUPS)}",
    from_toml=_groups,
    from_text=_groups,
)
LEVELS = replace(
    WORDS,
    wanted="CHECK=error, CHECK=warning or CHECK=off words, a list or a table of them",
    from_toml=_levels,
    from_text=_levels,
    schema={"anyOf": [_STRING, _STRINGS, {"type": "object"}]},  # the JSON schema says more
)
QUOTED = _several("a string, quoted as for a shell,", _quoted)
COMMAS = _several("a string with commas", _commas)
COMMAND = Kind(
    wanted="a command or a list of commands",
    from_toml=_command,
    from_text=_command,
    join=_both_commands,
    schema={"anyOf": [_STRING, {"type": "array", "items": _LEAVES}]},
)
TABLE = Kind(
    wanted="a table, or a string of KEY=VALUE words",
    from_toml=_table,
    from_text=_table,
    join=_both_tables,
    schema={"anyOf": [_STRING, _STRINGS, {"type": "object"}]},
    empty=(),
)
ENVIRONMENT = Kind(
    wanted="a table of variables, or a string of NAME=VALUE words",
    from_toml=_assignments,
    from_text=_assignments,
    join=_spaced,
    schema=_STRING_OR_TABLE,
)
PARAMETERS = Kind(
    wanted="a name, with arguments as `name; key: value`, or a table of these",
    from_toml=_parameters,
    from_text=_parameters,
    schema=_STRING_OR_TABLE,
)


@dataclass(frozen=True, kw_only=True)
class Choice(Kind):
    """One of some words."""

    words: type[enum.StrEnum] = field(default=enum.StrEnum)


def choice(words: type[enum.StrEnum]) -> Choice:
    """Make the kind of value that is one of these words."""

    def read(value: object) -> enum.StrEnum:
        if value in tuple(words):
            return words(str(value))
        near = difflib.get_close_matches(str(value), list(words), n=1)
        raise ValueError(f"did you mean `{near[0]}`?" if near else "")

    return Choice(
        wanted=f"one of {', '.join(words)}",
        from_toml=read,
        from_text=read,
        schema={"enum": list(words)},
        words=words,
    )
