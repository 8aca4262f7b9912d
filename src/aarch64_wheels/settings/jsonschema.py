"""The JSON schema of files with `[tool.aarch64-wheels]`, for editors and validators. Pure."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aarch64_wheels.audit.catalogue import OFF, checks
from aarch64_wheels.audit.model import Level
from aarch64_wheels.settings import kinds
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.schema import BuildOptions, Option, Settings
from aarch64_wheels.settings.tables import PLACES, RECEIVERS, TABLE, all_options
from aarch64_wheels.settings.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIALECT = "http://json-schema.org/draft-07/schema#"
#: A name and no address: the schema is part of the release.
_ID = "urn:aarch64-wheels:settings"
#: Where the schema of the table alone stands in that of the file (RFC 6901).
POINTER = "/properties/tool/properties/aarch64-wheels"


def file_schema() -> dict[str, object]:
    """Give the schema of a TOML file with the table, as JSON has it; other tables may be any.

    Editors apply a schema to a whole file; what checks one table takes the part at `POINTER`.
    """
    tool = {"type": "object", "properties": {TABLE.partition(".")[2]: _table_schema()}}
    return {
        "$schema": _DIALECT,
        "$id": _ID,
        "type": "object",
        "properties": {TABLE.partition(".")[0]: tool},
    }


def _table_schema() -> dict[str, object]:
    rows = [option for option in all_options() if option.in_table]
    return {
        "title": f"[{TABLE}]",
        "description": "How aarch64-wheels builds, tests and publishes wheels.",
        "type": "object",
        "additionalProperties": False,
        "properties": {option.name: _property(option) for option in rows},
    }


def default_of(option: Option) -> object:
    """Give an option's default as TOML has it; None if there is none that can be written."""
    default = _defaults()[option.field].default
    if isinstance(default, Path):
        return str(default)
    is_empty = default in (MISSING, None, "", ()) or option.field == "cache_dir"
    if is_empty:
        return None
    return list(default) if isinstance(default, tuple) else default


def limit_of(option: Option) -> str:
    """Say what of an option does not hold in a project's own file; empty for most."""
    if option.name in RECEIVERS:
        return "Only in a file that is named with --config-file."
    if option.name in PLACES:
        return "Within the working directory, unless in a file that is named with --config-file."
    return ""


def sentence(text: str) -> str:
    """Make a sentence of a text for `--help`; a word with `(default)` behind it is a name."""
    is_name = text.partition(" ")[2].startswith("(default)")
    return text + "." if is_name else f"{text[0].upper()}{text[1:]}."


def _property(option: Option) -> dict[str, object]:
    words = f"{sentence(TEXTS[option.field])} {limit_of(option)}".rstrip()
    default = default_of(option)
    schema: Mapping[str, Any] = option.kind.schema
    if option.kind in (kinds.TEXT, kinds.PATH):
        schema = {**schema, "minLength": 1}
    if option.kind is kinds.LEVELS:
        *texts, _ = schema["anyOf"]
        schema = {"anyOf": [*texts, _levels_schema()]}
    return {"description": words, **schema, **({} if default is None else {"default": default})}


def _levels_schema() -> dict[str, object]:
    """Give the schema of a table with a level for each of the audit's checks."""
    level = {"enum": [*map(str, Level), OFF]}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": dict.fromkeys(checks(), level),
    }


def _defaults() -> dict[str, Field[Any]]:
    classes = (PublishSettings, BuildOptions, Settings)
    return {item.name: item for kind in classes for item in fields(kind)}
