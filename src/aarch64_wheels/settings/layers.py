"""Flags over environment over `[tool.aarch64-wheels]` over defaults: one frozen object."""

from __future__ import annotations

import difflib
import enum
import os
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import platformdirs

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.schema import Option, Settings, options

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T", Settings, PublishSettings)

TABLE = "tool.aarch64-wheels"
#: Where files go to or come from: not for a source to choose freely.
_PLACES = ("output-dir", "cache-dir")
#: Who is given secrets, and the identities that Sigstore and an index are shown: not at all.
_RECEIVERS = ("repository", "repository-url", "index-url", "trust-config")

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def load(flags: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    """Resolve the settings at the program's edge, reading the table where it is.

    Args:
        flags: values by field name of `Settings`; None and () mean "not given".
        environ: the process environment.

    Raises:
        UsageError: a value, a key or the configuration file is wrong.
    """
    cache = platformdirs.user_cache_path("aarch64-wheels")
    first = resolve(flags, environ, {}, "", default_cache_dir=cache)
    table, origin = _read_safe_table(first.source, first.config_file)
    return resolve(flags, environ, table, origin, default_cache_dir=cache)


def load_publishing(flags: Mapping[str, object], environ: Mapping[str, str]) -> PublishSettings:
    """Resolve the settings of `publish`, from the table of this directory or `config_file`.

    Args:
        flags: values by field name of `PublishSettings`; None and () mean "not given".
        environ: the process environment.

    Raises:
        UsageError: a value, a key or the configuration file is wrong.
    """
    above = _Layers(flags=flags, environ=environ, table={}, origin="")
    first = _merge(PublishSettings, above, {})
    table, origin = _read_safe_table(".", first.config_file)
    return _merge(PublishSettings, replace(above, table=table, origin=origin), {})


def _read_safe_table(source: str, config_file: Path | None) -> tuple[Mapping[str, object], str]:
    table, origin = read_table(source, config_file)
    if config_file is None:
        _refuse_places_outside(table, origin)
        _refuse_receivers(table, origin)
    return table, origin


def _refuse_places_outside(table: Mapping[str, object], origin: str) -> None:
    """Keep a source, which may be hostile, from choosing any directory of this host."""
    for key in _PLACES:
        value = table.get(key)
        if isinstance(value, str) and (Path(value).is_absolute() or ".." in Path(value).parts):
            raise UsageError(
                f"`{key}` in [{TABLE}] of {origin} leads out of the current directory",
                found=repr(value),
                hint=f"give it by --{key}, or keep it in a file of your own (--config-file)",
            )


def _refuse_receivers(table: Mapping[str, object], origin: str) -> None:
    """Keep it from choosing who gets passwords, tokens and identities, too."""
    for key in _RECEIVERS:
        if key in table:
            raise UsageError(
                f"`{key}` in [{TABLE}] of {origin} would say who is given secrets or identities",
                hint=f"give it by --{key}, or keep it in a file of your own (--config-file)",
            )


def resolve(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    table: Mapping[str, object],
    table_origin: str,
    *,
    default_cache_dir: Path,
) -> Settings:
    """Merge the layers. Pure: what it depends on are its arguments.

    Args:
        flags: values by field name, from the command line or the Action's inputs, typed or as
            text; None and () mean "not given".
        environ: `AARCH64_WHEELS_<FIELD>` variables, where lists are split on whitespace and
            an empty value means "not given".
        table: the content of `[tool.aarch64-wheels]`.
        table_origin: the name of the file it stands in.
        default_cache_dir: `cache_dir` when no layer has one.

    Raises:
        UsageError: an unknown key in the table, or a value of the wrong type or range.
    """
    layers = _Layers(flags=flags, environ=environ, table=table, origin=table_origin)
    return _merge(Settings, layers, {"cache_dir": default_cache_dir})


@dataclass(frozen=True, kw_only=True)
class _Layers:
    """Flags, environment and table, and where that one stands."""

    flags: Mapping[str, object]
    environ: Mapping[str, str]
    table: Mapping[str, object]
    origin: str

    def value(self, option: Option) -> object:
        """Give what the first layer says that has it; None if none has."""
        if (given := self.flags.get(option.field)) not in (None, ()):
            return _from_text(option, given, option.flag)
        if text := self.environ.get(option.env, "").strip():
            return _from_text(option, text, f"${option.env}")
        if option.name in self.table:
            place = f"`{option.name}` in [{TABLE}] of {self.origin}"
            return _convert(option, self.table[option.name], place)
        return None


def _merge(kind: type[T], layers: _Layers, defaults: Mapping[str, object]) -> T:
    _refuse_unknown(layers.table, layers.origin)
    found = {option.field: layers.value(option) for option in options(kind)}
    given = {name: value for name, value in found.items() if value is not None}
    return kind(**{**defaults, **given})  # type: ignore[arg-type]  # `value` has checked each


def read_table(source: str, config_file: Path | None) -> tuple[Mapping[str, object], str]:
    """Read `[tool.aarch64-wheels]`: from `config_file`, or the source directory's pyproject.toml.

    Returns:
        the table, empty where there is none, and the name of the file it stands in.

    Raises:
        UsageError: `config_file` cannot be read, or the TOML is not valid.
    """
    path = config_file or Path(source) / "pyproject.toml"
    if config_file is None and not path.is_file():
        return {}, ""
    data = _read_toml(path)
    tool = data.get("tool", {})
    table = tool.get("aarch64-wheels", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"[{TABLE}] of {path} is not a table", found=repr(table))
    if config_file is not None and not table:
        _refuse_top_level(data, path)
    return table, str(path)


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        hint = "give --config-file the path of a TOML file"
        raise UsageError(
            f"cannot read the configuration file {path}", found=error.strerror or "", hint=hint
        ) from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise UsageError(f"{path} is not valid TOML", found=str(error)) from error


def _refuse_top_level(data: Mapping[str, object], path: Path) -> None:
    """Say so when a setting outside of its table would be silently without effect."""
    for option in _all_options():
        if option.name in data:
            raise UsageError(
                f"`{option.name}` of {path} stands outside of the table [{TABLE}]",
                hint=f"put a line [{TABLE}] above it",
            )


def _all_options() -> tuple[Option, ...]:
    """Give the options of all commands, each once: they share one table."""
    rows = [*options(), *options(PublishSettings)]
    return tuple({option.name: option for option in reversed(rows)}.values())[::-1]


def _refuse_unknown(table: Mapping[str, object], origin: str) -> None:
    flags = {option.name: option.flag for option in _all_options()}
    known = [option.name for option in _all_options() if option.in_table]
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


def _from_text(option: Option, value: object, place: str) -> object:
    """Convert a flag or a variable, where text stands for booleans and numbers too."""
    if isinstance(value, str):
        if option.kind is bool and value.lower() in _TRUE | _FALSE:
            value = value.lower() in _TRUE
        elif option.kind is int and value.isascii() and value.lstrip("-").isdecimal():
            value = int(value)
    return _convert(option, value, place)


def _convert(option: Option, value: object, place: str) -> object:
    if option.many:
        items = value.split() if isinstance(value, str) else value
        if not isinstance(items, list | tuple):
            raise _wrong(place, value, "a list of strings")
        return tuple(_single(option, item, place) for item in items)
    return _single(option, value, place)


def _single(option: Option, value: object, place: str) -> object:
    if issubclass(option.kind, enum.StrEnum):
        return _choice(option, value, place)
    if option.kind is bool:
        if not isinstance(value, bool):
            raise _wrong(place, value, "true or false")
        return value
    if option.kind is int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise _wrong(place, value, "a whole number, 0 or more")
        return value
    if isinstance(value, os.PathLike) and option.kind is Path:
        return Path(value)
    if not isinstance(value, str) or not value.strip():
        raise _wrong(place, value, "a string that is not empty")
    return Path(value) if option.kind is Path else value


def _choice(option: Option, value: object, place: str) -> object:
    if value in option.choices:
        return option.kind(value)
    near = difflib.get_close_matches(str(value), option.choices, n=1)
    hint = f"did you mean `{near[0]}`?" if near else ""
    raise _wrong(place, value, f"one of {', '.join(option.choices)}", hint)


def _wrong(place: str, value: object, wanted: str, hint: str = "") -> UsageError:
    return UsageError(f"{place} must be {wanted}", found=repr(value), hint=hint)
