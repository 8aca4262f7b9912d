"""The reference of all settings in Markdown, made from the schema. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from aarch64_wheels.settings.cibuildwheel import NAMES
from aarch64_wheels.settings.examples import EXAMPLES
from aarch64_wheels.settings.jsonschema import default_of, limit_of, sentence
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.schema import BuildOptions, Option, Settings, options
from aarch64_wheels.settings.tables import TABLE
from aarch64_wheels.settings.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEAD = """\
# Settings

<!-- Made from the schema by `make docs`. -->

A setting is looked for in this order, and the first place that has it counts:

1. the flag of the command, or the input of the Action, both of the setting's name;
2. the environment variable `AARCH64_WHEELS_…`; an empty one says nothing;
3. the key in `[tool.aarch64-wheels]`, in the source's `pyproject.toml` or in the file that
   `--config-file` names;
4. what the project has set for cibuildwheel: `CIBW_…` variables, then `[tool.cibuildwheel]` with
   its overrides ([what is read](coming-from-cibuildwheel.md));
5. the default.

`aarch64-wheels plan` shows each value that is not the default, and where it comes from;
`plan --json` shows all.

In flags, inputs and variables a value is text: lists are words with blanks between them, or with
commas where it says so; truth values are `true` or `false`; tables are `key=value` words. A flag
that takes a list takes its words as they are: `--python cp311 cp313`.

[aarch64-wheels.schema.json](aarch64-wheels.schema.json) is the JSON schema of a TOML file with this
table. Editors that know Taplo's directive find it by a file's first line, `#:schema PATH`; and
`validate-pyproject --tool 'aarch64-wheels=PATH#/properties/tool/properties/aarch64-wheels'` checks
a `pyproject.toml`.
"""
_PROJECT = """\
As cibuildwheel's options of the same names, in their forms. Overrides for cibuildwheel may give
each target a value of its own. [Coming from cibuildwheel](coming-from-cibuildwheel.md) says where
and when commands run, and what their placeholders mean."""
_SECTIONS = (
    ("The build", "One value for all targets.", Settings),
    ("What a project wants", _PROJECT, BuildOptions),
    ("Publishing", "See [publishing.md](publishing.md).", PublishSettings),
)
#: Defaults that are found out and not written down.
_FOUND = {
    "python": "what the source and the image have in common",
    "cache_dir": "the user's cache",
    "config_file": "the source's `pyproject.toml`",
    "dists": "the output directory",
    "tag": "that of the CI job",
    "index_url": "found by itself",
    "trust_config": "the public Sigstore",
    "repair_wheel_command": "auditwheel, to the image's policy",
    "test_image": "the image that wheels are built in",
}
#: What each of our names is called there.
_THEIRS = {ours: theirs for theirs, ours in NAMES.items() if theirs != "build"}


def render_reference() -> str:
    """Give the whole page."""
    shown: set[str] = set()
    parts = [_HEAD]
    for title, text, kind in _SECTIONS:
        rows = [option for option in options(kind) if option.name not in shown]
        shown.update(option.name for option in rows)
        parts += [f"## {title}\n", f"{text}\n", f"{_links(rows)}\n", *map(_entry, rows)]
    return "\n".join(parts)


def _links(rows: Iterable[Option]) -> str:
    return " ·\n".join(f"[{option.name}](#{option.name})" for option in rows)


def _entry(option: Option) -> str:
    text = f"{_prose(TEXTS[option.field])} {limit_of(option)}".rstrip()
    lines = [f"### `{option.name}`", "", text, "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in _facts(option)]
    if option.name in EXAMPLES:
        lines += ["", "```toml", *_examples(EXAMPLES[option.name]), "```"]
    return "\n".join([*lines, ""])


def _facts(option: Option) -> Iterator[tuple[str, str]]:
    yield "takes", option.kind.wanted
    yield "default", _default(option)
    yield "commands", " ".join(_commands(option))
    yield "flag, input", f"`{option.flag}`, `{option.name}`"
    yield "variable", f"`{option.env}`"
    if option.in_table:
        yield "key", f"`{option.name}` in `[{TABLE}]`"
    if theirs := _theirs(option):
        yield "cibuildwheel", theirs


def _default(option: Option) -> str:
    if option.field in _FOUND:
        return _FOUND[option.field]
    default = default_of(option)
    return "none" if default is None else f"`{json.dumps(default)}`"


def _commands(option: Option) -> Iterator[str]:
    audit = " `audit`" if option.field == "audit_levels" else ""
    for kinds, names in (
        ((Settings, BuildOptions), f"`build` `plan`{audit}"),
        ((PublishSettings,), "`publish`"),
    ):
        if any(option.name == other.name for kind in kinds for other in options(kind)):
            yield names


def _theirs(option: Option) -> str:
    if option.field == "python":
        return "goes before `build`, `CIBW_BUILD`"
    name = _THEIRS.get(option.name)
    return f"`{name}`, `CIBW_{name.upper().replace('-', '_')}`" if name else ""


def _examples(rows: Iterable[str]) -> list[str]:
    """Give examples, of which all but the first are other ways."""
    first, *others = rows
    return [first, *(f"# or: {row}" for row in others)]


def _prose(text: str) -> str:
    """Make a sentence of a text for `--help`, with what is quoted there as code."""
    return sentence(re.sub(r"(?<!\w)'([^']+)'(?!\w)", r"`\1`", text))
