"""When the embedded image is taken as it is kept, and when it is assembled anew."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, cast

import pytest

from aarch64_wheels.embedded import assemble as assembling
from aarch64_wheels.embedded import fetch, store
from aarch64_wheels.embedded.assemble import Workplace, assemble, debs_directory
from aarch64_wheels.embedded.recipe import HOST, PackageSet, Recipe, load_recipe
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.hostindex import IndexSettings

WAIT = 10.0


def _set(name: str, into: str = "/") -> PackageSet:
    return PackageSet(
        name=name, suite="forky", architecture="arm64", into=into, closure=("bash",), alone=()
    )


USERLAND, OLD, SYSROOT = _set("userland"), _set("python3.9"), _set("sysroot", "/opt/gcc")
COMPILERS = _set("compilers", HOST)
RECIPE = Recipe(
    sysroot=PurePosixPath("/opt/gcc"),
    gcc_version="10",
    sets=(USERLAND, OLD, SYSROOT, COMPILERS),
    key="k3y",
)
TAG = "aarch64-wheels/debian:k3y"


@dataclass
class FakeEngine:
    """An engine that holds images by the content of their archives."""

    name: str = "podman"
    images: set[str] = field(default_factory=set)

    def has_image(self, reference: str) -> bool:
        return reference in self.images

    def load(self, archive: Path) -> str:
        self.images.add(archive.read_text())
        return "sha256:1"


@dataclass
class Store:
    """An image's store with everything around it replaced."""

    image: EmbeddedImage
    engine: FakeEngine = field(default_factory=FakeEngine)
    notes: list[str] = field(default_factory=list)
    assembled: list[Path] = field(default_factory=list)

    def assemble(self, *arguments: Any) -> None:
        _recipe, _cache, _index, archive, tag, _note = arguments
        self.assembled.append(archive)
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.write_text(tag)

    def ensure(self) -> str:
        return self.image.ensure(cast("Any", self.engine), self.notes.append)

    def refresh(self) -> str:
        return self.image.refresh(cast("Any", self.engine), self.notes.append)

    def directory(self, packages: PackageSet) -> Path:
        return debs_directory(self.image.cache_dir, packages)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    image = EmbeddedImage(recipe=RECIPE, cache_dir=tmp_path / "cache", index=IndexSettings())
    made = Store(image=image)
    monkeypatch.setattr(store, "assemble", made.assemble)
    monkeypatch.setattr(store, "current_release", lambda *_arguments: "release 1")
    for packages in RECIPE.sets:
        directory = made.directory(packages)
        directory.mkdir(parents=True)
        (directory / "release").write_text("release 1\n")
    return made


def test_its_names_change_with_the_recipe(tmp_path: Path) -> None:
    image = EmbeddedImage.of_this_version(tmp_path, IndexSettings())
    key = load_recipe().key
    assert image.tag == f"aarch64-wheels/debian:{key}"
    assert image.archive == tmp_path / f"images/debian-{key}.tar"


def test_an_engine_that_holds_it_is_asked_for_nothing_more(kept: Store) -> None:
    kept.engine.images.add(TAG)
    assert (kept.ensure(), kept.assembled, kept.notes) == (TAG, [], [])
    assert not (kept.image.cache_dir / "images").exists()


def test_an_archive_is_loaded_and_not_made_again(kept: Store) -> None:
    kept.image.archive.parent.mkdir()
    kept.image.archive.write_text(TAG)
    assert (kept.ensure(), kept.assembled) == (TAG, [])
    assert (kept.engine.images, kept.notes) == ({TAG}, [f"loading {TAG} into podman"])


def test_without_an_archive_it_is_assembled(kept: Store) -> None:
    assert (kept.ensure(), kept.assembled) == (TAG, [kept.image.archive])
    assert kept.engine.images == {TAG}
    assert kept.notes[0] == f"assembling the embedded image {TAG}"


def test_two_at_a_time_assemble_once(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, others = threading.Event(), list[str]()

    def note(text: str) -> None:
        others.append(text)
        waiting.set()

    second = threading.Thread(target=lambda: kept.image.ensure(cast("Any", FakeEngine()), note))

    def slow(*arguments: Any) -> None:
        second.start()
        assert waiting.wait(WAIT)
        kept.assemble(*arguments)

    monkeypatch.setattr(store, "assemble", slow)
    kept.ensure()
    second.join(WAIT)
    assert others[0].startswith("waiting for another process")
    assert (others[1:], len(kept.assembled)) == ([f"loading {TAG} into podman"], 1)


def test_a_failed_assembly_is_tried_again_the_next_time(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(UnfitError):
        patch.setattr(store, "assemble", _refuse)
        kept.ensure()
    assert kept.engine.images == set()
    assert kept.ensure() == TAG


def _refuse(*_arguments: object, **_options: object) -> None:
    raise UnfitError("the disk is full")


def test_a_rebuild_fetches_the_named_sets_again_and_no_others(kept: Store) -> None:
    kept.image.archive.parent.mkdir()
    kept.image.archive.write_text("the old one")
    kept.image.rebuild(cast("Any", kept.engine), kept.notes.append, (USERLAND,))
    assert not kept.directory(USERLAND).exists()
    assert kept.directory(SYSROOT).is_dir()
    assert kept.engine.images == {TAG}


def test_a_refresh_does_nothing_when_no_suite_has_changed(kept: Store) -> None:
    kept.engine.images.add(TAG)
    assert (kept.refresh(), kept.assembled, kept.notes) == (TAG, [], [])


def test_a_refresh_fetches_what_has_changed(kept: Store) -> None:
    (kept.directory(SYSROOT) / "release").write_text("release 0\n")
    kept.engine.images.add(TAG)
    kept.refresh()
    assert kept.notes[0] == "changed since the image was made: sysroot"
    assert len(kept.assembled) == 1
    assert not kept.directory(SYSROOT).exists()
    assert kept.directory(USERLAND).is_dir()


def test_a_set_that_is_not_there_counts_as_changed(kept: Store) -> None:
    (kept.directory(OLD) / "release").unlink()
    kept.directory(OLD).rmdir()
    assert kept.image.outdated() == (OLD,)


def test_a_set_that_was_never_finished_counts_as_changed(kept: Store) -> None:
    (kept.directory(OLD) / "release").unlink()
    assert kept.image.outdated() == (OLD,)


def test_where_a_sets_files_go(tmp_path: Path) -> None:
    place = Workplace(
        recipe=RECIPE, cache_dir=tmp_path, index=IndexSettings(), scratch=tmp_path / "s"
    )
    places = [place.place(packages).relative_to(tmp_path / "s") for packages in RECIPE.sets]
    assert [str(path) for path in places] == ["root", "root", "root/opt/gcc", "host"]


def test_sets_of_one_place_are_unpacked_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first place's set waits until another place's has started: places do not wait."""
    busy, together = list[str](), threading.Barrier(3, timeout=WAIT)
    first = {"root", "gcc", "host"}

    def unpack(_debs: object, root: Path) -> None:
        assert root.name not in busy, "two sets at a time in one place"
        busy.append(root.name)
        if root.name in first:
            first.discard(root.name)
            together.wait()
        busy.remove(root.name)

    monkeypatch.setattr(fetch, "fetch_set", lambda *_arguments: ())
    monkeypatch.setattr(fetch, "release_of", lambda *_arguments: "r")
    monkeypatch.setattr(fetch, "install_wheels", lambda *_a, **_o: None)
    monkeypatch.setattr(assembling, "unpack", unpack)
    monkeypatch.setattr(assembling, "finish_system", _refuse)
    notes: list[str] = []
    archive = tmp_path / "images/debian.tar"
    with pytest.raises(UnfitError, match="the disk is full"):
        assemble(RECIPE, tmp_path, IndexSettings(), archive, TAG, notes.append)
    assert first == set()
    assert notes[-1] == "setting up compilers and interpreters"
    assert list(archive.parent.iterdir()) == []


def test_a_set_that_cannot_be_fetched_ends_the_assembly_without_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "fetch_set", _refuse)
    monkeypatch.setattr(fetch, "install_wheels", lambda *_a, **_o: None)
    archive = tmp_path / "images/debian.tar"
    with pytest.raises(UnfitError, match="the disk is full"):
        assemble(RECIPE, tmp_path, IndexSettings(), archive, TAG, print)
    assert list(archive.parent.iterdir()) == []
