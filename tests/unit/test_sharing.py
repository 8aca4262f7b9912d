"""Wheels that serve more than one target."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aarch64_wheels.plan import Interpreter, Target
from aarch64_wheels.sharing import find_shared, installable, is_pure, is_stable_abi, serves
from tests.unit.report_samples import DEBIAN

GNU, MUSL = "manylinux_2_17_aarch64", "musllinux_1_2_aarch64"


def _target(tag: str, libc: str = "glibc") -> Target:
    number = tag[2:].rstrip("t")
    version = f"{number[0]}.{number[1:]}"
    directory = {"cp": f"{tag.rstrip('t')}-{tag}", "pp": f"{tag}-{tag.replace('pp', 'pypy')}_pp73"}
    row = Interpreter(tag=tag, version=version, directory=directory[tag[:2]])
    return Target(
        identifier=row.identifier(libc), interpreter=row, image=replace(DEBIAN, libc=libc)
    )


def _name(tags: str) -> str:
    return f"fast-1.0-{tags}.whl"


ROWS = {
    "own": (f"cp39-cp39-{GNU}", "cp39", False),
    "abi3-same": (f"cp39-abi3-{GNU}", "cp39", True),
    "abi3-later": (f"cp39-abi3-{GNU}", "cp313", True),
    "abi3-of-a-later-one": (f"cp311-abi3-{GNU}", "cp39", False),
    "abi3-free-threaded": (f"cp39-abi3-{GNU}", "cp314t", False),
    "abi3-pypy": (f"cp39-abi3-{GNU}", "pp311", False),
    "pure": ("py3-none-any", "cp39", True),
    "pure-free-threaded": ("py3-none-any", "cp314t", True),
    "pure-pypy": ("py3-none-any", "pp311", True),
    "pure-of-two": ("py2.py3-none-any", "cp313", True),
    "pure-of-a-later-one": ("py311-none-any", "cp39", False),
    "without-abi": (f"py3-none-{GNU}", "cp313", True),
    "without-abi-pypy": (f"py3-none-{GNU}", "pp311", True),
    "one-python-without-abi": (f"cp39-none-{GNU}", "cp313", False),
    "several-platforms": (f"cp39-abi3-manylinux2014_aarch64.{GNU}", "cp313", True),
    "for-musl": (f"cp39-abi3-{MUSL}", "cp313", False),
    "no-name": ("x", "cp313", False),
}


@pytest.mark.parametrize(("tags", "tag", "expected"), ROWS.values(), ids=ROWS.keys())
def test_serves(tags: str, tag: str, *, expected: bool) -> None:
    assert serves(_name(tags), _target(tag)) is expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        pytest.param(f"cp39-abi3-{MUSL}", True, id="its-own"),
        pytest.param(f"cp39-abi3-{GNU}", False, id="of-glibc"),
        pytest.param("py3-none-any", True, id="pure"),
    ],
)
def test_serves_musl(tags: str, *, expected: bool) -> None:
    assert serves(_name(tags), _target("cp313", "musl")) is expected


def test_the_first_that_serves() -> None:
    names = [_name(f"cp313-cp313-{GNU}"), _name(f"cp39-abi3-{GNU}"), _name("py3-none-any")]
    assert find_shared(names, _target("cp314")) == names[1]
    assert find_shared(names, _target("cp314t")) == names[2]
    assert find_shared([], _target("cp314")) == ""


def test_what_names_say() -> None:
    assert is_pure(_name("py3-none-any"))
    assert not is_pure(_name(f"py3-none-{GNU}"))
    assert is_stable_abi(_name(f"cp39-abi3-{GNU}"))
    assert not is_stable_abi(_name(f"cp39-cp39-{GNU}"))


@given(name=st.text(max_size=60))
def test_any_name_is_judged(name: str) -> None:
    assert serves(name, _target("cp313")) in (True, False)
    assert is_stable_abi(name) in (True, False)


def test_what_an_interpreter_installs() -> None:
    assert {("cp314", "cp314t"), ("py3", "none")} <= installable(_target("cp314t").interpreter)
    assert ("cp39", "abi3") not in installable(_target("cp314t").interpreter)
    assert ("cp39", "abi3") in installable(_target("cp314").interpreter)
    assert ("cp314", "cp314") in installable(_target("cp314").interpreter)
