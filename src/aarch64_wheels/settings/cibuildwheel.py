"""A project's settings for cibuildwheel, as layers of ours: its table, and `CIBW_*` variables.

Rules: https://cibuildwheel.pypa.io/en/stable/configuration/ and options/. What is for other
platforms is passed over; what is for this one and means nothing here is named in a note.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.cascade import Layer, Rule, read_inherit
from aarch64_wheels.settings.kinds import ENABLE_GROUPS, WORDS
from aarch64_wheels.text import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

TABLE = "tool.cibuildwheel"
PLATFORM = "linux"
_OTHER_PLATFORMS = ("macos", "windows", "android", "ios", "pyodide")
#: The machines whose images a project may name besides.
_OTHER_MACHINES = ("x86_64", "i686", "ppc64le", "s390x", "armv7l", "riscv64")

#: Its options that mean something here, with our names for them.
NAMES = {
    **{
        name: name
        for name in (
            *("build", "skip", "enable", "test-skip", "before-all", "before-build"),
            *("environment", "environment-pass", "config-settings", "build-frontend"),
            *("build-verbosity", "repair-wheel-command", "audit-requires", "audit-command"),
            *("before-test", "test-command", "test-sources", "test-requires", "test-extras"),
            *("test-groups", "test-environment", "dependency-versions", "container-engine"),
        )
    },
    "manylinux-aarch64-image": "manylinux-image",
    "manylinux-pypy_aarch64-image": "manylinux-pypy-image",
    "musllinux-aarch64-image": "musllinux-image",
}
#: Those that mean nothing here, with the reason.
NOT_APPLICABLE = {
    "archs": "this builds for aarch64, whatever else is listed",
    "xbuild-tools": "it is about cross-builds for iOS and Android",
    "xbuild-files": "it is about cross-builds for iOS and Android",
    "test-runtime": "it is about simulators of iOS and Android",
    "pyodide-version": "it is about Pyodide",
}
#: Images of other machines, which say nothing about this one.
_PASSED_OVER = frozenset(
    f"{libc}-{kind}{machine}-image"
    for libc in ("manylinux", "musllinux")
    for kind in ("", "pypy_")
    for machine in _OTHER_MACHINES
)
_KNOWN = (*NAMES, *NOT_APPLICABLE, *_PASSED_OVER)
#: Options that are the same for all targets.
_GLOBAL = frozenset({"build", "skip", "enable", "test-skip", "archs"})
#: Of these an empty value is no value.
_SKIP_EMPTY = frozenset({"manylinux-image", "manylinux-pypy-image", "musllinux-image"})

#: Its defaults (`defaults.toml`), where inheriting from one is another thing than having it.
_DEFAULTS = {
    "build": "*",
    "repair-wheel-command": "auditwheel repair -w {dest_dir} {wheel}",
    "audit-requires": "abi3audit",
    "audit-command": "abi3audit --strict --report {abi3_wheel}",
}

#: How the variables that set it begin.
PREFIX = "CIBW_"
#: Variables that have no form for one platform.
_WITHOUT_PLATFORM = frozenset({"build", "skip", "enable", "test-skip", "build-frontend"})
#: Variables that are no options, and so stand in no table: these two count here, too.
REQUIRES_PYTHON = f"{PREFIX}PROJECT_REQUIRES_PYTHON"
ALLOW_EMPTY = f"{PREFIX}ALLOW_EMPTY"
_OTHER_VARIABLES = frozenset(
    {
        *(REQUIRES_PYTHON, ALLOW_EMPTY, f"{PREFIX}INHERIT"),
        *(f"{PREFIX}{name}" for name in ("PLATFORM", "CACHE_PATH", "DEBUG_TRACEBACK")),
        f"{PREFIX}CONFIG_FILE",
    }
)
#: What it takes for yes; all else is no (its `strtobool`).
_YES = frozenset({"y", "yes", "t", "true", "on", "1"})


@dataclass(frozen=True, kw_only=True)
class Theirs:
    """What a project has set for cibuildwheel.

    Attributes:
        layers: of values by our names, the weakest first.
        notes: what of it means nothing here, one line each.
        requires_python: goes over the project's own, unless empty.
        allow_empty: to have no target is no error.
    """

    layers: tuple[Layer, ...] = ()
    notes: tuple[str, ...] = ()
    requires_python: str = ""
    allow_empty: bool = False

    def without(self, names: Collection[str]) -> Theirs:
        """Leave options out of the project's files, naming them; variables are the user's."""
        notes = [
            f"{layer.place_of_name(name)} has no effect: a project may not choose it here"
            for layer in self.layers
            for name in names
            if not layer.text and name in layer.values
        ]
        rows = tuple(row if row.text else row.without(names) for row in self.layers)
        return replace(self, layers=rows, notes=(*self.notes, *dict.fromkeys(notes)))

    @property
    def is_there(self) -> bool:
        """Tell whether it has set anything at all."""
        return any(layer.values for layer in self.layers)


def read_cibuildwheel(
    table: Mapping[str, object], origin: str, environ: Mapping[str, str]
) -> Theirs:
    """Read `[tool.cibuildwheel]`, its `linux` table, its overrides, and its variables.

    Args:
        table: the content of `[tool.cibuildwheel]`.
        origin: the file it stands in.
        environ: the process's environment.

    Raises:
        UsageError: what cannot be understood: a table that is none, a rule of `inherit`.
    """
    found = [*_table_layers(table, origin), *_variable_layers(environ)]
    notes = [note for layer in found for note in _notes(layer)]
    notes += _unknown_variables(environ)
    return Theirs(
        layers=tuple(_translated(layer) for layer in found),
        notes=tuple(dict.fromkeys(notes)),
        requires_python=_requires_python(environ),
        allow_empty=environ.get(ALLOW_EMPTY, "").lower() in _YES,
    )


def _requires_python(environ: Mapping[str, str]) -> str:
    """Read the variable that goes over the project's `requires-python`; empty is not set."""
    text = environ.get(REQUIRES_PYTHON, "")
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        what = f"${REQUIRES_PYTHON} is not a version specifier (PEP 440)"
        raise UsageError(what, found=shown(text), hint="it is one such as `>=3.10`") from None
    return text


def _table_layers(table: Mapping[str, object], origin: str) -> Iterator[Layer]:
    """Give the table's layers, by cibuildwheel's own names."""
    for place, values in (
        (f"[{TABLE}] of {origin}", table),
        (f"[{TABLE}.{PLATFORM}] of {origin}", table.get(PLATFORM, {})),
    ):
        if not isinstance(values, dict):
            raise UsageError(f"{place} is not a table", found=shown(values))
        yield _layer(values, place)
    rows = table.get("overrides", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"`overrides` in [{TABLE}] of {origin} must be tables", found=shown(rows))
    for number, row in enumerate(rows, start=1):
        yield _override(row, f"override {number} in [{TABLE}] of {origin}")


def _layer(values: Mapping[str, object], place: str) -> Layer:
    about = ("overrides", "select", "inherit", PLATFORM, *_OTHER_PLATFORMS)
    return Layer(
        values={name: value for name, value in values.items() if name not in about},
        place=f"`{{}}` in {place}",
        inherit=read_inherit(values.get("inherit"), _KNOWN, place),
    )


def _override(row: Mapping[str, object], place: str) -> Layer:
    if not row.get("select"):
        raise UsageError(f"{place} has no `select`", hint='give it one: `select = "cp3*"`')
    select = WORDS.read(row["select"], f"`select` in {place}", text=False)
    return replace(_layer(row, place), select=select)


def _variable_layers(environ: Mapping[str, str]) -> Iterator[Layer]:
    """Give a layer for `CIBW_BEFORE_ALL` and its like, and one for `CIBW_BEFORE_ALL_LINUX`."""
    place = f"${PREFIX}INHERIT"
    suffixed = (*_KNOWN, *(f"{name}-{PLATFORM}" for name in _KNOWN))
    rules = read_inherit(environ.get(place[1:]) or None, suffixed, place)
    for suffix in ("", f"-{PLATFORM}"):
        variables = {name: _variable(name + suffix) for name in _KNOWN if not _is_odd(name, suffix)}
        yield Layer(
            values={
                name: environ[variable].strip()
                for name, variable in variables.items()
                if variable in environ
            },
            place="${}",
            names=variables,
            text=True,
            inherit={name: rules.get(name + suffix, _rule(name)) for name in variables},
        )


def _variable(name: str) -> str:
    return PREFIX + name.upper().replace("-", "_")


def _is_odd(name: str, suffix: str) -> bool:
    return bool(suffix) and name in _WITHOUT_PLATFORM


def _rule(name: str) -> Rule:
    """Give the rule of a variable: groups are enabled besides those of the table."""
    return Rule.APPEND if name == "enable" else Rule.NONE


def _notes(layer: Layer) -> Iterator[str]:
    """Name what stands in a layer and means nothing here."""
    for name in layer.values:
        place = layer.place.replace("{}", layer.names.get(name, name))
        if name in NOT_APPLICABLE:
            yield f"{place} has no effect: {NOT_APPLICABLE[name]}"
        elif name not in _KNOWN:
            yield f"{place} is unknown and has no effect{_near(name, _KNOWN)}"
        elif layer.select is not None and name in _GLOBAL:
            yield f"{place} has no effect: it is the same for all targets"
        elif name == "enable":
            for group in _unknown_groups(layer):
                near = _near(group, ENABLE_GROUPS)
                yield f"`{group}` of {place} is unknown and has no effect{near}"


def _unknown_groups(layer: Layer) -> list[str]:
    """List the words of `enable` that mean nothing (any more)."""
    return [word for word in _enabled(layer) if word not in ENABLE_GROUPS]


def _enabled(layer: Layer) -> tuple[str, ...]:
    """Give the words of `enable`; none of what is no words, which is found out where it is read."""
    try:
        words: tuple[str, ...] = WORDS.read(layer.values.get("enable", ""), "", text=layer.text)
    except UsageError:
        return ()
    return words


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    platforms = ("", f"-{PLATFORM}", *(f"-{name}" for name in _OTHER_PLATFORMS))
    known = {_variable(name + suffix) for name in _KNOWN for suffix in platforms}
    known |= _OTHER_VARIABLES
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            yield f"${name} is unknown and has no effect{_near(name, sorted(known))}"


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f": did you mean `{near[0]}`?" if near else ""


def _translated(layer: Layer) -> Layer:
    """Call the options by our names, and remember theirs for the places."""
    shown = {ours: layer.names.get(theirs, theirs) for theirs, ours in NAMES.items()}
    usable = [name for name in NAMES if layer.select is None or name not in _GLOBAL]
    values = {NAMES[name]: layer.values[name] for name in usable if name in layer.values}
    if _unknown_groups(layer) and "enable" in values:
        values["enable"] = [word for word in _enabled(layer) if word in ENABLE_GROUPS]
    return replace(
        layer,
        values=values,
        names=shown,
        inherit={NAMES[name]: layer.inherit[name] for name in usable if name in layer.inherit},
        skip_empty=_SKIP_EMPTY,
        beneath=_DEFAULTS,
    )
