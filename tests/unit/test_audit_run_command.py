"""`audit --run` as far as it goes without an engine; the rest is in the integration tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit.run.container import Place
from aarch64_wheels.audit.run.extensions import read_importable
from aarch64_wheels.audit.run.tried import Refusals
from aarch64_wheels.commands.audit_run import RunOptions, run_imports
from aarch64_wheels.errors import CommandError, StageError, UnfitError, UsageError
from aarch64_wheels.settings.schema import EngineName
from tests.unit.audit_samples import EXTENSION, elf, write_wheel
from tests.unit.fake_session import FakeSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aarch64_wheels.errors import AarchWheelsError

NAME = "fast-1.0-cp{0}-cp{0}-{1}.whl"


@pytest.mark.parametrize(
    ("python", "platform", "hint"),
    [
        ("312", "manylinux_2_17_aarch64", "next: use --image manylinux2014"),
        ("313", "musllinux_1_2_aarch64", "next: use --image musllinux_1_2"),
        ("38", "manylinux_2_17_aarch64", "next: no image"),
    ],
)
def test_not_tried_and_no_engine_asked(
    tmp_path: Path, said: list[str], python: str, platform: str, hint: str
) -> None:
    wheel = write_wheel(tmp_path, NAME.format(python, platform), {"fast.so": elf()})
    options = RunOptions(cache_dir=tmp_path, environ={})
    tried = run_imports([wheel], options, said.append)
    assert tried.untried == {wheel}
    assert (tried.findings, tried.unfit) == ({wheel: ()}, None)
    (text,) = said
    assert text.startswith("not run: ")
    assert wheel.name in text
    assert hint in text


def test_an_image_that_is_none(tmp_path: Path) -> None:
    options = RunOptions(cache_dir=tmp_path, image="nowhere", environ={})
    with pytest.raises(UsageError) as refusal:
        run_imports([write_wheel(tmp_path)], options, print)
    assert "reference" in refusal.value.hint


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (StageError("the container is gone", found="a\n::error::b"), "the container is gone: a"),
        (UnfitError("the disk is full", hint="make room"), "the disk is full; next: make room"),
    ],
    ids=["container", "machine"],
)
def test_a_wheel_that_fails_stops_no_other(
    tmp_path: Path, said: list[str], error: AarchWheelsError, text: str
) -> None:
    refusals = Refusals(note=said.append)
    for name in ("a.whl", "b.whl"):
        with refusals.kept(tmp_path / name):
            raise error
    assert refusals.paths == {tmp_path / "a.whl", tmp_path / "b.whl"}
    assert all(
        row.startswith(f"not run: {name}.whl: {text}") for name, row in zip("ab", said, strict=True)
    )
    assert not any("\n" in row for row in said)


def test_no_engine_spoils_no_result(tmp_path: Path, said: list[str]) -> None:
    environ = {"DOCKER_HOST": f"unix://{tmp_path}/none"}
    options = RunOptions(cache_dir=tmp_path, engine=EngineName.DOCKER, environ=environ)
    wheel = write_wheel(tmp_path, files={EXTENSION: elf()})
    tried = run_imports([wheel], options, said.append)
    assert isinstance(tried.unfit, UnfitError)
    assert (tried.findings, tried.untried) == ({wheel: ()}, frozenset())


def test_no_containers_no_run(tmp_path: Path) -> None:
    options = RunOptions(cache_dir=tmp_path, engine=EngineName.NONE, environ={})
    with pytest.raises(UsageError, match="needs a container engine"):
        run_imports([write_wheel(tmp_path)], options, print)


def test_wheels_without_anything_to_import(tmp_path: Path) -> None:
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"")
    foreign = write_wheel(tmp_path, NAME.format("313", "manylinux_2_17_x86_64"))
    pure = write_wheel(tmp_path, "fast-1.0-py3-none-any.whl", {"fast.py": b""})
    said = list[str]()
    options = RunOptions(cache_dir=tmp_path, environ={})
    tried = run_imports([broken, foreign, pure], options, said.append)
    assert tried.findings == {broken: (), foreign: (), pure: ()}
    assert (tried.untried, tried.unfit) == (frozenset(), None)
    assert [text.partition(".whl")[0] for text in said] == [
        "not run: broken-1.0-py3-none-any",
        "not run: fast-1.0-cp313-cp313-manylinux_2_17_x86_64",
        "not run: fast-1.0-py3-none-any",
    ]


OK = '{"index": 0, "state": "ok", "name": "fast"}\n'
IMPORT = "/aarch64-wheels/tests/environment/bin/python -I"


def failing(words: str) -> Callable[[FakeSession], str]:
    def fail(_session: FakeSession) -> str:
        raise CommandError(("uv",), 1, words)

    return fail


@pytest.fixture
def said() -> list[str]:
    return []


def tried(
    tmp_path: Path, session: FakeSession, said: list[str], *, indexed: bool = True
) -> list[str]:
    """Try a wheel in a session whose commands do not run; gives the findings' messages."""
    wheel = read_importable(write_wheel(tmp_path, files={EXTENSION: elf()}))
    place = Place(
        session=session,
        python=tmp_path,  # type: ignore[arg-type]
        name="CPython 3.13",
        native=None,
        emulated=True,
        indexed=indexed,
        note=said.append,
    )
    return [finding.message for finding in place.try_wheel(wheel)]


def test_dependencies_come_from_the_index(tmp_path: Path, said: list[str]) -> None:
    session = FakeSession(effects={IMPORT: lambda _: OK})
    assert tried(tmp_path, session, said) == []
    (install,) = [str(row) for row in session.commands if "pip install" in str(row)]
    assert "--only-binary :all: -- /aarch64-wheels/finished/fast-1.0" in install
    assert said == []


def test_no_index_is_asked_where_none_may_be(tmp_path: Path, said: list[str]) -> None:
    session = FakeSession(effects={IMPORT: lambda _: OK})
    assert tried(tmp_path, session, said, indexed=False) == []
    (install,) = [str(row) for row in session.commands if "pip install" in str(row)]
    assert "--no-index --" in install


def test_without_dependencies(tmp_path: Path, said: list[str]) -> None:
    whole = (
        "uv pip install --quiet --python /aarch64-wheels/tests/environment/bin/python --only-binary"
    )
    missing = (
        '{"index": 0, "state": "error", "type": "ImportError", "text": "No module named \'n\'"}'
    )
    session = FakeSession(effects={whole: failing("no n\nat all"), IMPORT: lambda _: missing})
    (message,) = tried(tmp_path, session, said)
    assert message.endswith(
        "without n, which the wheel does not bring, and which was not installed"
    )
    assert [text.partition(": ")[2] for text in said] == [
        "its dependencies are not installed: no n at all"
    ]


def test_a_wheel_that_cannot_be_installed(tmp_path: Path, said: list[str]) -> None:
    session = FakeSession(effects={"uv pip": failing("not compatible")})
    assert tried(tmp_path, session, said) == ["the wheel cannot be installed for CPython 3.13"]


def test_answers_that_do_not_come(tmp_path: Path, said: list[str]) -> None:
    session = FakeSession(effects={IMPORT: failing("Killed")})
    assert tried(tmp_path, session, said) == ["CPython 3.13 gave no answer of an extension"]


def test_answers_of_what_was_not_asked(tmp_path: Path, said: list[str]) -> None:
    lines = '{"index": 7, "state": "error"}\n{"index": -1, "state": "error"}\n'
    session = FakeSession(effects={IMPORT: lambda _: lines + OK + OK.replace("ok", "timeout")})
    assert tried(tmp_path, session, said) == []
