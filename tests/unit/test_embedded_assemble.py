"""The assembly: what runs beside what, and how it ends when something fails or interrupts it."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.embedded import assemble as assembling
from aarch64_wheels.embedded import fetch
from aarch64_wheels.embedded.assemble import Workplace, assemble
from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.embedded.recipe import HOST, PackageSet, Recipe
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.hostindex import IndexSettings

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.processes import Processes

WAIT = 10.0
TAG = "aarch64-wheels/debian:k3y"


def _set(name: str, into: str = "/") -> PackageSet:
    return PackageSet(
        name=name, suite="forky", architecture="arm64", into=into, closure=("bash",), alone=()
    )


RECIPE = Recipe(
    sysroot=PurePosixPath("/opt/gcc"),
    gcc_version="10",
    sets=(
        _set("userland"),
        _set("python3.9"),
        _set("sysroot", "/opt/gcc"),
        _set("compilers", HOST),
    ),
    interpreters=(),
    key="k3y",
)


def _refuse(*_arguments: object, **_options: object) -> None:
    raise UnfitError("the disk is full")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the image goes; no wheel is fetched for it."""
    monkeypatch.setattr(assembling, "install_wheels", lambda *_a, **_o: None)
    return tmp_path / "images/debian.tar"


def test_where_a_sets_files_go(tmp_path: Path) -> None:
    place = Workplace(
        recipe=RECIPE, cache_dir=tmp_path, index=IndexSettings(), scratch=tmp_path / "s"
    )
    places = [place.place(packages).relative_to(tmp_path / "s") for packages in RECIPE.sets]
    assert [str(path) for path in places] == ["root", "root", "root/opt/gcc", "host"]


def test_sets_of_one_place_are_unpacked_one_after_the_other(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first place's set waits until another place's has started: places do not wait."""
    busy, together = list[str](), threading.Barrier(3, timeout=WAIT)
    first = {"root", "gcc", "host"}

    def unpack(_debs: object, root: Path, _processes: Processes) -> None:
        assert root.name not in busy, "two sets at a time in one place"
        busy.append(root.name)
        if root.name in first:
            first.discard(root.name)
            together.wait()
        busy.remove(root.name)

    monkeypatch.setattr(fetch, "fetch_set", lambda *_arguments: ())
    monkeypatch.setattr(fetch, "release_of", lambda *_arguments: "r")
    monkeypatch.setattr(assembling, "unpack", unpack)
    monkeypatch.setattr(assembling, "finish_system", _refuse)
    notes: list[str] = []
    with pytest.raises(UnfitError, match="the disk is full"):
        assemble(RECIPE, tmp_path, IndexSettings(), archive, TAG, notes.append)
    assert first == set()
    assert notes[-1] == "setting up compilers and interpreters"
    assert list(archive.parent.iterdir()) == []


def test_a_set_that_cannot_be_fetched_ends_the_assembly_without_a_trace(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "fetch_set", _refuse)
    with pytest.raises(UnfitError, match="the disk is full"):
        assemble(RECIPE, tmp_path, IndexSettings(), archive, TAG, print)
    assert list(archive.parent.iterdir()) == []


@pytest.fixture
def began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a `mmdebstrap` that takes a minute leaves a file when it starts."""
    (tmp_path / "began").mkdir()
    script = f'#!/bin/sh\n: > "{tmp_path}/began/$$"\nsleep 60 &\nwait\n'
    write_script(tmp_path / "bin/mmdebstrap", script)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return tmp_path / "began"


def _wait_for_all(began: Path) -> None:
    patience = time.monotonic() + WAIT
    while len(list(began.iterdir())) < len(RECIPE.sets) and time.monotonic() < patience:
        time.sleep(0.02)


def test_an_interrupt_ends_the_assembly_at_once(tmp_path: Path, archive: Path, began: Path) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    def send() -> None:
        _wait_for_all(began)
        signal.pthread_kill(main, signal.SIGUSR1)

    main = threading.get_ident()
    old, started = signal.signal(signal.SIGUSR1, interrupt), time.monotonic()
    sender = threading.Thread(target=send)
    sender.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            assemble(RECIPE, tmp_path, IndexSettings(), archive, TAG, print)
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, old)
    assert time.monotonic() - started < WAIT
    assert len(list(began.iterdir())) == len(RECIPE.sets)
    assert list(archive.parent.iterdir()) == []


def test_a_failure_ends_what_runs_beside_it(
    tmp_path: Path, archive: Path, began: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits a minute for downloads that are of no use any more."""

    def fail(*_arguments: object, **_options: object) -> None:
        _wait_for_all(began)
        _refuse()

    monkeypatch.setattr(assembling, "_install_wheels", fail)
    monkeypatch.setattr(assembling, "_unpack", lambda *_arguments: None)
    started = time.monotonic()
    with pytest.raises(UnfitError, match="the disk is full"):
        assemble(RECIPE, tmp_path, IndexSettings(), archive, TAG, print)
    assert time.monotonic() - started < WAIT
    assert len(list(began.iterdir())) == len(RECIPE.sets)


def test_the_image_says_its_recipe_and_releases(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels: dict[str, str] = {}
    monkeypatch.setattr(fetch, "fetch_set", lambda *_arguments: ())
    monkeypatch.setattr(fetch, "release_of", lambda directory: f"of {directory.name[:8]}")
    for name in ("unpack", "_finish", "_compile"):
        monkeypatch.setattr(assembling, name, lambda *_arguments: None)
    monkeypatch.setattr(
        assembling, "write_archive", lambda _root, config, _archive: labels.update(config.labels)
    )
    assemble(RECIPE, tmp_path, IndexSettings(), archive, TAG, print)
    assert labels.pop("aarch64-wheels.recipe") == "k3y"
    assert labels["aarch64-wheels.release.userland"] == "of userland"
    assert len(labels) == len(RECIPE.sets)
