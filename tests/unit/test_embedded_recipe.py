"""The recipe: whole, consistent with the catalogue, and with a key that tells when it changes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.embedded.recipe import HOST, PackageSet, load_recipe

if TYPE_CHECKING:
    from pathlib import Path

SET = PackageSet(
    name="sysroot",
    suite="bullseye",
    architecture="arm64",
    into="/opt/gcc-10",
    closure=("bash",),
    alone=("libc6",),
)


def _versions() -> list[str]:
    tags = find_image("debian").interpreters or ()
    return [row.version for row in interpreters() if row.tag in tags]


def test_sets_have_a_name_each_and_something_to_fetch() -> None:
    sets = load_recipe().sets
    assert len({row.name for row in sets}) == len({row.key for row in sets}) == len(sets)
    assert all(row.closure or row.alone for row in sets)


def test_only_what_runs_on_this_host_is_of_its_architecture() -> None:
    sets = load_recipe().sets
    assert {row.architecture for row in sets} == {"arm64", HOST}
    assert all((row.into == HOST) == (row.architecture == HOST) for row in sets)


def test_the_sysroot_is_one_of_the_sets_places() -> None:
    recipe = load_recipe()
    (sysroot,) = [row for row in recipe.sets if row.into == str(recipe.sysroot)]
    compilers = {f"{name}-{recipe.gcc_version}" for name in ("gcc", "g++", "gfortran")}
    assert compilers <= set(sysroot.alone)


@pytest.mark.parametrize("architecture", ["arm64", HOST])
@pytest.mark.parametrize("version", _versions())
def test_each_interpreter_of_the_catalogue_is_fetched(version: str, architecture: str) -> None:
    sets = [row for row in load_recipe().sets if row.architecture == architecture]
    names = {name for row in sets for name in (*row.closure, *row.alone)}
    assert {f"python{version}", f"python{version}-minimal"} & names
    # Debian keeps the standard library apart: with only a part of it no build backend runs.
    assert {f"python{version}", f"libpython{version}-stdlib"} & names
    if architecture == "arm64":
        assert f"libpython{version}-dev" in names


def test_no_glibc_development_files_outside_of_the_sysroot() -> None:
    recipe = load_recipe()
    others = [row for row in recipe.sets if row.into not in (str(recipe.sysroot), HOST)]
    names = {name for row in others for name in (*row.closure, *row.alone)}
    assert not names & {"libc6-dev", "linux-libc-dev", "libcrypt-dev", "build-essential"}


CHANGES: dict[str, dict[str, Any]] = {
    "suite": {"suite": "bookworm"},
    "architecture": {"architecture": "host"},
    "packages": {"alone": ("libc6", "libc6-dev")},
    "with-dependencies": {"closure": ("bash", "libc6"), "alone": ()},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_sets_key_changes_with_what_is_fetched(change: dict[str, Any]) -> None:
    assert replace(SET).key == SET.key
    assert replace(SET, **change).key != SET.key


def test_a_row_without_packages_of_a_kind() -> None:
    row = {"name": "n", "suite": "s", "architecture": "host", "into": "host", "alone": ["a"]}
    assert (PackageSet.from_row(row).closure, PackageSet.from_row(row).alone) == ((), ("a",))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's data and code that a test can change."""
    for name in ("data", "embedded"):
        shutil.copytree(str(resources.files("aarch64_wheels") / name), tmp_path / name)

    def files(module: str) -> Path:
        return tmp_path / module.removeprefix("aarch64_wheels").lstrip(".")

    monkeypatch.setattr("aarch64_wheels.embedded.recipe.resources.files", files)
    return tmp_path


DATA = ("embedded.toml", "ensurepip.py", "fetch-debs.sh", "image.txt", "image-tools.txt")
PARTS = [f"data/{name}" for name in (*DATA, "thread_atexit.s")]


@pytest.mark.parametrize("name", [*PARTS, "embedded/finish.py", "embedded/new.py"])
def test_the_key_changes_with_everything_that_makes_the_image(package: Path, name: str) -> None:
    before = load_recipe().key
    with (package / name).open("a", encoding="utf-8") as part:
        part.write("# changed\n")
    assert load_recipe().key != before


def test_the_key_changes_with_the_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_recipe()
    assert [row.version for row in before.interpreters] == _versions()
    fewer = before.interpreters[1:]
    monkeypatch.setattr("aarch64_wheels.embedded.recipe.interpreters", lambda: fewer)
    after = load_recipe()
    assert (after.interpreters, after.key == before.key) == (fewer, False)


@pytest.mark.parametrize("name", ["data/images.toml", "embedded/__pycache__/finish.pyc"])
def test_the_key_stays_when_something_else_changes(package: Path, name: str) -> None:
    before = load_recipe().key
    (package / name).parent.mkdir(exist_ok=True)
    with (package / name).open("a", encoding="utf-8") as part:
        part.write("# changed\n")
    assert load_recipe().key == before
