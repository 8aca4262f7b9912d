"""Debian's packages as a source: fetched once, unpacked once, copied by name."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.embedded.recipe import HOST, PackageSet, load_recipe
from aarch64_wheels.native import debian
from aarch64_wheels.native.debian import DebianSystem
from aarch64_wheels.native.system import NoInterpreter
from aarch64_wheels.processes import Processes
from tests.unit.native_system_samples import lay_glibc, logging_relocator, write_elf

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SET = PackageSet(
    name="native-forky",
    suite="forky",
    architecture=HOST,
    into=HOST,
    closure=("python3.13",),
    alone=(),
)


@pytest.fixture
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for fetching and unpacking; notes which set's files were unpacked."""
    done: list[str] = []

    def unpack(debs: Iterable[Path], root: Path, _processes: Processes) -> None:
        done.extend(path.name for path in debs)
        library = root / "usr/lib/python3.13"
        (library / "lib-dynload").mkdir(parents=True, exist_ok=True)
        (library / "os.py").write_text("name = 'posix'\n")
        lay_glibc(root / "usr/lib/x86_64-linux-gnu")
        write_elf(root / "usr/bin/python3.13", "libc.so.6")
        loader = root / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
        loader.chmod(0o755)

    monkeypatch.setattr(debian, "fetch_set", lambda row, *_rest: (tmp_path / f"{row.name}.deb",))
    monkeypatch.setattr(debian, "unpack", unpack)
    return done


def _system(tmp_path: Path, *sets: PackageSet) -> DebianSystem:
    relocator, _ = logging_relocator(tmp_path)
    return DebianSystem(
        sets=sets or (SET,),
        cache_dir=tmp_path / "cache",
        patchelf=relocator.patchelf,
        processes=Processes(),
    )


def test_packages_are_unpacked_once(tmp_path: Path, unpacked: list[str]) -> None:
    system = _system(tmp_path, SET, replace(SET, name="native-bullseye"))
    for name in ("a", "b"):
        system.lay_libraries(tmp_path / name / "lib")
        assert (tmp_path / name / "lib/libc.so.6").is_file()
    _system(tmp_path, *system.sets).lay_libraries(tmp_path / "c/lib")
    assert unpacked == ["native-forky.deb", "native-bullseye.deb"]


def test_an_unpacking_that_was_cut_off_leaves_nothing(
    tmp_path: Path, unpacked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(debian, "fetch_set", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            _system(tmp_path).lay_libraries(tmp_path / "a/lib")
    assert not [path for path in (tmp_path / "cache/native").iterdir() if path.is_dir()]
    _system(tmp_path).lay_libraries(tmp_path / "b/lib")
    assert unpacked == ["native-forky.deb"]


def _interrupt(*_arguments: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("unpacked")
def test_an_interpreter_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = _system(tmp_path)
    system.lay_libraries(tmp_path / "lib")
    (loader,) = (tmp_path / "cache").rglob("ld-linux-x86-64.so.2")
    monkeypatch.setattr(debian, "shared_libraries", lambda _libraries: {})
    loader.unlink()
    write_script(loader, f'#!/bin/sh\nshift 3; exec "{sys.executable}" "$@"\n')
    system.lay_interpreter("3.13", tmp_path / "cp313")
    assert (tmp_path / "cp313/bin/python3.13").is_file()
    assert list((tmp_path / "cp313/lib/python3.13/__pycache__").glob("os.*.pyc"))


@pytest.mark.usefixtures("unpacked")
@pytest.mark.parametrize("version", ["3.12", "3.13t"])
def test_a_version_that_debian_does_not_have(tmp_path: Path, version: str) -> None:
    with pytest.raises(NoInterpreter, match=f"no native CPython {version} ") as caught:
        _system(tmp_path).lay_interpreter(version, tmp_path / "into")
    assert f"python{version}" in caught.value.reason
    assert not (tmp_path / "into").exists()


def test_the_key_changes_with_the_packages(tmp_path: Path) -> None:
    before = _system(tmp_path).key
    assert before == _system(tmp_path).key
    assert before != _system(tmp_path, replace(SET, suite="sid")).key


def test_the_recipe_names_whole_interpreters_for_each_of_the_images(tmp_path: Path) -> None:
    system = DebianSystem.of_this_version(tmp_path, tmp_path / "patchelf", Processes())
    names = {name for row in system.sets for name in (*row.closure, *row.alone)}
    for interpreter in load_recipe().interpreters:
        version = interpreter.version
        assert {f"python{version}", f"libpython{version}-stdlib"} & names
    assert system.tools_version in {row.version for row in load_recipe().interpreters}
