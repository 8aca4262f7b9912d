"""The tables of a TOML file that hold settings: `[tool.aarch64-wheels]`, `[tool.cibuildwheel]`."""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.cascade import Layer
from aarch64_wheels.settings.cibuildwheel import TABLE as THEIR_TABLE
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.schema import BuildOptions, Option, options
from aarch64_wheels.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = "tool.aarch64-wheels"
#: Where files go to or come from: not for a source to choose freely.
PLACES = ("output-dir", "cache-dir")
#: Who is given secrets, and the identities that Sigstore and an index are shown: not at all.
RECEIVERS = ("repository", "repository-url", "index-url", "trust-config")


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Both tables, each empty where there is none, and the name of the file they stand in."""

    ours: Mapping[str, object] = field(default_factory=dict)
    theirs: Mapping[str, object] = field(default_factory=dict)
    origin: str = ""


def read_tables(source: str, config_file: Path | None) -> Tables:
    """Read both tables: from `config_file`, or the source directory's pyproject.toml.

    Raises:
        UsageError: `config_file` cannot be read, the TOML is not valid, or our table holds what
            a source may not choose.
    """
    path = config_file or Path(source) / "pyproject.toml"
    # Unlike `Path.is_file`, it takes any text that may be a source.
    if config_file is None and not os.path.isfile(path):  # noqa: PTH113
        return Tables()
    data = _read_toml(path)
    ours, theirs = (_table(data, name, path) for name in (TABLE, THEIR_TABLE))
    if config_file is None:
        _refuse_places_outside(ours, str(path))
        _refuse_receivers(ours, str(path))
        _refuse_reach(ours, str(path))
    elif not ours and not theirs:
        _refuse_top_level(data, path)
    return Tables(ours=ours, theirs=theirs, origin=str(path))


def own_layer(table: Mapping[str, object], origin: str) -> Layer:
    """Give our table as a layer.

    Raises:
        UsageError: a key is unknown, or cannot stand there.
    """
    _refuse_unknown(table, origin)
    return Layer(values=table, place=f"`{{}}` in [{TABLE}] of {origin}")


def all_options() -> tuple[Option, ...]:
    """Give the options of all commands, each once: they share one table."""
    rows = [*options(), *options(BuildOptions), *options(PublishSettings)]
    return tuple({option.name: option for option in reversed(rows)}.values())[::-1]


def _table(data: Mapping[str, object], name: str, path: Path) -> Mapping[str, object]:
    tool = data.get("tool", {})
    table = tool.get(name.partition(".")[2], {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"[{name}] of {path} is not a table", found=shown(table))
    return table


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        hint = "give --config-file the path of a TOML file"
        raise UsageError(
            f"cannot read the configuration file {path}", found=error.strerror or "", hint=hint
        ) from error
    # TOMLDecodeError and UnicodeDecodeError are ValueErrors; nesting without end is the third.
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid TOML", found=str(error)) from error


def _refuse_places_outside(table: Mapping[str, object], origin: str) -> None:
    """Keep a source, which may be hostile, from choosing any directory of this host."""
    for key in PLACES:
        value = table.get(key)
        if isinstance(value, str) and (Path(value).is_absolute() or ".." in Path(value).parts):
            raise UsageError(
                f"`{key}` in [{TABLE}] of {origin} leads out of the current directory",
                found=shown(value),
                hint=f"give it by --{key}, or keep it in a file of your own (--config-file)",
            )


def _refuse_receivers(table: Mapping[str, object], origin: str) -> None:
    """Keep it from choosing who gets passwords, tokens and identities, too."""
    for key in RECEIVERS:
        if key in table:
            raise UsageError(
                f"`{key}` in [{TABLE}] of {origin} would say who is given secrets or identities",
                hint=f"give it by --{key}, or keep it in a file of your own (--config-file)",
            )


def _refuse_reach(table: Mapping[str, object], origin: str) -> None:
    """Keep it from choosing what containers may do to this machine."""
    if "container-engine" in table:
        raise UsageError(
            f"`container-engine` in [{TABLE}] of {origin} would say what containers may do here",
            hint="give it by --container-engine, or keep it in a file of your own (--config-file)",
        )


def _refuse_top_level(data: Mapping[str, object], path: Path) -> None:
    """Say so when a setting outside of its table would be silently without effect."""
    for option in all_options():
        if option.name in data:
            raise UsageError(
                f"`{option.name}` of {path} stands outside of the table [{TABLE}]",
                hint=f"put a line [{TABLE}] above it",
            )


def _refuse_unknown(table: Mapping[str, object], origin: str) -> None:
    flags = {option.name: option.flag for option in all_options()}
    known = [option.name for option in all_options() if option.in_table]
    for key in table:
        if key in known:
            continue
        what = f"unknown key `{key}` in [{TABLE}] of {origin}"
        if key in flags:
            raise UsageError(
                what,
                found=f"`{key}` says where the table is, so it cannot stand in it",
                hint=f"give {flags[key]} on the command line",
            )
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        hint = f"did you mean `{near[0]}`?" if near else f"the keys are {', '.join(known)}"
        raise UsageError(what, hint=hint)
