from __future__ import annotations

import builtins
import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.planning import make_plan
from aarch64_wheels.settings.layers import collect
from aarch64_wheels.settings.modes import GLIBC_LINUX
from aarch64_wheels.settings.schema import Backend, Compiler, Mode
from aarch64_wheels.settings.tables import Tables
from aarch64_wheels.source.metadata import Metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aarch64_wheels.plan import Image, Plan

CATALOGUE = interpreters()
KIWI = Metadata(name="kiwisolver", version="1.4.7", requires_python=">=3.10")


def _plan(
    *,
    python: Sequence[str] = (),
    mode: Mode = Mode.AUTO,
    metadata: Metadata = KIWI,
    image: Image | None = None,
    machine: str = "x86_64",
    backend: Backend = Backend.AUTO,
    compiler: Compiler = Compiler.AUTO,
) -> Plan:
    flags = {"python": tuple(python), "mode": mode, "backend": backend, "compiler": compiler}
    found = image or find_image("debian")
    return make_plan(
        collect({**flags, "jobs": 2, "image": found.name}, {}, Tables(), Path("cache")),
        metadata,
        CATALOGUE,
        lambda _name: found,
        source_origin="kiwisolver==1.4.7",
        sha256="ab",
        source_date_epoch=0,
        host_machine=machine,
        host_system=GLIBC_LINUX,
    )


def _tags(plan: Plan) -> list[str]:
    return [target.interpreter.tag for target in plan.targets]


def test_the_plan_carries_what_it_was_made_from() -> None:
    plan = _plan()
    assert (plan.project, plan.version, plan.source) == ("kiwisolver", "1.4.7", "kiwisolver==1.4.7")
    assert (plan.source_sha256, plan.jobs, plan.explicit) == ("ab", 2, False)
    assert plan.build_requires == ("setuptools>=40.8.0",)


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        pytest.param("", ["cp39", "cp311", "cp313", "cp314", "cp315"], id="anything"),
        pytest.param(">=3.11", ["cp311", "cp313", "cp314", "cp315"], id="lower-bound"),
        pytest.param(">=3.9.2", ["cp39", "cp311", "cp313", "cp314", "cp315"], id="patch"),
        pytest.param("!=3.9.0,<3.12", ["cp39", "cp311"], id="excluded-patch"),
        pytest.param(">=3.8,<3.14", ["cp39", "cp311", "cp313"], id="both"),
        pytest.param("==3.13.*", ["cp313"], id="wildcard"),
    ],
)
def test_default_targets_are_what_source_and_image_share(
    requires: str, expected: list[str]
) -> None:
    assert _tags(_plan(metadata=replace(KIWI, requires_python=requires))) == expected


def test_default_targets_leave_out_what_needs_naming() -> None:
    assert "pp311" not in _tags(_plan(image=find_image("manylinux2014")))
    assert "cp314t" in _tags(_plan(image=find_image("manylinux2014")))


def test_an_unlisted_image_gets_every_default_interpreter() -> None:
    plan = _plan(image=find_image("registry.example/builder:1"), metadata=Metadata())
    assert _tags(plan) == [item.tag for item in CATALOGUE if item.default]


@pytest.mark.parametrize(
    ("python", "expected", "explicit"),
    [
        pytest.param(["cp313", "cp311"], ["cp311", "cp313"], True, id="named"),
        pytest.param(["cp3*"], ["cp311", "cp313", "cp314", "cp315"], False, id="glob-is-cut"),
        pytest.param(["all"], ["cp311", "cp313", "cp314", "cp315"], False, id="all-is-cut"),
        pytest.param(["cp3*", "3.13"], ["cp311", "cp313", "cp314", "cp315"], True, id="both"),
        pytest.param([" , "], ["cp311", "cp313", "cp314", "cp315"], False, id="only-separators"),
    ],
)
def test_selected_targets(
    python: list[str],
    expected: list[str],
    explicit: bool,  # noqa: FBT001  # a table's column
) -> None:
    plan = _plan(python=python)
    assert (_tags(plan), plan.explicit) == (expected, explicit)


@pytest.mark.parametrize(
    ("libc", "identifier"),
    [("glibc", "cp313-manylinux_aarch64"), ("musl", "cp313-musllinux_aarch64")],
)
def test_identifiers_follow_the_libc(libc: str, identifier: str) -> None:
    plan = _plan(python=["cp313"], image=replace(find_image("debian"), libc=libc))
    assert [target.identifier for target in plan.targets] == [identifier]


@pytest.mark.parametrize(
    ("python", "requires", "words"),
    [
        pytest.param(["cp39", "cp313"], ">=3.10", ["`>=3.10`", "excludes cp39"], id="named"),
        pytest.param(["cp3*", "cp39"], ">=3.10", ["`>=3.10`", "excludes cp39"], id="named-too"),
        pytest.param(["cp39*"], ">=3.10", ["excludes cp39"], id="glob-with-nothing-left"),
        pytest.param([], ">=4", ["`>=4`", "cp39, cp311", "the image debian has"], id="default"),
        pytest.param([], "three", ["requires-python", "'three'"], id="no-specifier"),
    ],
)
def test_requires_python_leaves_nothing(python: list[str], requires: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        _plan(python=python, metadata=replace(KIWI, requires_python=requires))
    assert [word for word in words if word not in str(caught.value)] == []


def test_an_interpreter_the_image_does_not_have() -> None:
    with pytest.raises(UnfitError, match="no such interpreter in the image debian: `cp312`"):
        _plan(python=["cp312"])


def test_build_requirements_are_checked_and_each_comes_once() -> None:
    metadata = replace(KIWI, build_requires=("cppy>=1.3", "setuptools", "cppy>=1.3"))
    assert _plan(metadata=metadata).build_requires == ("cppy>=1.3", "setuptools")
    with pytest.raises(UsageError, match=r"`cppy>>1` in \[build-system\] requires"):
        _plan(metadata=replace(KIWI, build_requires=("cppy>>1",)))


def test_json_is_the_same_for_the_same_input() -> None:
    assert _plan().to_json() == _plan().to_json()
    data = json.loads(_plan().to_json())
    assert (data["mode"], data["backend"], data["compiler"]) == ("accelerated", "auto", "auto")
    assert data["stages"] == ["environment", "build", "repair", "audit"]
    assert data["targets"][0]["identifier"] == "cp311-manylinux_aarch64"


@pytest.mark.parametrize(
    ("mode", "machine", "settled"),
    [
        pytest.param(Mode.AUTO, "x86_64", ("accelerated", "auto", "auto"), id="x86-64"),
        pytest.param(Mode.AUTO, "aarch64", ("native", "native", "gcc"), id="arm64"),
        pytest.param(Mode.EMULATED, "x86_64", ("emulated", "emulated", "gcc"), id="emulated"),
    ],
)
def test_the_mode_settles_backend_and_compiler(
    mode: Mode, machine: str, settled: tuple[str, str, str]
) -> None:
    plan = _plan(mode=mode, machine=machine)
    assert (plan.mode, plan.backend, plan.compiler) == settled


def test_a_mode_that_does_not_fit_makes_no_plan() -> None:
    with pytest.raises(UsageError, match="mode `native` cannot be used on this host"):
        _plan(mode=Mode.NATIVE)
    with pytest.raises(UsageError, match="`--compiler native-only` contradicts mode `emulated`"):
        _plan(mode=Mode.EMULATED, compiler=Compiler.NATIVE_ONLY)


def test_planning_does_no_io(monkeypatch: pytest.MonkeyPatch) -> None:
    image = find_image("debian")

    def forbidden(*_args: Any, **_kwargs: Any) -> Any:
        raise AssertionError("a plan is made without I/O")

    monkeypatch.setattr(builtins, "open", forbidden)
    monkeypatch.setattr(Path, "open", forbidden)
    monkeypatch.setattr(Path, "stat", forbidden)
    monkeypatch.setattr(socket, "socket", forbidden)
    assert _plan(image=image, python=["cp313"]).to_json()
