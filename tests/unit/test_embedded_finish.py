"""The steps that stand in for maintainer scripts, unpacking, and bytecode."""

from __future__ import annotations

import importlib.util
import io
import marshal
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.embedded.bytecode import HostInterpreters, compile_trees
from aarch64_wheels.embedded.finish import finish_system, write_script
from aarch64_wheels.embedded.unpack import prepare_root, unpack
from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from pathlib import Path
    from types import CodeType

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """What is there of a Debian system once its packages are unpacked."""
    for name in ("passwd", "group"):
        master = tmp_path / f"usr/share/base-passwd/{name}.master"
        master.parent.mkdir(parents=True, exist_ok=True)
        master.write_text(f"root of {name}\n")
    authorities = tmp_path / "usr/share/ca-certificates/mozilla"
    authorities.mkdir(parents=True)
    (authorities / "b.crt").write_bytes(b"B\n\n")
    (authorities / "a.crt").write_bytes(b"A")
    for name in ("etc", "usr/bin"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_users_certificates_and_links(system: Path) -> None:
    (system / "usr/bin/awk").symlink_to("/etc/alternatives/awk")
    finish_system(system)
    assert (system / "etc/passwd").read_text() == "root of passwd\n"
    assert (system / "etc/group").read_text() == "root of group\n"
    assert (system / "etc/ssl/certs/ca-certificates.crt").read_bytes() == b"A\nB\n"
    assert str((system / "usr/bin/awk").readlink()) == "gawk"
    assert str((system / "usr/bin/which").readlink()) == "which.debianutils"


@pytest.mark.parametrize(("name", "mode"), [("tmp", 0o1777), ("var/tmp", 0o1777), ("root", 0o700)])
def test_places_and_who_may_write_there(system: Path, name: str, mode: int) -> None:
    finish_system(system)
    assert (system / name).stat().st_mode & 0o7777 == mode


def test_mount_points_are_there(system: Path) -> None:
    (system / "proc").mkdir()
    finish_system(system)
    assert all((system / name).is_dir() for name in ("proc", "sys", "dev", "run", "project"))


def test_a_script_replaces_a_link_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("untouched")
    (tmp_path / "script").symlink_to("other")
    write_script(tmp_path / "script", "#!/bin/sh\necho ran\n")
    answer = subprocess.run([tmp_path / "script"], capture_output=True, check=True).stdout
    assert (answer, (tmp_path / "other").read_text()) == (b"ran\n", "untouched")


@pytest.fixture
def _plain_debs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `dpkg-deb` for packages that are nothing but their tar file."""
    write_script(tmp_path / "bin/dpkg-deb", '#!/bin/sh\n[ "$1" = --fsys-tarfile ] && cat "$2"\n')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")


def _deb(path: Path, *names: str, mode: int = 0o644) -> Path:
    """A package with these files and, as real ones have, an entry for each directory."""
    with tarfile.open(path, "w") as tar:
        for name in names:
            directory = tarfile.TarInfo(name.rpartition("/")[0])
            directory.type, directory.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(directory)
            member = tarfile.TarInfo(name)
            member.mode, member.uid, member.size = mode, 1234, 4
            tar.addfile(member, io.BytesIO(b"text"))
    return path


@pytest.mark.usefixtures("_plain_debs")
def test_packages_follow_the_links_of_a_merged_system(tmp_path: Path) -> None:
    root = tmp_path / "root"
    prepare_root(root)
    prepare_root(root)  # a second set comes into the same place
    unpack(
        [_deb(tmp_path / "a.deb", "./bin/sh", "./lib/x.so"), _deb(tmp_path / "b.deb", "./bin/ed")],
        root,
    )
    assert (root / "bin").is_symlink()
    for name in ("usr/bin/sh", "usr/bin/ed", "usr/lib/x.so"):
        assert (root / name).read_text() == "text"


@pytest.mark.usefixtures("_plain_debs")
def test_modes_are_kept(tmp_path: Path) -> None:
    unpack([_deb(tmp_path / "a.deb", "./usr/bin/su", mode=0o4755)], tmp_path / "root")
    assert (tmp_path / "root/usr/bin/su").stat().st_mode & 0o7777 == 0o4755


PARTS = {
    "./usr/share/doc/bash/copyright": True,
    "./usr/share/doc/bash/changelog.Debian.gz": False,
    "./usr/share/man/man1/bash.1.gz": False,
    "./usr/share/locale/de/x.mo": False,
    "./usr/lib/python3.13/EXTERNALLY-MANAGED": False,
    "./usr/lib/python3.13/os.py": True,
    "./usr/lib/aarch64-linux-gnu/libpython3.13.so": False,
    "./usr/lib/aarch64-linux-gnu/libpython3.13.so.1.0": True,
    "./usr/lib/python3.13/config-3.13-aarch64-linux-gnu/libpython3.13.a": False,
}


@pytest.mark.usefixtures("_plain_debs")
@pytest.mark.parametrize("name", PARTS)
def test_what_is_unpacked(tmp_path: Path, name: str) -> None:
    unpack([_deb(tmp_path / "a.deb", name)], tmp_path / "root")
    assert (tmp_path / "root" / name).exists() is PARTS[name]


@pytest.mark.usefixtures("_plain_debs")
def test_a_damaged_package_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / "bash_5.3_arm64.deb"
    damaged.write_bytes(b"<html>not found</html>" * 40)
    with pytest.raises(UnfitError, match=r"cannot unpack bash_5\.3_arm64\.deb") as caught:
        unpack([damaged], tmp_path / "root")
    assert "--no-cache" in caught.value.hint
    assert caught.value.found


def _natives(tmp_path: Path, loader: str) -> HostInterpreters:
    """Interpreters whose "loader" is a script: `--library-path DIRECTORIES PYTHON ...`."""
    write_script(tmp_path / "host/usr/lib64/ld-linux-x86-64.so.2", f"#!/bin/sh\n{loader}\n")
    return HostInterpreters(root=tmp_path / "host")


def _code(path: Path) -> tuple[int, CodeType]:
    compiled = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
    data = compiled.read_bytes()
    assert data[:4] == importlib.util.MAGIC_NUMBER
    return int.from_bytes(data[4:8], "little"), marshal.loads(data[16:])  # noqa: S302


def test_interpreters_run_with_their_own_loader_and_libraries(tmp_path: Path) -> None:
    loader, option, libraries, python = _natives(tmp_path, "").argv("3.13")
    assert loader == f"{tmp_path}/host/usr/lib64/ld-linux-x86-64.so.2"
    assert option == "--library-path"
    assert all(part.startswith(f"{tmp_path}/host/usr/lib") for part in libraries.split(":"))
    assert python == f"{tmp_path}/host/usr/bin/python3.13"


def test_bytecode_names_paths_of_the_image(tmp_path: Path) -> None:
    natives = _natives(tmp_path, f'shift 3; exec "{sys.executable}" "$@"')
    library = tmp_path / "root/usr/lib/python"
    (library / "test").mkdir(parents=True)
    for name in ("os.py", "test/suite.py"):
        (library / name).write_text("def f(): return 1\n")
    (library / "broken.py").write_text("def f(:\n")
    compile_trees(natives, VERSION, tmp_path / "root", ["/usr/lib/python"])
    flags, code = _code(library / "os.py")
    assert flags == 0b01  # PEP 552: by hash, and the source is never looked at
    assert code.co_filename == "/usr/lib/python/os.py"
    assert not (library / "test/__pycache__").exists()


def test_an_interpreter_that_does_not_run_says_why(tmp_path: Path) -> None:
    natives = _natives(tmp_path, "echo 'FATAL: kernel too old' >&2; exit 127")
    with pytest.raises(UnfitError, match=r"bytecode of CPython 3\.13") as caught:
        compile_trees(natives, "3.13", tmp_path / "root", ["/usr/lib/python3.13"])
    assert caught.value.found == "FATAL: kernel too old"
