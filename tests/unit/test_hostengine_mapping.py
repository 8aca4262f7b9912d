"""A container's paths in words of commands, in variables and lists: what is mapped, what stays."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aarch64_wheels.hostengine.mapping import Places
from tests.unit.strategies import thorough

ROOT = Path("/tmp/aarch64-wheels-x/build-y")
HERE = f"{ROOT}/aarch64-wheels"
THERE = f"{ROOT}/project"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/aarch64-wheels", HERE),
        ("/aarch64-wheels/project/a.c", f"{HERE}/project/a.c"),
        ("LIBS=/project/.libs:/project2", f"LIBS={THERE}/.libs:/project2"),
        ("-I/aarch64-wheels/a -L/aarch64-wheels/b", f"-I{HERE}/a -L{HERE}/b"),
        ("--prefix=/aarch64-wheels/a", f"--prefix={HERE}/a"),
        ("/aarch64-wheels/a/bin:/usr/bin:/aarch64-wheels/b", f"{HERE}/a/bin:/usr/bin:{HERE}/b"),
        ('[["/aarch64-wheels/built"], null]', f'[["{HERE}/built"], null]'),
        ('{"a":"/project/b"}', f'{{"a":"{THERE}/b"}}'),
        ("name @ file:///aarch64-wheels/project", f"name @ file://{HERE}/project"),
        ("name@git+file:///project", f"name@git+file://{THERE}"),
        ("cd '/aarch64-wheels/project';make", f"cd '{HERE}/project';make"),
        ("a;/project/b&/project/c|/project/d", f"a;{THERE}/b&{THERE}/c|{THERE}/d"),
        ("(/project/a </project/b >/project/c)", f"({THERE}/a <{THERE}/b >{THERE}/c)"),
        ("pip &&\n/project/a \\\n/project/b", f"pip &&\n{THERE}/a \\\n{THERE}/b"),
        ('$PATH:/project/bin:"$A":/project', f'$PATH:{THERE}/bin:"$A":{THERE}'),
        ("a:/project/bin user@host:x:/project", f"a:{THERE}/bin user@host:x:{THERE}"),
        ("/opt/python@3.13:/project/bin", f"/opt/python@3.13:{THERE}/bin"),
        ("sed s,/project/,, x", f"sed s,{THERE}/,, x"),
        ("-Wl,-rpath,/project/lib,-L/project", f"-Wl,-rpath,{THERE}/lib,-L{THERE}"),
        ("-isystem/project/include -include/project/a.h @/project/arguments", None),
        ("-I\"/project/a b\" '-L/project/c d'", None),
        ('`/project/version` "$(cat /project/version)"', None),
        ('sh -c "cat \\"/project/a\\""', None),
        ("A=''/project/a", None),
    ],
)
def test_a_path_that_begins_a_word_is_mapped(text: str, expected: str | None) -> None:
    assert Places(root=ROOT).text(text) == (expected or text.replace("/project", THERE))


@pytest.mark.parametrize(
    "text",
    [
        "/home/me/aarch64-wheels/venv/bin/python",
        "/aarch64-wheels-other/x",
        "/aarch64-wheels.txt",
        "https://example.org/aarch64-wheels/simple",
        "https://example.org:443/project/simple",
        "https://aarch64-wheels/simple",
        "aarch64-wheels/relative",
        "../project ./project",
        "~/aarch64-wheels/x ~me/project",
        'sh "$APP"/project/run.sh',
        'sh "${APP}"/project/run.sh ${APP}/project/run.sh $APP/project/run.sh',
        "/home/'me'/project '/a b'/project",
        "$(pwd)/project",
        "`pwd`/project",
        '"`pwd`"/project "$(pwd)"/project',
        "*/project ?/project [ab]/project {a,b}/project",
        "/opt/g++/project /opt/my-/project /opt/name(1)/project",
        "user@host:/project",
        'scp "$USER@$HOST:/project/a" ${A}@${B}:/project $(whoami)@host:/project .',
        f"{HERE}/project",
        "",
    ],
)
def test_other_paths_stay(text: str) -> None:
    assert Places(root=ROOT).text(text) == text


#: What of a text matters, and some that does not.
_PIECES = (
    *("/project", "/aarch64-wheels", "/x", " ", "\n", "=", ":", ";", "&", "|", "(", ")", "<", ","),
    *('"', "'", "`", "\\", "$A", "${B}", "$(c)", "-I", "-isystem", "@", "a@b", "file://", "*", "a"),
)
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=12).map("".join)


@thorough
@given(text=_TEXTS)
def test_nothing_else_changes_and_nothing_is_mapped_twice(text: str) -> None:
    places = Places(root=ROOT)
    mapped = places.text(text)
    assert mapped.replace(str(ROOT), "") == text
    assert places.text(mapped) == mapped


#: Beginnings of words, and whether a path right behind them is a whole one.
_BEGINNINGS = {
    **dict.fromkeys(("", "--a=", "-I", "-isystem", "b:", "-Wl,-rpath,", "file://", "@"), True),
    **dict.fromkeys(("a", "/opt/g++", "*", "..", "$HOME", "me@host:", "https://a", "é"), False),
}
_WORDS = st.lists(
    st.tuples(st.sampled_from(sorted(_BEGINNINGS)), st.sampled_from(("", "/a", "/a b", "/it's"))),
    min_size=1,
    max_size=5,
)


@thorough
@given(words=_WORDS, between=st.sampled_from((" ", "\n", "\t")))
def test_a_shell_sees_each_word_mapped(words: list[tuple[str, str]], between: str) -> None:
    text = between.join(shlex.quote(f"{start}/project{end}") for start, end in words)
    expected = [
        f"{start}{THERE if _BEGINNINGS[start] else '/project'}{end}" for start, end in words
    ]
    assert shlex.split(Places(root=ROOT).text(text)) == expected
