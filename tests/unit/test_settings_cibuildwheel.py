"""A project's settings for cibuildwheel: what each comes to for a target, and what is noted."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from cibuildwheel.selector import EnableGroup
from cibuildwheel.util.helpers import strtobool

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings import kinds
from aarch64_wheels.settings.cascade import cascade
from aarch64_wheels.settings.cibuildwheel import NAMES, Theirs, read_cibuildwheel
from aarch64_wheels.settings.schema import Option

KINDS = {
    "before-all": kinds.COMMAND,
    "before-build": kinds.COMMAND,
    "test-command": kinds.COMMAND,
    "environment": kinds.ENVIRONMENT,
    "config-settings": kinds.TABLE,
    "test-extras": kinds.COMMAS,
    "test-requires": kinds.QUOTED,
    "build": kinds.WORDS,
    "skip": kinds.WORDS,
    "enable": kinds.GROUPS,
    "manylinux-image": kinds.TEXT,
    "build-verbosity": kinds.LEVEL,
    "build-frontend": kinds.PARAMETERS,
    "dependency-versions": kinds.PARAMETERS,
    "repair-wheel-command": kinds.COMMAND,
    "audit-command": kinds.COMMAND,
    "audit-requires": kinds.QUOTED,
}


def theirs(text: str = "", **environ: str) -> Theirs:
    data = tomllib.loads(text).get("tool", {}).get("cibuildwheel", {})
    return read_cibuildwheel(data, "pyproject.toml", environ)


def value(found: Theirs, name: str, identifier: str = "cp313-manylinux_aarch64") -> Any:
    option = Option(field=name.replace("-", "_"), kind=KINDS[name])
    result = cascade(option, found.layers, identifier)
    return None if result is None else result.value


LAST = {
    "the table": ('[tool.cibuildwheel]\nbefore-all = "a"', {}, "a"),
    "linux": (
        '[tool.cibuildwheel]\nbefore-all = "a"\nlinux.before-all = "b"\nmacos.before-all = "c"',
        {},
        "b",
    ),
    "override": (
        (
            '[tool.cibuildwheel]\nlinux.before-all = "b"\n'
            '[[tool.cibuildwheel.overrides]]\nselect = "cp313-*"\nbefore-all = "o"\n'
            '[[tool.cibuildwheel.overrides]]\nselect = "cp314-*"\nbefore-all = "p"'
        ),
        {},
        "o",
    ),
    "variable": ('[tool.cibuildwheel]\nlinux.before-all = "b"', {"CIBW_BEFORE_ALL": "v"}, "v"),
    "variable for linux": (
        '[tool.cibuildwheel]\nbefore-all = "b"',
        {"CIBW_BEFORE_ALL": "v", "CIBW_BEFORE_ALL_LINUX": "w", "CIBW_BEFORE_ALL_MACOS": "x"},
        "w",
    ),
    "an empty variable": ('[tool.cibuildwheel]\nbefore-all = "b"', {"CIBW_BEFORE_ALL": ""}, ""),
    "a list": ('[tool.cibuildwheel]\nbefore-all = ["a", "b"]', {}, "a && b"),
    "nothing": ("", {}, None),
}


@pytest.mark.parametrize(("text", "environ", "expected"), LAST.values(), ids=LAST.keys())
def test_the_last_word_counts(text: str, environ: dict[str, str], expected: str | None) -> None:
    assert value(theirs(text, **environ), "before-all") == expected


INHERIT = """
[tool.cibuildwheel]
before-build = "a"
environment = {A = "1"}
config-settings = {x = "1", y = ["2", "3"]}
test-extras = ["t"]
[[tool.cibuildwheel.overrides]]
select = "*manylinux*"
inherit.before-build = "append"
inherit.environment = "prepend"
inherit.config-settings = "append"
inherit.test-extras = "append"
before-build = ["b", "c"]
environment = "B=2"
config-settings = "x=9 z=4"
test-extras = "u,v"
"""


@pytest.mark.parametrize(
    ("name", "expected", "elsewhere"),
    [
        ("before-build", "a && b && c", "a"),
        ("environment", 'B=2 A="1"', 'A="1"'),
        (
            "config-settings",
            (("x", ("9",)), ("y", ("2", "3")), ("z", ("4",))),
            (("x", ("1",)), ("y", ("2", "3"))),
        ),
        ("test-extras", ("t", "u", "v"), ("t",)),
    ],
)
def test_overrides_inherit(name: str, expected: object, elsewhere: object) -> None:
    found = theirs(INHERIT)
    assert value(found, name) == expected
    assert value(found, name, "cp313-musllinux_aarch64") == elsewhere


def test_variables_inherit_where_they_say_so() -> None:
    text = '[tool.cibuildwheel]\nbefore-build = "a"\nenable = ["pypy"]'
    variables = {"CIBW_BEFORE_BUILD": "v", "CIBW_BEFORE_BUILD_LINUX": "w", "CIBW_ENABLE": "graalpy"}
    rules = "before-build: prepend; before-build-linux"
    assert value(theirs(text, **variables), "before-build") == "w"
    assert value(theirs(text, **variables, CIBW_INHERIT=rules), "before-build") == "v && a && w"
    assert value(theirs(text, **variables), "enable") == ("pypy", "graalpy")


def test_an_empty_image_is_none() -> None:
    text = '[tool.cibuildwheel]\nmanylinux-aarch64-image = "manylinux_2_28"'
    found = theirs(text, CIBW_MANYLINUX_AARCH64_IMAGE="")
    assert value(found, "manylinux-image") == "manylinux_2_28"


@pytest.mark.parametrize("text", ["", "0", "1", "y", "YES", "True", "on", "no", "2", " 1"])
def test_whether_there_may_be_no_target_is_what_cibuildwheel_says(text: str) -> None:
    found = theirs(CIBW_ALLOW_EMPTY=text)
    assert (found.allow_empty, found.notes) == (strtobool(text), ())
    assert not theirs().allow_empty


def test_the_users_requires_python() -> None:
    found = theirs(CIBW_PROJECT_REQUIRES_PYTHON=">=3.11")
    assert (found.requires_python, found.notes) == (">=3.11", ())
    assert theirs(CIBW_PROJECT_REQUIRES_PYTHON="").requires_python == ""
    with pytest.raises(UsageError, match=r"\$CIBW_PROJECT_REQUIRES_PYTHON is not a version spec"):
        theirs(CIBW_PROJECT_REQUIRES_PYTHON="3.11")


UNKNOWN_GROUPS = {
    "table": ('[tool.cibuildwheel]\nenable = ["pypy", "pypi"]', {}, ("pypy",)),
    "text": ('[tool.cibuildwheel]\nlinux.enable = "pypi all"', {}, ("all",)),
    "variable": ('[tool.cibuildwheel]\nenable = "graalpy"', {"CIBW_ENABLE": "pypi"}, ("graalpy",)),
}


@pytest.mark.parametrize(
    ("text", "environ", "expected"), UNKNOWN_GROUPS.values(), ids=UNKNOWN_GROUPS.keys()
)
def test_an_unknown_group_is_noted_and_left_out(
    text: str, environ: dict[str, str], expected: tuple[str, ...]
) -> None:
    found = theirs(text, **environ)
    assert value(found, "enable") == expected
    (note,) = found.notes
    assert note.startswith("`pypi` of ")
    assert note.endswith(" is unknown and has no effect: did you mean `pypy`?")
    assert "`enable` in" in note or "$CIBW_ENABLE" in note


def test_every_group_of_cibuildwheel_is_known() -> None:
    assert set(kinds.ENABLE_GROUPS) == {*EnableGroup, "all"}
    assert theirs(f'[tool.cibuildwheel]\nenable = "{" ".join(EnableGroup)}"').notes == ()


NOTES = {
    "other machines": ('[tool.cibuildwheel]\narchs = ["x86_64"]', {}, ["`archs` in"]),
    "a slip": ('[tool.cibuildwheel]\nbefor-all = "a"', {}, ["did you mean `before-all`?"]),
    "for all": (
        '[[tool.cibuildwheel.overrides]]\nselect = "cp3*"\nskip = "x"',
        {},
        ["`skip` in override 1 in [tool.cibuildwheel] of pyproject.toml has no effect"],
    ),
    "a variable": ("", {"CIBW_BULID": "x"}, ["$CIBW_BULID is unknown", "`CIBW_BUILD`"]),
    "other platforms": (
        "[tool.cibuildwheel.macos]\nnobody = 1\n[tool.cibuildwheel.ios]\ntest-runtime = 2",
        {"CIBW_TEST_COMMAND_WINDOWS": "x", "CIBW_PLATFORM": "linux"},
        [],
    ),
    "other images": ('[tool.cibuildwheel]\nmanylinux-i686-image = "manylinux2014"', {}, []),
}


@pytest.mark.parametrize(("text", "environ", "words"), NOTES.values(), ids=NOTES.keys())
def test_what_has_no_effect_is_noted(text: str, environ: dict[str, str], words: list[str]) -> None:
    notes = "\n".join(theirs(text, **environ).notes)
    assert [word for word in words if word not in notes] == []
    assert bool(notes) is bool(words)


WRONG = {
    "linux": ("[tool.cibuildwheel]\nlinux = 1", "[tool.cibuildwheel.linux] of pyproject.toml"),
    "overrides": ("[tool.cibuildwheel]\noverrides = [1]", "`overrides` in"),
    "no select": ('[[tool.cibuildwheel.overrides]]\nskip = "x"', "has no `select`"),
    "select": ("[[tool.cibuildwheel.overrides]]\nselect = 1", "`select` in override 1"),
    "inherit": ("[tool.cibuildwheel]\ninherit = 1", "must be a string or a table"),
    "rule": ('[tool.cibuildwheel]\ninherit.before-all = "no"', "takes none, append, prepend"),
    "whose": ('[tool.cibuildwheel]\ninherit.befor = "append"', "names what is no option"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_understood_is_an_error(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        theirs(text)
    assert words in str(caught.value)


def test_a_value_of_another_kind_names_its_place() -> None:
    with pytest.raises(UsageError, match="`before-all` in ") as caught:
        value(theirs("[tool.cibuildwheel.linux]\nbefore-all = 1"), "before-all")
    assert "a command or a list of commands" in str(caught.value)


def test_what_cannot_be_joined_is_an_error() -> None:
    text = "[tool.cibuildwheel]\nbuild-verbosity = 1\nlinux.build-verbosity = 2\n"
    text += 'linux.inherit.build-verbosity = "append"'
    with pytest.raises(UsageError, match="cannot inherit"):
        value(theirs(text), "build-verbosity")


def test_all_names_are_told_apart() -> None:
    assert len(set(NAMES.values())) == len(NAMES)


BENEATH = {
    "repair": (
        "repair-wheel-command",
        "append",
        "auditwheel repair -w {dest_dir} {wheel} && v",
    ),
    "audit": ("audit-command", "prepend", "v && abi3audit --strict --report {abi3_wheel}"),
    "requires": ("audit-requires", "append", ("abi3audit", "v")),
    "build": ("build", "append", ("*", "v")),
    "nothing": ("before-all", "append", "v"),
}


@pytest.mark.parametrize(("name", "rule", "expected"), BENEATH.values(), ids=BENEATH.keys())
def test_the_first_value_inherits_from_the_default(name: str, rule: str, expected: object) -> None:
    text = f'[tool.cibuildwheel]\ninherit.{name} = "{rule}"\n{name} = "v"'
    assert value(theirs(text), name) == expected


def test_what_cannot_be_joined_is_an_error_where_it_comes_first() -> None:
    text = '[tool.cibuildwheel]\nbuild-verbosity = 1\ninherit.build-verbosity = "append"'
    with pytest.raises(UsageError, match="cannot inherit"):
        value(theirs(text), "build-verbosity")


def test_inherit_as_text_takes_several_names() -> None:
    variables = {"CIBW_BEFORE_ALL": "v", "CIBW_BEFORE_BUILD": "w"}
    text = '[tool.cibuildwheel]\nbefore-all = "a"\nbefore-build = "b"'
    found = theirs(text, **variables, CIBW_INHERIT="before-all before-build")
    assert (value(found, "before-all"), value(found, "before-build")) == ("a && v", "b && w")


@pytest.mark.parametrize("name", ["build-frontend", "dependency-versions", "build-verbosity"])
def test_an_empty_variable_is_the_default(name: str) -> None:
    """A workflow's matrix sets them to nothing where a job has no value of its own."""
    variable = "CIBW_" + name.upper().replace("-", "_")
    assert not value(theirs("", **{variable: ""}), name)
