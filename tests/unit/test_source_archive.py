from __future__ import annotations

import errno
import gzip
import shutil
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.epoch import EARLIEST
from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.source.archive import unpack
from aarch64_wheels.source.members import Limits
from tests.unit.archive_samples import entry, files, make_tar, make_zip

if TYPE_CHECKING:
    from pathlib import Path


def test_a_tar_is_unpacked_below_the_work_directory(tmp_path: Path) -> None:
    file = make_tar(tmp_path / "a-1.tar.gz", [entry("./a-1/setup.py"), entry("a-1/src/a.c")])
    root = unpack(file, tmp_path / "work")
    assert root.name == "a-1"
    assert root.is_relative_to(tmp_path / "work")
    assert files(root) == ["setup.py", "src/a.c"]
    assert root != unpack(file, tmp_path / "work")


def test_links_inside_the_sdist_are_kept(tmp_path: Path) -> None:
    members = [
        entry("a-1/link", tarfile.SYMTYPE, "README"),
        entry("a-1/README"),
        entry("a-1/hard", tarfile.LNKTYPE, "a-1/README"),
    ]
    root = unpack(make_tar(tmp_path / "a-1.tar.gz", members), tmp_path / "work")
    assert (root / "link").is_symlink()
    assert (root / "link").read_text() == (root / "hard").read_text() == "x"


def test_links_that_stay_inside(tmp_path: Path) -> None:
    members = [
        entry("a-1/lib/x.so", tarfile.SYMTYPE, "x.so.1"),
        entry("a-1/lib/x.so.1", tarfile.SYMTYPE, "../src/./x.so.1.2"),
        entry("a-1/src/x.so.1.2"),
        entry("a-1/docs", tarfile.SYMTYPE, "src"),
        entry("a-1/dangling", tarfile.SYMTYPE, "src/nothing"),
    ]
    root = unpack(make_tar(tmp_path / "a-1.tar.gz", members), tmp_path / "work")
    assert (root / "lib/x.so").read_text() == (root / "docs/x.so.1.2").read_text() == "x"
    assert str((root / "dangling").readlink()) == "src/nothing"


def test_a_hard_link_is_a_copy_and_counts_as_one(tmp_path: Path) -> None:
    members = [entry("a-1/f"), entry("a-1/h", tarfile.LNKTYPE, "a-1/f")]
    file = make_tar(tmp_path / "a-1.tar.gz", members, b"x" * 100)
    root = unpack(file, tmp_path / "work")
    assert (root / "h").stat().st_ino != (root / "f").stat().st_ino
    with pytest.raises(UsageError, match="more than 150 bytes"):
        unpack(file, tmp_path / "work", limits=Limits(size=150))


def test_the_last_file_of_a_name_counts(tmp_path: Path) -> None:
    root = unpack(make_tar(tmp_path / "a-1.tar.gz", [entry("a-1/f")] * 2), tmp_path / "work")
    assert files(root) == ["f"]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (0o644, 0o644),
        (0o7777, 0o755),
        (0o666, 0o644),
        (0o600, 0o600),
        (0o011, 0o600),
        (0o100, 0o700),
        (0, 0o600),
    ],
)
def test_modes_of_files(tmp_path: Path, mode: int, expected: int) -> None:
    member = entry("a-1/f")
    member.mode = mode
    root = unpack(make_tar(tmp_path / "a-1.tar.gz", [member]), tmp_path / "work")
    assert stat.S_IMODE((root / "f").stat().st_mode) == expected


def test_modes_of_directories_are_ours(tmp_path: Path) -> None:
    member = entry("a-1/d", tarfile.DIRTYPE)
    member.mode = 0
    file = make_tar(tmp_path / "a-1.tar.gz", [member, entry("a-1/d/f")])
    root = unpack(file, tmp_path / "work")
    assert stat.S_IMODE((root / "d").stat().st_mode) & 0o700 == 0o700


@pytest.mark.parametrize(
    ("mtime", "kept"),
    [
        ("1700000000.5", True),
        ("0", True),
        ("inf", False),
        ("-inf", False),
        ("nan", False),
        ("-1", False),
        ("1e18", False),
    ],
)
def test_times_of_files(tmp_path: Path, mtime: str, kept: bool) -> None:  # noqa: FBT001  # a table's column
    member = entry("a-1/f")
    member.pax_headers = {"mtime": mtime}
    root = unpack(make_tar(tmp_path / "a-1.tar.gz", [member]), tmp_path / "work")
    found = (root / "f").stat().st_mtime
    assert found == (int(float(mtime)) if kept else EARLIEST)


def test_a_python_without_data_filter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian 12's Python is 3.11.2, which knows no PEP 706."""
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    root = unpack(make_tar(tmp_path / "a-1.tar.gz", [entry("a-1/f")]), tmp_path / "work")
    assert files(root) == ["f"]


def test_a_full_disk_is_not_the_archives_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(UnfitError, match="cannot unpack the source"):
        unpack(make_tar(tmp_path / "a-1.tar.gz", [entry("a-1/f")]), tmp_path / "work")


def test_a_zip_keeps_what_is_executable(tmp_path: Path) -> None:
    file = make_zip(tmp_path / "a-1.zip", ["a-1/configure"], stat.S_IFREG | 0o777)
    root = unpack(file, tmp_path / "work")
    assert stat.S_IMODE((root / "configure").stat().st_mode) == 0o755


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
    file = make_tar(tmp_path / "a-1.tar.gz", [entry("a-1/f"), entry("a-1/g")], content)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(UsageError, match="is not a readable sdist"):
        unpack(file, tmp_path / "work")


@pytest.mark.parametrize("name", ["a-1.tar.gz", "a-1.zip"])
def test_no_top_directory(tmp_path: Path, name: str) -> None:
    build = make_zip if name.endswith(".zip") else None
    file = build(tmp_path / name, []) if build else make_tar(tmp_path / name, [])
    with pytest.raises(UsageError, match="is not an sdist"):
        unpack(file, tmp_path / "work")
