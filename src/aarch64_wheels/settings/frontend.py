"""What `build-frontend` means here, where the hooks of PEP 517 are called by this program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.kinds import TABLE, Table
from aarch64_wheels.settings.parameters import Words, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPTION = "build-frontend"
_NAMES = ("", "default", "pip", "build", "build[uv]", "uv")


@dataclass(frozen=True, kw_only=True)
class Frontend:
    """How the backend is called.

    Attributes:
        is_isolated: in an environment of its own (PEP 518), not with what `before-build` installed.
        settings: config_settings among the frontend's arguments.
        unused: arguments that have no effect here.
    """

    is_isolated: bool = True
    settings: Table = ()
    unused: tuple[str, ...] = ()


def read_frontend(text: str) -> Frontend:
    """Read the option.

    Raises:
        UsageError: it names no frontend, or its arguments cannot be read.
    """
    found = parse(text, _OPTION, ("args",))
    if found.name not in _NAMES:
        known = ", ".join(filter(None, _NAMES))
        raise UsageError(f"`{found.name}` is no `{_OPTION}`", hint=f"it may be {known}")
    known_words, unused = _parser().parse_known_args(list(found.words("args")))
    return Frontend(
        is_isolated=not known_words.no_isolation,
        settings=_table(known_words.settings),
        unused=tuple(unused),
    )


def _parser() -> Words:
    parser = Words(f"the arguments of `{_OPTION}` cannot be read")
    # Those of `build`, of pip and of uv.
    isolation = ("-n", "--no-isolation", "--no-build-isolation")
    parser.add_argument(*isolation, dest="no_isolation", action="store_true")
    settings = ("-C", "--config-setting", "--config-settings")
    parser.add_argument(*settings, dest="settings", action="append", default=[])
    # The log holds all that a backend says, and requirements are installed, not checked.
    parser.add_argument("-v", "--verbose", "-x", "--skip-dependency-check", action="count")
    return parser


def _table(words: Sequence[str]) -> Table:
    """Read `KEY=VALUE`; a key alone is told an empty text, as `build` tells it."""
    rows = [word if "=" in word else f"{word}=" for word in words]
    value: Table = TABLE.from_toml({key: _values(rows, key) for key in _keys(rows)})
    return value


def _keys(rows: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(row.partition("=")[0] for row in rows))


def _values(rows: Sequence[str], key: str) -> list[str]:
    return [row.partition("=")[2] for row in rows if row.partition("=")[0] == key]
