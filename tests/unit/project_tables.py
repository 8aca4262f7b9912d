"""Tables of settings for cibuildwheel, as strategies: every option that means something here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.unit.strategies import globs, lists_or_text

_WORDS = st.sampled_from(("a", "b-c", "d==1.2", "e[f]>=2", "g"))
_NAMES = st.sampled_from(("CC", "LANG", "A_1", "NOBODY"))
_COMMANDS = st.sampled_from(("make", "echo {project}", "x '1 2' && y", "", "pip install {wheel}"))
_ODD_WORDS = st.sampled_from(("a b", "c'd", 'e"f', "$g", "h\\i", "j"))
_QUOTED = st.one_of(lists_or_text(_WORDS), st.lists(_ODD_WORDS, max_size=3))
_ASSIGNMENTS = st.one_of(
    st.sampled_from(("", "A=1", 'A=1 B="$A 2"', "C='x y' A=2", 'D="$(echo 1)"')),
    st.dictionaries(_NAMES, st.sampled_from(("1", "$CC -O2", "x y", "", True, 7)), max_size=2),
)
_KEYS = st.sampled_from(("x", "build-dir", "setup-args"))
_PAIRS = st.one_of(
    st.sampled_from(("", "x=1", "setup-args=-Da=b setup-args='c d'", "x= y=2")),
    st.dictionaries(_KEYS, st.one_of(_ODD_WORDS, st.lists(_ODD_WORDS, max_size=2)), max_size=2),
)

#: What each option may be set to.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("build", "skip", "test-skip"), lists_or_text(globs)),
    "enable": lists_or_text(st.sampled_from(("pypy", "graalpy", "cpython-prerelease", "all"))),
    **dict.fromkeys(
        ("before-all", "before-build", "before-test", "test-command", "audit-command"),
        st.one_of(_COMMANDS, st.lists(_COMMANDS, max_size=3)),
    ),
    "repair-wheel-command": st.one_of(
        _COMMANDS.filter(bool), st.lists(_COMMANDS.filter(bool), min_size=1, max_size=2)
    ),
    **dict.fromkeys(("environment", "test-environment"), _ASSIGNMENTS),
    "environment-pass": lists_or_text(_NAMES),
    "config-settings": _PAIRS,
    **dict.fromkeys(("test-sources", "test-requires", "audit-requires"), _QUOTED),
    "test-extras": st.one_of(
        st.lists(st.sampled_from(("t", "u")), max_size=2), st.sampled_from(("", "t,u", "t, u"))
    ),
    "test-groups": lists_or_text(st.sampled_from(("dev", "docs"))),
    "build-verbosity": st.one_of(st.integers(-9, 9), st.sampled_from(("1", "-2", "", "+3"))),
    "build-frontend": st.sampled_from(
        ("pip", "build; args: -n -v", "", "default", "build[uv]", {"name": "uv", "args": ["a b"]})
    ),
    "dependency-versions": st.sampled_from(
        ("pinned", "latest", "packages: a b==1", {"packages": ["a", "b==1"]})
    ),
    "container-engine": st.sampled_from(
        (
            *("docker", "podman; create_args: --cpus 2 -e 'A=b c'", "docker; create-args: x"),
            {"name": "podman", "create-args": ["-e", "A=b c"], "disable-host-mount": True},
        )
    ),
    **dict.fromkeys(
        ("manylinux-aarch64-image", "manylinux-pypy_aarch64-image"),
        st.sampled_from(("manylinux2014", "manylinux_2_34", "", "registry.example/a:1")),
    ),
    "musllinux-aarch64-image": st.sampled_from(("musllinux_1_2", "", "registry.example/musl:2")),
}
GLOBAL = ("build", "skip", "test-skip", "enable")
#: Options that a value can be joined with.
MERGED = tuple(
    name
    for name in VALUES
    if not name.endswith("-image")
    and name not in ("build-verbosity", "build-frontend", "dependency-versions", "container-engine")
)
#: Of the host, for `environment-pass`.
HOST = {"CC": "clang", "LANG": "C.UTF-8"}


@dataclass(frozen=True, kw_only=True)
class Project:
    """What a project has set: `[tool.cibuildwheel]` and variables."""

    table: dict[str, Any]
    environ: dict[str, str]

    def document(self) -> str:
        """Write pyproject.toml."""
        groups: dict[str, list[str]] = {"dev": [], "docs": []}
        return toml_rows({"dependency-groups": groups, "tool": {"cibuildwheel": self.table}})


def toml_rows(values: dict[str, Any]) -> str:
    """Write keys and values of TOML, a line for each."""
    return "".join(f"{json.dumps(key)} = {_toml(value)}\n" for key, value in values.items())


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {_toml(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _rules(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    rules = st.sampled_from(("append", "prepend", "none"))
    return st.dictionaries(st.sampled_from(names), rules, max_size=4)


@st.composite
def _tables(draw: st.DrawFn, names: tuple[str, ...]) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(names), max_size=6, unique=True))
    values = {name: draw(VALUES[name]) for name in chosen}
    rules = draw(_rules(tuple(name for name in names if name in MERGED)))
    text = "; ".join(f"{name}: {rule}" for name, rule in rules.items())
    return {**values, "inherit": draw(st.sampled_from((rules, text)))} if rules else values


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """Give a project whose settings cibuildwheel can read."""
    for_targets = tuple(name for name in VALUES if name not in GLOBAL)
    # cibuildwheel allows `dependency-versions` everywhere but in the table of the platform.
    for_linux = tuple(name for name in VALUES if name != "dependency-versions")
    table = draw(_tables(tuple(VALUES)))
    if draw(st.booleans()):
        table["linux"] = draw(_tables(for_linux))
    rows = draw(st.lists(_tables(for_targets), max_size=2))
    if rows:
        table["overrides"] = [{"select": draw(globs), **row} for row in rows]
    return Project(table=table, environ=draw(_variables()))


@st.composite
def _variables(draw: st.DrawFn) -> dict[str, str]:
    names = st.sampled_from(tuple(VALUES))
    found = dict(HOST)
    for name in draw(st.lists(names, max_size=3, unique=True)):
        suffix = draw(st.sampled_from(("", "_LINUX", "_MACOS")))
        value = draw(VALUES[name].filter(lambda one: isinstance(one, str | int)))
        found["CIBW_" + name.upper().replace("-", "_") + suffix] = str(value)
    suffixed = tuple(name + end for name in MERGED for end in ("", "-linux"))
    rules = draw(_rules(suffixed))
    if rules:
        found["CIBW_INHERIT"] = "; ".join(f"{name}: {rule}" for name, rule in rules.items())
    return found
