"""What the target's interpreter says of itself: asked, read, kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.native.facts import Facts, FactsStore
from aarch64_wheels.plan import Interpreter
from tests.unit.backend_samples import ASK, answer, facts, says_facts
from tests.unit.fake_session import FakeSession
from tests.unit.stage_samples import fails, says

if TYPE_CHECKING:
    from pathlib import Path

CP313 = Interpreter(tag="cp313", version="3.13", directory="cp313-cp313")


@pytest.fixture
def store(tmp_path: Path) -> FactsStore:
    return FactsStore(directory=tmp_path / "cache/facts", image_id="sha256:1")


def test_the_script_tells_of_the_interpreter_that_runs_it() -> None:
    script = resources.files("aarch64_wheels.native.identity") / "ask.py"
    argv = [sys.executable, "-I", "-c", script.read_text(encoding="utf-8")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    found = Facts.parse(done.stdout)
    assert found.version == sys.version_info[:3]
    assert found.machine == os.uname().machine
    assert found.includes["include"] == sysconfig.get_path("include")
    assert found.config["EXT_SUFFIX"] == sysconfig.get_config_var("EXT_SUFFIX")
    assert found.build_time["SOABI"] == sysconfig.get_config_var("SOABI")
    assert found.site == f"lib/python{sysconfig.get_python_version()}/site-packages"
    assert bytes.fromhex(found.magic)[2:] == b"\r\n"


GCC_SAYS = {
    "all-of-it": ('[ "$1" = -dumpfullversion ] && echo 12.2.0 || echo 12', "12.2.0"),
    "before-7": ('[ "$1" = -dumpversion ] && echo 4.8.5', "4.8.5"),
    "nothing": ("exit 1", ""),
    "no-version": ("echo clang", ""),
}


@pytest.mark.parametrize(("says", "version"), GCC_SAYS.values(), ids=GCC_SAYS.keys())
def test_the_script_asks_the_gcc_on_the_path(says: str, version: str, tmp_path: Path) -> None:
    write_script(tmp_path / "gcc", f"#!/bin/sh\n{says}\n")
    assert _asked_with(str(tmp_path)).gcc == version


def test_an_image_may_have_no_gcc(tmp_path: Path) -> None:
    assert _asked_with(str(tmp_path)).gcc == ""


def _asked_with(path: str) -> Facts:
    script = resources.files("aarch64_wheels.native.identity") / "ask.py"
    argv = [sys.executable, "-I", "-c", script.read_text(encoding="utf-8")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env={"PATH": path})
    return Facts.parse(done.stdout)


def test_lists_become_tuples() -> None:
    found = facts()
    assert (found.version, found.libc) == ((3, 13, 5), ("glibc", "2.28"))
    assert (found.release, found.gcc) == ("cpython 3.13.5", "10.2.1")
    assert found.is_aarch64


NOT_FACTS = {
    "empty": "",
    "no-json": "Segmentation fault",
    "no-object": "[]",
    "of-another-version": json.dumps({**answer(), "more": 1}),
    "too-little": json.dumps({"version": [3, 13, 5], "suffixes": [], "libc": []}),
}


@pytest.mark.parametrize("text", NOT_FACTS.values(), ids=NOT_FACTS.keys())
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Facts.parse(text)


PATHS = {
    "plain": ("/usr/bin:/bin", "/usr/bin:/bin"),
    "asked-in-an-accelerated-container": (
        "/aarch64-wheels/compilers:/native/bin:/usr/bin:/bin",
        "/usr/bin:/bin",
    ),
    "similar-names-stay": ("/native/bin2:/usr/bin", "/native/bin2:/usr/bin"),
}


@pytest.mark.parametrize(("path", "expected"), PATHS.values(), ids=PATHS.keys())
def test_the_images_own_path(path: str, expected: str) -> None:
    assert facts(path=path).image_path == expected


@pytest.mark.parametrize(("value", "expected"), [(1, True), (0, False), (None, False)])
def test_free_threading(value: int | None, *, expected: bool) -> None:
    assert facts(config={"Py_GIL_DISABLED": value}).is_free_threaded is expected


def test_the_modules_hold_the_facts() -> None:
    read: dict[str, dict[str, Any]] = {}
    for name, text in facts(multiarch=None, libc_version="").modules().items():
        read[name] = {}
        exec(text, read[name])  # noqa: S102 - that is what an interpreter does with it
    found = read["facts.py"]
    assert (found["MACHINE"], found["MULTIARCH"], found["LIBC_VERSION"]) == ("aarch64", None, "")
    assert read["variables.py"]["CONFIG"]["CC"] == "target-gcc"
    assert read["variables.py"]["BUILD_TIME"]["prefix"] == "/usr/local"


def test_an_interpreter_is_asked_once_for_each_image(store: FactsStore) -> None:
    session = FakeSession(effects={ASK: says_facts()})
    assert store.facts(session, CP313) == facts()
    assert store.facts(session, CP313) == facts()
    assert len(session.commands) == 1
    replace(store, image_id="sha256:2").facts(session, CP313)
    assert len(session.commands) == 2


def test_another_question_has_no_answer_yet(
    store: FactsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = FakeSession(effects={ASK: says_facts()})
    store.facts(session, CP313)
    monkeypatch.setattr("aarch64_wheels.native.facts._question", lambda: "print(1)")
    store.facts(session, CP313)
    assert len(session.commands) == 2


def test_interpreters_are_apart(store: FactsStore) -> None:
    other = replace(CP313, tag="cp313t", directory="cp313-cp313t")
    asked = "/opt/python/cp313-cp313t/bin/python -I -c"
    effects = {ASK: says_facts(), asked: says_facts(version=[3, 13, 6])}
    session = FakeSession(effects=effects)
    versions = [store.facts(session, row).version for row in (CP313, other, CP313)]
    assert versions == [(3, 13, 5), (3, 13, 6), (3, 13, 5)]


def test_without_reuse_it_is_asked_again(store: FactsStore) -> None:
    session = FakeSession(effects={ASK: says_facts()})
    for _ in range(2):
        replace(store, reuse=False).facts(session, CP313)
    assert len(session.commands) == 2


@pytest.mark.parametrize("kept", ["", "{}", "\x00"], ids=["empty", "other-version", "damaged"])
def test_what_is_kept_and_of_no_use_is_asked_anew(store: FactsStore, kept: str) -> None:
    session = FakeSession(effects={ASK: says_facts()})
    store.facts(session, CP313)
    (path,) = store.directory.iterdir()
    path.write_text(kept, encoding="utf-8")
    assert store.facts(session, CP313) == facts()
    assert Facts.parse(path.read_text(encoding="utf-8")) == facts()


def test_an_interpreter_that_says_something_else(store: FactsStore) -> None:
    with pytest.raises(StageError, match="what /opt/python/cp313-cp313/bin/python says"):
        store.facts(FakeSession(effects={ASK: says("hello")}), CP313)
    assert not store.directory.exists()


def test_an_interpreter_that_does_not_start(store: FactsStore) -> None:
    with pytest.raises(CommandError, match="status 127"):
        store.facts(FakeSession(effects={ASK: fails(127, "no such file")}), CP313)


def test_a_place_that_cannot_be_written_to_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = FactsStore(directory=tmp_path / "file/facts", image_id="sha256:1")
    assert store.facts(FakeSession(effects={ASK: says_facts()}), CP313) == facts()
