"""Options that hold a name and arguments, and what `build-frontend` comes to."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.frontend import Frontend, read_frontend
from aarch64_wheels.settings.kinds import PARAMETERS
from aarch64_wheels.settings.parameters import Parameters, parse

KEYS = ("args", "create_args")


def _as(name: str = "", **arguments: tuple[str, ...]) -> Parameters:
    return Parameters(name=name, arguments=arguments)


PARSED = {
    "nothing": ("", _as()),
    "name": ("docker", _as("docker")),
    "named": ("name: docker", _as("docker")),
    "arguments": ("docker; create_args: --cpus 2", _as("docker", create_args=("--cpus", "2"))),
    "kebab": ("docker; create-args: -m 1g", _as("docker", create_args=("-m", "1g"))),
    "no-blank": ("a;args:-x -y", _as("a", args=("-x", "-y"))),
    "quoted": ("a; args: '-x; y' \"b c\"", _as("a", args=("-x; y", "b c"))),
    "colon-in-a-value": ("a; args: -v /a:/b", _as("a", args=("-v", "/a:/b"))),
    "comment-sign": ("a; args: #x", _as("a", args=("#x",))),
    "a-key-twice": ("a; args: 1; args: 2", _as("a", args=("1", "2"))),
    "end-at-the-end": ("a; args: 1;", _as("a", args=("1",))),
    "no-name": ("args: 1", _as(args=("1",))),
}


@pytest.mark.parametrize(("text", "expected"), PARSED.values(), ids=PARSED.keys())
def test_parse(text: str, expected: Parameters) -> None:
    assert parse(text, "container-engine", KEYS) == expected


def test_words_of_a_key_that_is_not_there() -> None:
    assert parse("docker", "container-engine", KEYS).words("create_args") == ()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("a; argz: 1", "`container-engine` has no `argz`", id="key"),
        pytest.param("a; args: 'x", "`container-engine` cannot be read", id="quote"),
        pytest.param("a; args: x\\", "`container-engine` cannot be read", id="escape"),
    ],
)
def test_what_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        parse(text, "container-engine", KEYS)
    assert caught.value.hint


#: A quoted semicolon by itself is taken for an end, as by cibuildwheel: shlex tells no difference.
WORD = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
WORDS = st.lists(WORD.filter(lambda word: word != ";"))


@given(words=WORDS)
def test_a_table_says_what_its_text_says(words: list[str]) -> None:
    """What TOML gives as a list comes out as the same words, whatever they hold."""
    text = PARAMETERS.from_toml({"name": "build", "args": words})
    found = parse(text, "build-frontend", ("args",))
    assert found.words("args") == tuple(words)
    assert found.name == "build"


@given(text=st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        assert isinstance(read_frontend(text), Frontend)
    except UsageError as error:
        assert "build-frontend" in str(error)  # noqa: PT017 - either is right


def _front(*unused: str, isolated: bool = True, **settings: tuple[str, ...]) -> Frontend:
    return Frontend(is_isolated=isolated, settings=tuple(settings.items()), unused=unused)


FRONTENDS = {
    "nothing": ("", _front()),
    "default": ("default", _front()),
    "build": ("build", _front()),
    "build-with-uv": ("build[uv]", _front()),
    "pip": ("pip", _front()),
    "uv": ("uv", _front()),
    "no-isolation-of-build": ("build; args: --no-isolation", _front(isolated=False)),
    "short": ("build; args: -n", _front(isolated=False)),
    "short-together": ("build; args: -nx", _front(isolated=False)),
    "no-isolation-of-pip": ("pip; args: --no-build-isolation", _front(isolated=False)),
    "no-isolation-for-one": (
        "uv; args: --no-build-isolation-package x",
        _front("--no-build-isolation-package", "x"),
    ),
    "setting": ("build; args: -Ca=b", _front(a=("b",))),
    "setting-of-pip": ("pip; args: --config-settings=a=b=c", _front(a=("b=c",))),
    "setting-of-uv": ("uv; args: --config-setting a=b", _front(a=("b",))),
    "setting-twice": ("build; args: -Ca=1 -Cb=2 -Ca=3", _front(a=("1", "3"), b=("2",))),
    "setting-without-value": ("build; args: -Ca", _front(a=("",))),
    "quiet": ("build; args: --verbose -vv", _front()),
    "unused": ("build; args: --wheel -n", _front("--wheel", isolated=False)),
}


@pytest.mark.parametrize(("text", "expected"), FRONTENDS.values(), ids=FRONTENDS.keys())
def test_frontends(text: str, expected: Frontend) -> None:
    assert read_frontend(text) == expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("make", "`make` is no `build-frontend`", id="name"),
        pytest.param("pyodide-build", "`pyodide-build` is no `build-frontend`", id="of-pyodide"),
        pytest.param("build; args: -C", "cannot be read", id="lacks-a-value"),
        pytest.param("build; flags: -C", "has no `flags`", id="key"),
    ],
)
def test_frontends_that_are_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        read_frontend(text)


def test_a_table_of_a_frontend() -> None:
    text = PARAMETERS.from_toml({"name": "build", "args": ["--no-isolation", "-Ca=b c"]})
    assert read_frontend(text) == _front(isolated=False, a=("b c",))
    assert shlex.quote("-Ca=b c") in text
