"""Unpacking: what of a package gets into the image, and what a bad package does."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.embedded.unpack import prepare_root, unpack
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from pathlib import Path


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
        Processes(),
    )
    assert (root / "bin").is_symlink()
    for name in ("usr/bin/sh", "usr/bin/ed", "usr/lib/x.so"):
        assert (root / name).read_text() == "text"


@pytest.mark.usefixtures("_plain_debs")
def test_modes_are_kept(tmp_path: Path) -> None:
    unpack([_deb(tmp_path / "a.deb", "./usr/bin/su", mode=0o4755)], tmp_path / "root", Processes())
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
    unpack([_deb(tmp_path / "a.deb", name)], tmp_path / "root", Processes())
    assert (tmp_path / "root" / name).exists() is PARTS[name]


@pytest.mark.usefixtures("_plain_debs")
def test_a_damaged_package_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / "bash_5.3_arm64.deb"
    damaged.write_bytes(b"<html>not found</html>" * 40)
    with pytest.raises(UnfitError, match=r"cannot unpack bash_5\.3_arm64\.deb") as caught:
        unpack([damaged], tmp_path / "root", Processes())
    assert "--no-cache" in caught.value.hint
    assert caught.value.found


def test_what_dpkg_deb_says_of_a_damaged_package_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "dpkg-deb: error: 'bash.deb' is not a Debian format archive"
    write_script(tmp_path / "bin/dpkg-deb", f'#!/bin/sh\necho "{said}" >&2\nexit 2\n')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    with pytest.raises(UnfitError, match=r"cannot unpack bash\.deb") as caught:
        unpack([tmp_path / "bash.deb"], tmp_path / "root", Processes())
    assert said in caught.value.found


def test_a_package_that_ends_in_the_middle_of_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came before is whole, and so tar alone might be content."""
    whole = _deb(tmp_path / "whole.deb", "./usr/bin/sh")
    script = '#!/bin/sh\ncat "$2"\necho "dpkg-deb: error: lzma error: unexpected end" >&2\nexit 2\n'
    write_script(tmp_path / "bin/dpkg-deb", script)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    with pytest.raises(UnfitError, match="cannot unpack whole") as caught:
        unpack([whole], tmp_path / "root", Processes())
    assert caught.value.found == "dpkg-deb: error: lzma error: unexpected end"


def test_a_tar_that_ends_early_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever still holds the pipe's reading end keeps its writer waiting."""
    write_script(tmp_path / "bin/dpkg-deb", "#!/bin/sh\nexec yes\n")
    write_script(tmp_path / "bin/tar", "#!/bin/sh\necho 'tar: read-only disk' >&2\nexit 2\n")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    with pytest.raises(UnfitError, match="cannot unpack") as caught:
        unpack([tmp_path / "bash.deb"], tmp_path / "root", Processes())
    assert "tar: read-only disk" in caught.value.found


def test_without_dpkg_deb_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnfitError, match="needs `dpkg-deb`, which is not installed") as caught:
        unpack([tmp_path / "bash.deb"], tmp_path / "root", Processes())
    assert "doctor --fix" in caught.value.hint
    assert not (tmp_path / "root").exists()
