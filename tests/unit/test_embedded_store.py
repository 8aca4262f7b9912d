"""When the embedded image is taken as it is kept, and when it is assembled anew."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast

import pytest

from aarch64_wheels.embedded import store
from aarch64_wheels.embedded.assemble import debs_directory, release_labels
from aarch64_wheels.embedded.recipe import HOST, PackageSet, Recipe, load_recipe
from aarch64_wheels.embedded.store import OLD_SECONDS, EmbeddedImage
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.hostindex import IndexSettings

if TYPE_CHECKING:
    from collections.abc import Callable

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
    interpreters=(),
    key="k3y",
)
TAG = "aarch64-wheels/debian:k3y"


@dataclass
class FakeEngine:
    """An engine that holds images by the content of their archives: name, labels."""

    name: str = "podman"
    images: dict[str, str] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)

    def has_image(self, reference: str) -> bool:
        return reference in self.images

    def image_id(self, reference: str) -> str:
        return f"sha256:{self.images[reference]}"

    def image_labels(self, reference: str) -> dict[str, str]:
        labels: dict[str, str] = json.loads(self.images[reference])
        return labels

    def load(self, archive: Path) -> str:
        tag, _, labels = archive.read_text().partition("\n")
        self.images[tag] = labels
        return self.image_id(tag)

    def forget_image(self, reference: str) -> None:
        self.forgotten.append(reference)

    def forget_above(self, reference: str) -> None:
        self.forgotten.append(f"above {reference}")


@dataclass
class Store:
    """An image's store with everything around it replaced: mirror, assembly, engine."""

    image: EmbeddedImage
    engine: FakeEngine = field(default_factory=FakeEngine)
    mirror: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    assembled: list[Path] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def fetch(self, packages: PackageSet) -> None:
        directory = self.directory(packages)
        if not (directory / "release").is_file():
            self.fetched.append(packages.name)
            directory.mkdir(parents=True, exist_ok=True)
            (directory / "release").write_text(f"{self.mirror[packages.name]}  -\n")

    def assemble(self, *arguments: Any) -> None:
        _recipe, _cache, _index, archive, tag, _note = arguments
        for packages in RECIPE.sets:
            self.fetch(packages)
        self.assembled.append(archive)
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.write_text(f"{tag}\n{json.dumps(release_labels(self.mirror))}")

    def ensure(self) -> str:
        return self.image.ensure(cast("Any", self.engine), self.notes.append)

    def refresh(self) -> str:
        return self.image.refresh(cast("Any", self.engine), self.notes.append)

    def directory(self, packages: PackageSet) -> Path:
        return debs_directory(self.image.cache_dir, packages)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Packages of the first release are kept; there is no image yet."""
    image = EmbeddedImage(recipe=RECIPE, cache_dir=tmp_path / "cache", index=IndexSettings())
    made = Store(image=image, mirror={packages.name: "r1" for packages in RECIPE.sets})
    monkeypatch.setattr(store, "assemble", made.assemble)
    monkeypatch.setattr(store, "remove_kept_above", FakeEngine.forget_above)
    monkeypatch.setattr(store, "current_release", lambda row, **_options: made.mirror[row.name])
    for packages in RECIPE.sets:
        made.fetch(packages)
    made.fetched.clear()
    return made


@pytest.fixture
def current(kept: Store) -> Store:
    """The engine holds the image of that release as well."""
    kept.ensure()
    kept.notes.clear()
    kept.assembled.clear()
    return kept


def test_its_names_change_with_the_recipe(tmp_path: Path) -> None:
    image = EmbeddedImage.of_this_version(tmp_path, IndexSettings())
    key = load_recipe().key
    assert image.tag == f"aarch64-wheels/debian:{key}"
    assert image.archive == tmp_path / f"images/debian-{key}.tar"


def test_an_engine_that_holds_it_is_asked_for_nothing_more(kept: Store) -> None:
    kept.engine.images[TAG] = "{}"
    assert (kept.ensure(), kept.assembled, kept.notes) == (TAG, [], [])
    assert not (kept.image.cache_dir / "images").exists()


def test_an_archive_is_loaded_and_not_made_again(kept: Store) -> None:
    kept.image.archive.parent.mkdir()
    kept.image.archive.write_text(f"{TAG}\n{{}}")
    assert (kept.ensure(), kept.assembled) == (TAG, [])
    assert (set(kept.engine.images), kept.notes) == ({TAG}, [f"loading {TAG} into podman"])
    assert kept.engine.forgotten == []


def test_without_an_archive_it_is_assembled(kept: Store) -> None:
    assert (kept.ensure(), kept.assembled) == (TAG, [kept.image.archive])
    assert set(kept.engine.images) == {TAG}
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
    assert kept.engine.images == {}
    assert kept.ensure() == TAG


def _refuse(*_arguments: object, **_options: object) -> None:
    raise UnfitError("the disk is full")


def test_a_rebuild_fetches_the_named_sets_again_and_no_others(kept: Store) -> None:
    kept.image.archive.parent.mkdir()
    kept.image.archive.write_text("the old one")
    kept.image.rebuild(cast("Any", kept.engine), kept.notes.append, (USERLAND,))
    assert kept.fetched == ["userland"]
    assert set(kept.engine.images) == {TAG}


def test_the_image_that_a_rebuild_replaces_is_forgotten(current: Store) -> None:
    old = current.engine.image_id(TAG)
    current.mirror["sysroot"] = "r2"
    current.refresh()
    assert current.engine.forgotten == [f"above {old}", old]
    assert current.engine.image_id(TAG) != old


def test_an_equal_image_is_not_forgotten(current: Store) -> None:
    current.image.rebuild(cast("Any", current.engine), current.notes.append, ())
    assert current.engine.forgotten == []


def test_a_refresh_does_nothing_when_no_suite_has_changed(current: Store) -> None:
    assert (current.refresh(), current.assembled, current.notes) == (TAG, [], [])


def _changed(current: Store) -> None:
    current.mirror["sysroot"] = "r2"


def _cut_off_after_fetching(current: Store) -> None:
    """All packages are new, but the engine holds the image of the old ones."""
    current.mirror["sysroot"] = "r2"
    (current.directory(SYSROOT) / "release").unlink()
    current.fetch(SYSROOT)
    current.fetched.clear()


def _not_loaded(current: Store) -> None:
    current.engine.images.clear()


def _not_loaded_and_changed(current: Store) -> None:
    current.engine.images.clear()
    current.mirror["userland"] = "r2"


def _never_fetched_whole(current: Store) -> None:
    current.engine.images.clear()
    (current.directory(OLD) / "release").unlink()


def _of_unknown_releases(current: Store) -> None:
    current.engine.images[TAG] = "{}"


NOTHING_NEW = "nothing that is not fetched already"
REFRESHES: dict[str, tuple[Callable[[Store], None], str, list[str]]] = {
    "changed": (_changed, "sysroot", ["sysroot"]),
    "cut-off-after-fetching": (_cut_off_after_fetching, NOTHING_NEW, []),
    "image-missing": (_not_loaded, NOTHING_NEW, []),
    "image-missing-and-changed": (_not_loaded_and_changed, "userland", ["userland"]),
    "never-fetched-whole": (_never_fetched_whole, "python3.9", ["python3.9"]),
    "no-labels": (_of_unknown_releases, NOTHING_NEW, []),
}


@pytest.mark.parametrize(("happen", "named", "fetched"), REFRESHES.values(), ids=REFRESHES.keys())
def test_a_refresh_brings_the_engines_image_up_to_date(
    current: Store, happen: Callable[[Store], None], named: str, fetched: list[str]
) -> None:
    happen(current)
    assert current.refresh() == TAG
    assert current.notes[0] == f"changed since the image was made: {named}"
    assert (current.fetched, len(current.assembled)) == (fetched, 1)
    assert current.engine.image_labels(TAG) == release_labels(current.mirror)
    current.notes.clear()
    assert (current.refresh(), current.notes) == (TAG, [])


def test_what_killed_assemblies_have_left_goes(kept: Store) -> None:
    images = kept.image.archive.parent
    (images / "assembly-abc/root").mkdir(parents=True)
    names = ["debian-old.tar", "debian-new.tar", "debian-k3y.layer", "debian-k3y.partial"]
    for name in names:
        (images / name).touch()
    long_ago = time.time() - OLD_SECONDS - 60
    os.utime(images / "debian-old.tar", (long_ago, long_ago))
    kept.ensure()
    left = sorted(path.name for path in images.iterdir())
    assert left == ["assembly.lock", "debian-k3y.tar", "debian-new.tar"]
