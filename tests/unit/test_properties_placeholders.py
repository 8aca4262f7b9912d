"""Placeholders and variables: what cibuildwheel makes of a command, and what real shells do."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

import pytest
from cibuildwheel.environment import parse_environment
from cibuildwheel.util.helpers import prepare_command
from hypothesis import given
from hypothesis import strategies as st

from aarch64_wheels.errors import StageError
from aarch64_wheels.settings import kinds
from aarch64_wheels.stages.placeholders import fill
from aarch64_wheels.stages.variables import evaluate
from tests.unit.strategies import slow, thorough

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.engine.api import Session

NAMES = ("project", "package", "wheel", "dest_dir")
PIECES = (
    *("{project}", "{wheel}", "{dest_dir}", "#{wheel}", "##{wheel}", "{{wheel}}", "{other}", "{"),
    *("}", "#", "$", "${HOME}", "{a,b}", "{}", "pytest", " ", "/tests", "'", '"', "\\", "\n", "é"),
)
COMMANDS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.text(max_size=9)
)
PLAIN = st.text("abcXYZ019_-./+,:@%", min_size=1, max_size=9)
#: What a path can be: anything but NUL, which no program's argument can hold.
VALUE = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)


@thorough
@given(command=COMMANDS, values=st.fixed_dictionaries(dict.fromkeys(NAMES, PLAIN)))
def test_plain_values_are_filled_as_cibuildwheel_does(command: str, values: dict[str, str]) -> None:
    assert fill(command, **values) == prepare_command(command, **values)


@slow
@given(value=VALUE, other=VALUE)
def test_a_shell_sees_exactly_the_value(value: str, other: str) -> None:
    command = fill("printf '%s|%s|%s' {wheel} x{project}/y '#'", wheel=value, project=other)
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    assert done.stdout.decode() == f"{value}|x{other}/y|#"


@thorough
@given(command=COMMANDS, value=VALUE)
def test_nothing_else_of_a_command_changes(command: str, value: str) -> None:
    parts = re.split(r"(#?\{wheel\})", command)
    filled = fill(command, wheel=value)
    quoted = fill("{wheel}", wheel=value)
    known = {"{wheel}": quoted, "#{wheel}": "{wheel}"}
    assert filled == "".join(known.get(part, part) for part in parts)


class HostSession:
    """A session whose commands run on this host."""

    def capture(
        self, argv: list[str], *, sink: object, env: Mapping[str, str], cwd: PurePosixPath
    ) -> str:
        del sink
        done = subprocess.run(argv, env=dict(env), cwd=cwd, capture_output=True, check=True)
        return done.stdout.decode()


ASSIGNED = st.sampled_from(
    (
        *("1", "'a b'", '"x y"', '"$A-$B"', "$A", '"${B}"', "a\\ b", "'$A'", '"$(echo 1)"', "-O2"),
        *("'semi;colon'", '"#"', "é", "'a\"b'", '"it\'s"', '"$NOBODY"', '"$(printf 2)$A"'),
    )
)
ROWS = st.lists(st.tuples(st.sampled_from("ABCD"), ASSIGNED), max_size=4)


@slow
@given(rows=ROWS)
def test_variables_are_what_cibuildwheel_makes_of_them(
    rows: list[tuple[str, str]], tmp_path: Path
) -> None:
    text = " ".join(f"{name}={value}" for name, value in rows)
    base = {"PATH": os.environ["PATH"], "A": "first", "LC_ALL": "C.UTF-8"}
    session = cast("Session", HostSession())
    found = evaluate(session, text, base, PurePosixPath(tmp_path), lambda _line: None)
    assert found == parse_environment(text).as_dictionary(base)


@slow
@given(
    table=st.dictionaries(
        st.sampled_from("ABC"), st.sampled_from(("1", "$A x", "a  b", "", "'q'")), max_size=3
    )
)
def test_a_table_is_its_assignments(table: dict[str, str], tmp_path: Path) -> None:
    text = kinds.ENVIRONMENT.from_toml(table)
    base = {"PATH": os.environ["PATH"]}
    session = cast("Session", HostSession())
    found = evaluate(session, text, base, PurePosixPath(tmp_path), lambda _line: None)
    assert found == parse_environment(text).as_dictionary(base)


@pytest.mark.parametrize("text", ["A='", 'A="$(false)"', "1A=x"])
def test_what_bash_refuses_cannot_be_evaluated(text: str, tmp_path: Path) -> None:
    base = {"PATH": os.environ["PATH"]}
    session = cast("Session", HostSession())
    with pytest.raises((StageError, subprocess.CalledProcessError)):
        evaluate(session, text, base, PurePosixPath(tmp_path), lambda _line: None)
