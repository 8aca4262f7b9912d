"""The command's arguments: what is parsed, what `--help` says of it, and what is bad usage."""

from __future__ import annotations

import re

import pytest

from aarch64_wheels.arguments import make_parser
from aarch64_wheels.cli import main
from aarch64_wheels.settings.kinds import NUMBER, SWITCH
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.schema import BuildOptions, Option, options

pytestmark = pytest.mark.usefixtures("_own_signals")

COMMANDS = ["build", "plan", "audit", "image", "publish", "doctor"]
BUILDING = (*options(), *options(BuildOptions))
KINDS = {"build": BUILDING, "plan": BUILDING, "publish": options(PublishSettings)}
OPTIONS = [
    pytest.param(command, option, id=f"{command}-{option.name}")
    for command, rows in KINDS.items()
    for option in rows
]

SAMPLES = {NUMBER.wanted: "3"}


def _sample(option: Option) -> list[str]:
    """Some words that give this option a value."""
    value = option.choices[-1] if option.choices else SAMPLES.get(option.kind.wanted, "text")
    if not option.flag.startswith("-"):
        return [value, value] if option.many else [value]
    if option.kind is SWITCH:
        return [f"--{option.name}"]
    return [f"--{option.name}", value, value] if option.many else [f"--{option.name}", value]


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_every_setting_is_an_option(command: str, option: Option) -> None:
    parser = make_parser()
    not_given = parser.parse_args([command])
    assert getattr(not_given, option.field) in (None, [])
    words = _sample(option)
    value = getattr(parser.parse_args([command, *words]), option.field)
    expected: object = words[-2:] if option.many else words[-1]
    assert value == (True if option.kind is SWITCH else expected)


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_every_option_is_explained(
    command: str, option: Option, capsys: pytest.CaptureFixture[str]
) -> None:
    text = _help([command], capsys)
    entry = re.search(rf"^  {option.flag}\b.*(?:\n {{20,}}.*)*", text, re.MULTILINE)
    assert entry is not None
    assert len(entry[0].split()) > 4
    assert all(word in entry[0] for word in option.choices)


def _help(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_the_help_shows_commands_examples_and_exit_codes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = _help([], capsys)
    assert all(re.search(rf"^    {command}\b", text, re.MULTILINE) for command in COMMANDS)
    assert "aarch64-wheels build kiwisolver==1.4.7" in text
    codes = text.partition("exit codes:")[2]
    assert re.findall(r"\b\d\b", codes) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_help_has_examples_of_its_own(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = _help([command], capsys).partition("examples:")[2].strip().splitlines()
    assert examples
    assert all(f"aarch64-wheels {command}" in line for line in examples)


def test_the_image_commands_examples_name_both_actions(capsys: pytest.CaptureFixture[str]) -> None:
    text = _help(["image"], capsys)
    assert "aarch64-wheels image list" in text
    assert "aarch64-wheels image build debian" in text


def test_the_examples_are_good_usage(capsys: pytest.CaptureFixture[str]) -> None:
    examples = _help([], capsys).partition("examples:")[2].partition("exit codes:")[0]
    lines = [re.split(r" {2,}", line.strip())[0] for line in examples.strip().splitlines()]
    assert len(lines) >= 5
    for line in lines:
        program, *words = line.split()
        assert program == "aarch64-wheels"
        make_parser().parse_args(words)


WRONG = {
    "no-command": ([], "COMMAND"),
    "unknown-command": (["bild"], "'bild'"),
    "unknown-option": (["build", "--pyhton", "cp313"], "--pyhton"),
    "unknown-mode": (["build", "--mode", "quick"], "emulated"),
    "two-sources": (["build", "one", "two"], "two"),
    "json-and-matrix": (["plan", "--json", "--matrix"], "not allowed with"),
    "unknown-audit-engine": (["audit", "a.whl", "--run", "--engine", "none"], "none"),
    "unknown-image": (["image", "build", "ubuntu"], "debian"),
    "no-action": (["image"], "ACTION"),
    "unknown-way": (["publish", "--trusted-publishing", "perhaps"], "never"),
    "password": (["publish", "--password", "x"], "--password"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG.keys())
def test_bad_usage_ends_with_2_and_names_what_is_wrong(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_source_after_a_list_of_interpreters() -> None:
    words = ["build", "--python", "cp311", "cp313", "--", "kiwisolver==1.4.7"]
    arguments = make_parser().parse_args(words)
    assert (arguments.python, arguments.source) == (["cp311", "cp313"], "kiwisolver==1.4.7")


def test_a_commands_settings_are_those_of_the_schema() -> None:
    own = {"debug", "command", "dry_run", "verbose", "json", "matrix"}
    for command, rows in KINDS.items():
        given = set(vars(make_parser().parse_args([command]))) - own
        assert given == {option.field for option in rows}


def test_a_line_of_an_argument_is_no_line_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["plan", ".", "--nonsense", "a\n::error::pwned"])
    assert caught.value.code == 2
    assert not any(line.startswith("::") for line in capsys.readouterr().err.splitlines())
