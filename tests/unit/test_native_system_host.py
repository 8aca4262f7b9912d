"""This host as a source: what is fetched and laid out, and the keys under which it is kept."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.native.choose import choose_system
from aarch64_wheels.native.debian import DebianSystem
from aarch64_wheels.native.host_system import (
    HostSystem,
    host_libraries,
    loaded_from,
    own_program,
    own_version,
)
from aarch64_wheels.native.relocation import Libraries
from aarch64_wheels.native.system import NoInterpreter
from aarch64_wheels.processes import Processes
from tests.unit.host_python_samples import (
    host_interpreters,
    refuse_downloads,
    stub_uv,
    write_python,
)
from tests.unit.native_system_samples import lay_glibc, logging_relocator, write_elf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aarch64_wheels.native.host_interpreters import HostInterpreters


@pytest.fixture
def uv_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return refuse_downloads(tmp_path, monkeypatch)


def _system(tmp_path: Path, interpreters: HostInterpreters) -> HostSystem:
    relocator, _ = logging_relocator(tmp_path)
    return HostSystem(
        libraries=lay_glibc(tmp_path / "lib"),
        interpreters=interpreters,
        cache_dir=tmp_path / "cache",
        relocator=relocator,
        own_version="3.13",
    )


def _asked(log: Path, what: str) -> int:
    return [line.split()[0] for line in log.read_text().splitlines()].count(what)


def test_a_download_that_failed_is_told_and_not_tried_again_at_once(
    tmp_path: Path, uv_log: Path
) -> None:
    system = _system(tmp_path, host_interpreters(tmp_path))
    for _ in range(2):
        with pytest.raises(NoInterpreter, match=r"no native CPython 3\.13") as caught:
            system.lay_interpreter("3.13", tmp_path / "cp313")
        assert caught.value.reason.endswith("uv cannot fetch one: name not known")
        assert caught.value.version == "3.13"
    assert _asked(uv_log, "install") == 1
    os.utime(tmp_path / "cache/pythons/3.13.failed", (0, 0))
    with pytest.raises(NoInterpreter):
        system.lay_interpreter("3.13", tmp_path / "cp313")
    assert _asked(uv_log, "install") == 2
    assert not (tmp_path / "cp313").exists()


def test_a_fetched_interpreter_is_laid_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = write_python(tmp_path / "waiting")
    kept = tmp_path / "cache/pythons"
    stub_uv(tmp_path, monkeypatch, f'/bin/mkdir -p "{kept}" && /bin/cp "{waiting}" "{kept}/"')
    (tmp_path / "waiting/library").mkdir()
    system = _system(tmp_path, host_interpreters(tmp_path))
    write_script(tmp_path / "lib/ld-linux-x86-64.so.2", "#!/bin/sh\n")
    monkeypatch.setattr(HostSystem, "_starter", lambda *_a: ("/bin/true",))
    monkeypatch.setattr("aarch64_wheels.native.host_system.shared_libraries", lambda _libraries: {})
    system.lay_interpreter("3.13", tmp_path / "cp313")
    assert (tmp_path / "cp313/bin/python3").readlink() == Path("python3.13")


@pytest.mark.usefixtures("uv_log")
def test_what_is_fetched_but_does_not_run_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub_uv(tmp_path, monkeypatch, "exit 0")
    with pytest.raises(NoInterpreter, match=r"3\.13") as caught:
        _system(tmp_path, host_interpreters(tmp_path)).lay_interpreter("3.13", tmp_path / "cp313")
    assert caught.value.reason == "what uv has fetched does not run here"


def _anew(system: HostSystem) -> HostSystem:
    """Give the system as the next run sees it: what was read is remembered within one."""
    return HostSystem(
        libraries=Libraries(directories=system.libraries.directories),
        interpreters=system.interpreters,
        cache_dir=system.cache_dir,
        relocator=system.relocator,
        own_version=system.own_version,
    )


def test_the_key_changes_with_any_library(tmp_path: Path) -> None:
    system = _system(tmp_path, host_interpreters(tmp_path))
    before = system.key
    assert before == _anew(system).key
    assert replace(system, own_version="3.12").key != before
    write_elf(tmp_path / "lib/libssl.so.3", "libc.so.6")
    with_ssl = _anew(system).key
    write_elf(tmp_path / "lib/libssl.so.3", "libc.so.6", "libm.so.6")
    assert len({before, with_ssl, _anew(system).key}) == 3


def _lay_extensions(place: Path) -> None:
    write_elf(place / "library/lib-dynload/_dbm.so", "libdb.so", runpath=f"{place}/own")
    write_elf(place / "own/libdb.so.1", "libc.so.6")
    (place / "own/libdb.so").symlink_to("libdb.so.1")


def _relink(place: Path) -> None:
    write_elf(place / "own/libdb.so.2", "libc.so.6", "libm.so.6")
    (place / "own/libdb.so").unlink()
    (place / "own/libdb.so").symlink_to("libdb.so.2")


UPGRADES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "nothing": (lambda _place: None, False),
    "program": (lambda place: write_elf(place / "real", "libc.so.6"), True),
    "extension": (lambda place: os.utime(place / "library/lib-dynload/_dbm.so", (1, 1)), True),
    "library": (lambda place: write_elf(place / "own/libdb.so.1", "libm.so.6"), True),
    "library-of-another-name": (_relink, True),
    "library-gone": (lambda place: (place / "own/libdb.so").unlink(), True),
    "c-library": (lambda place: write_elf(place.parent / "lib/libc.so.6", "new.so"), True),
}


@pytest.mark.parametrize(("upgrade", "counts"), UPGRADES.values(), ids=UPGRADES.keys())
@pytest.mark.usefixtures("uv_log")
def test_an_upgraded_interpreter_has_another_key(
    tmp_path: Path, upgrade: Callable[[Path], object], *, counts: bool
) -> None:
    write_python(tmp_path / "own")
    _lay_extensions(tmp_path / "own")
    system = _system(tmp_path, host_interpreters(tmp_path, (tmp_path / "own",)))
    before = system.interpreter_key("3.13", print)
    upgrade(tmp_path / "own")
    after = [_anew(system).interpreter_key("3.13", print) for _ in range(2)]
    assert after[0] == after[1]
    assert (after[0] != before) is counts


@pytest.mark.usefixtures("uv_log")
def test_another_interpreter_of_the_same_version_has_another_key(tmp_path: Path) -> None:
    keys = []
    for name in ("a", "b"):
        own = write_python(tmp_path / name)
        system = _system(tmp_path, host_interpreters(tmp_path, own=own))
        keys.append(system.interpreter_key("3.13", print))
    assert keys[0] != keys[1]


def test_a_download_is_told_before_it_starts(tmp_path: Path, uv_log: Path) -> None:
    notes: list[str] = []
    with pytest.raises(NoInterpreter):
        _system(tmp_path, host_interpreters(tmp_path)).interpreter_key("3.13", notes.append)
    assert notes == ["fetching a native CPython 3.13"]
    assert _asked(uv_log, "install") == 1


def test_the_loader_is_found_by_what_this_process_uses() -> None:
    maps = """\
7f0-7f1 r-xp 00000000 08:01 11 /opt/with space/libz.so.1
7f1-7f2 r-xp 00000000 08:01 12 /usr/lib64/libc.so.6
7f2-7f3 rw-p 00000000 00:00 0 [heap]
7f3-7f4 r-xp 00000000 08:01 13 /lib64/ld-linux-x86-64.so.2
7f4-7f5 rw-p 00000000 00:00 0
"""
    assert loaded_from(maps) == (Path("/usr/lib64"), Path("/lib64"))


def test_this_hosts_libraries_are_searched_where_its_loader_looks() -> None:
    directories = host_libraries().directories
    assert len(set(directories)) == len(directories)
    assert all(path.is_absolute() for path in directories)


def test_this_interpreter_knows_itself() -> None:
    assert own_version().startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert own_program().is_file()


@pytest.mark.parametrize(("embedded", "kind"), [(True, DebianSystem), (False, HostSystem)])
def test_the_image_decides_where_native_programs_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type, *, embedded: bool
) -> None:
    monkeypatch.setattr(
        "aarch64_wheels.native.choose.host_libraries", lambda: lay_glibc(tmp_path / "lib")
    )
    environ: Mapping[str, str] = {"HOME": str(tmp_path)}
    system = choose_system(
        embedded=embedded,
        cache_dir=tmp_path,
        patchelf=tmp_path / "patchelf",
        processes=Processes(),
        environ=environ,
    )
    assert type(system) is kind
    assert system.tools_version == ("3.13" if embedded else own_version())
    assert system.key == system.key
