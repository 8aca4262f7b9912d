"""Kept build environments: which serves which build, and for how long."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aarch64_wheels.environments import FRESH_SECONDS, EnvironmentStore
from aarch64_wheels.plan import Interpreter

CP313 = Interpreter(tag="cp313", version="3.13", directory="cp313-cp313")
CP313T = replace(CP313, directory="cp313-cp313t")
REQUIRES = ("setuptools>=77", "cython")


@pytest.fixture
def store(tmp_path: Path) -> EnvironmentStore:
    return EnvironmentStore(
        directory=tmp_path / "environments", image_id="sha256:1", indexes=("http://a.example",)
    )


def _put(path: Path, age: float = 0.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"tar")
    written = time.time() - age
    os.utime(path, (written, written))
    return path


STORES: dict[str, dict[str, Any]] = {
    "image": {"image_id": "sha256:2"},
    "other-index": {"indexes": ("http://b.example",)},
    "one-more-index": {"indexes": ("http://a.example", "http://b.example")},
    "no-index": {"indexes": ()},
}
BUILDS: dict[str, tuple[Interpreter, tuple[str, ...]]] = {
    "interpreter": (replace(CP313, tag="cp314", directory="cp314-cp314"), REQUIRES),
    "free-threaded": (CP313T, REQUIRES),
    "one-less": (CP313, REQUIRES[:1]),
    "another-release": (CP313, ("setuptools>=78", "cython")),
    "nothing": (CP313, ()),
}


@pytest.mark.parametrize("change", STORES.values(), ids=STORES.keys())
def test_where_it_was_made_counts(store: EnvironmentStore, change: dict[str, Any]) -> None:
    assert replace(store, **change).archive(CP313, REQUIRES) != store.archive(CP313, REQUIRES)


@pytest.mark.parametrize(("interpreter", "requires"), BUILDS.values(), ids=BUILDS.keys())
def test_what_it_is_for_counts(
    store: EnvironmentStore, interpreter: Interpreter, requires: tuple[str, ...]
) -> None:
    assert store.archive(interpreter, requires) != store.archive(CP313, REQUIRES)


def test_the_order_of_requirements_does_not_count(store: EnvironmentStore) -> None:
    archive = store.archive(CP313, REQUIRES)
    assert store.archive(CP313, REQUIRES[::-1]) == archive
    assert archive.parent == store.directory
    assert archive.name.startswith("cp313-")


def test_an_index_is_no_requirement(store: EnvironmentStore) -> None:
    other = replace(store, indexes=(*store.indexes, "x"))
    assert other.archive(CP313, ()) != store.archive(CP313, ("x",))


AGES = {
    "fresh": (0.0, True, True),
    "nearly-old": (FRESH_SECONDS - 60, True, True),
    "old": (FRESH_SECONDS + 60, True, False),
    "--no-cache": (0.0, False, False),
}


@pytest.mark.parametrize(("age", "reuse", "expected"), AGES.values(), ids=AGES.keys())
def test_how_long_it_serves(
    store: EnvironmentStore, *, age: float, reuse: bool, expected: bool
) -> None:
    archive = _put(store.archive(CP313, REQUIRES), age)
    assert replace(store, reuse=reuse).holds(archive) is expected


def test_what_is_not_there_is_not_held(store: EnvironmentStore) -> None:
    assert store.holds(store.archive(CP313, REQUIRES)) is False


def test_old_archives_and_parts_go(store: EnvironmentStore) -> None:
    fresh = _put(store.archive(CP313, REQUIRES))
    writing = _put(store.draft(fresh))
    old = _put(store.archive(CP313T, REQUIRES), FRESH_SECONDS + 60)
    left = _put(store.draft(old), FRESH_SECONDS + 60)
    store.discard_old()
    assert [path.exists() for path in (fresh, writing, old, left)] == [True, True, False, False]


def test_there_may_be_nothing_to_discard(store: EnvironmentStore) -> None:
    store.discard_old()
    assert not store.directory.exists()


def test_another_run_may_discard_at_the_same_time(
    store: EnvironmentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory is listed, and then a file of it is gone."""
    gone = store.archive(CP313, REQUIRES)
    monkeypatch.setattr(Path, "glob", lambda *_arguments: iter([gone]))
    store.discard_old()
    assert store.holds(gone) is False


def test_two_drafts_of_one_archive_do_not_meet(store: EnvironmentStore) -> None:
    archive = store.archive(CP313, REQUIRES)
    drafts = {store.draft(archive) for _ in range(3)}
    assert len(drafts) == 3
    assert archive not in drafts
    assert store.directory.is_dir()
