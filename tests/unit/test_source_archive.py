from __future__ import annotations

import errno
import gzip
import io
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.source.archive import Limits, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, 0o755
    return info


def _tar(path: Path, members: Sequence[tarfile.TarInfo], content: bytes = b"x") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return path


def _zip(path: Path, names: Sequence[str], mode: int = 0, content: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return path


def _files(directory: Path) -> list[str]:
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if not p.is_dir())


def test_a_tar_is_unpacked_below_the_work_directory(tmp_path: Path) -> None:
    file = _tar(tmp_path / "a-1.tar.gz", [_member("./a-1/setup.py"), _member("a-1/src/a.c")])
    root = unpack(file, tmp_path / "work")
    assert root.name == "a-1"
    assert root.is_relative_to(tmp_path / "work")
    assert _files(root) == ["setup.py", "src/a.c"]
    assert root != unpack(file, tmp_path / "work")


def test_links_inside_the_sdist_are_kept(tmp_path: Path) -> None:
    members = [
        _member("a-1/link", tarfile.SYMTYPE, "README"),
        _member("a-1/README"),
        _member("a-1/hard", tarfile.LNKTYPE, "a-1/README"),
    ]
    root = unpack(_tar(tmp_path / "a-1.tar.gz", members), tmp_path / "work")
    assert (root / "link").is_symlink()
    assert (root / "link").read_text() == (root / "hard").read_text() == "x"


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([_member("a-1/f"), _member("../evil")], id="parent"),
        pytest.param([_member("a-1/f"), _member("a-1/../../evil")], id="parent-inside"),
        pytest.param([_member("/evil")], id="absolute"),
        pytest.param([_member("a-1/f"), _member("evil")], id="second-top"),
        pytest.param([_member("a-1/evil", tarfile.SYMTYPE, "../../outside")], id="symlink-out"),
        pytest.param([_member("a-1/evil", tarfile.SYMTYPE, "/etc")], id="symlink-absolute"),
        pytest.param([_member("a-1/evil", tarfile.LNKTYPE, "../outside")], id="hard-link-out"),
        pytest.param(
            [_member("a-1/s", tarfile.SYMTYPE, "/"), _member("a-1/evil", tarfile.LNKTYPE, "a-1/s")],
            id="hard-link-to-symlink",
        ),
        pytest.param([_member("a-1/evil", tarfile.CHRTYPE)], id="device"),
        pytest.param([_member("a-1/evil", tarfile.FIFOTYPE)], id="fifo"),
    ],
)
def test_hostile_tars_are_refused(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    (tmp_path / "outside").write_text("mine")
    file = _tar(tmp_path / "a-1.tar.gz", members)
    with pytest.raises(UsageError, match=r"a-1\.tar\.gz is not unpacked: its member .*evil"):
        unpack(file, tmp_path / "work" / "deep")
    assert [name for name in _files(tmp_path) if "evil" in name] == []
    assert (tmp_path / "outside").read_text() == "mine"


def test_no_file_is_written_through_a_link(tmp_path: Path) -> None:
    members = [_member("a-1/dir", tarfile.SYMTYPE, "."), _member("a-1/dir/evil")]
    with pytest.raises(UsageError, match="'a-1/dir' is refused"):
        unpack(_tar(tmp_path / "a-1.tar.gz", members), tmp_path / "work")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        pytest.param(Limits(size=250), "more than 250 bytes", id="size"),
        pytest.param(Limits(members=2), "more than 2 members", id="members"),
    ],
)
@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_bounds(tmp_path: Path, suffix: str, limits: Limits, words: str) -> None:
    names = ["a-1/1", "a-1/2", "a-1/3"]
    file = tmp_path / f"a-1{suffix}"
    if suffix == ".zip":
        _zip(file, names, content=b"x" * 100)
    else:
        _tar(file, [_member(name) for name in names], b"x" * 100)
    with pytest.raises(UsageError, match=words) as caught:
        unpack(file, tmp_path / "work", limits=limits)
    assert "'a-1/3'" in caught.value.what


def test_a_long_name_cannot_be_a_bomb(tmp_path: Path) -> None:
    """A member's name comes before any header that could be checked."""
    file = _tar(tmp_path / "a-1.tar.gz", [_member("a-1/" + "n" * 200_000)])
    with pytest.raises(UsageError, match=r"more bytes than an sdist may have|not a readable sdist"):
        unpack(file, tmp_path / "work", limits=Limits(size=1000, members=1))


def test_a_full_disk_is_not_the_archives_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "makefile", full)
    with pytest.raises(UnfitError, match="cannot unpack the source"):
        unpack(_tar(tmp_path / "a-1.tar.gz", [_member("a-1/f")]), tmp_path / "work")


def test_a_zip_keeps_what_is_executable(tmp_path: Path) -> None:
    file = _zip(tmp_path / "a-1.zip", ["a-1/configure"], stat.S_IFREG | 0o777)
    root = unpack(file, tmp_path / "work")
    assert stat.S_IMODE((root / "configure").stat().st_mode) == 0o755


@pytest.mark.parametrize(
    ("names", "mode"),
    [
        pytest.param(["a-1/f", "../evil"], 0, id="parent"),
        pytest.param(["/evil"], 0, id="absolute"),
        pytest.param(["a-1/..\\evil"], 0, id="backslash"),
        pytest.param(["a-1/f", "evil"], 0, id="second-top"),
        pytest.param(["a-1/evil"], stat.S_IFLNK | 0o777, id="symlink"),
    ],
)
def test_hostile_zips_are_refused(tmp_path: Path, names: list[str], mode: int) -> None:
    file = _zip(tmp_path / "a-1.zip", names, mode)
    with pytest.raises(UsageError, match=r"a-1\.zip is not unpacked: its member .*evil"):
        unpack(file, tmp_path / "work")
    assert _files(tmp_path / "work") == []


@pytest.mark.parametrize("name", ["a-1.tar.gz", "a-1.zip"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>not found</html>", id="html"),
        pytest.param(gzip.compress(b"x" * 5000), id="compressed-text"),
        pytest.param(gzip.compress(b"x" * 5000)[:20], id="cut-off"),
    ],
)
def test_what_is_no_archive(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=f"{name} is not"):
        unpack(tmp_path / name, tmp_path / "work")


def test_a_tar_cut_off_in_the_middle(tmp_path: Path) -> None:
    content = bytes(range(256)) * 400
    file = _tar(tmp_path / "a-1.tar.gz", [_member("a-1/f"), _member("a-1/g")], content)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(UsageError, match="is not a readable sdist"):
        unpack(file, tmp_path / "work")


@pytest.mark.parametrize("name", ["a-1.tar.gz", "a-1.zip"])
def test_no_top_directory(tmp_path: Path, name: str) -> None:
    build = _zip if name.endswith(".zip") else None
    file = build(tmp_path / name, []) if build else _tar(tmp_path / name, [])
    with pytest.raises(UsageError, match="is not an sdist"):
        unpack(file, tmp_path / "work")
