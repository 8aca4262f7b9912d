"""Tar streams in, and hostile ones out."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.archive import pack, pack_bytes, unpack_file, unpack_flat
from aarch64_wheels.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def names(source: Path, exclude: set[Path] | None = None) -> list[str]:
    with (
        pack(source, PurePosixPath("/there/src"), exclude or set()) as stream,
        tarfile.open(fileobj=stream) as tar,
    ):
        assert {(m.uid, m.gid, m.uname, m.gname) for m in tar} == {(0, 0, "root", "root")}
        return [member.name for member in tar]


def test_a_directory_becomes_the_destination(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/c").touch()
    (tmp_path / "a").touch()
    expected = ["there/src", "there/src/a", "there/src/b", "there/src/b/c"]
    assert names(tmp_path) == expected


def test_a_linked_source_is_followed_and_links_inside_are_not(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "up").symlink_to("..")
    (tmp_path / "alias").symlink_to("tree")
    assert names(tmp_path / "alias") == ["there/src", "there/src/up"]


def test_excluded_paths_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wheelhouse").mkdir()
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path)
    assert names(tmp_path, {Path("wheelhouse")}) == ["there/src", "there/src/src"]


@pytest.mark.parametrize("spelling", ["alias/wheelhouse", "tree/wheelhouse", "tree/../out", "out"])
def test_excluded_paths_may_be_named_through_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    (tmp_path / "tree/wheelhouse").mkdir(parents=True)
    (tmp_path / "tree/a").touch()
    (tmp_path / "alias").symlink_to("tree")
    (tmp_path / "out").symlink_to("tree/wheelhouse")
    monkeypatch.chdir(tmp_path)
    assert names(Path("alias"), {Path(spelling)}) == ["there/src", "there/src/a"]


def test_an_excluded_link_is_left_out_itself(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/out").symlink_to("../elsewhere")
    assert names(tmp_path / "tree", {tmp_path / "tree/out"}) == ["there/src"]


def test_a_second_name_of_a_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("content")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    with (
        pack(tmp_path, PurePosixPath("/x"), {tmp_path / "a"}) as stream,
        tarfile.open(fileobj=stream) as tar,
    ):
        member = tar.extractfile("x/b")
        assert member is not None
        assert member.read() == b"content"


@pytest.mark.parametrize("place", [".git", ".git/modules/sub", "sub/.git"])
def test_a_token_in_gits_configuration_is_not_copied(tmp_path: Path, place: str) -> None:
    """As `actions/checkout` leaves it."""
    header = '[http "https://h.example/"]\n\textraheader = AUTHORIZATION: basic SECRET\n'
    for name in ("objects", "refs"):
        (tmp_path / place / name).mkdir(parents=True)
    (tmp_path / place / "HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / place / "config").write_text(f"{header}[core]\n\tbare = false\n")
    (tmp_path / "config").write_text(header)
    with pack(tmp_path, PurePosixPath("/x"), ()) as stream, tarfile.open(fileobj=stream) as tar:
        inner, own = tar.extractfile(f"x/{place}/config"), tar.extractfile("x/config")
        assert inner is not None
        assert inner.read() == b'[core]\n\tbare = "false"\n'
        assert own is not None
        assert own.read() == header.encode()


def test_git_data_that_is_copied_by_itself_is_cleaned(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[http]\n\textraheader = SECRET\n")
    with (
        pack(tmp_path, PurePosixPath("/project/.git"), ()) as stream,
        tarfile.open(fileobj=stream) as tar,
    ):
        member = tar.getmember("project/.git/config")
        assert member.size == 0


def test_one_file_of_bytes() -> None:
    packed = pack_bytes(PurePosixPath("/etc/x/y"), b"abc", 0o444)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        (member,) = tar.getmembers()
    assert (member.name, member.size, member.mode) == ("etc/x/y", 3, 0o444)


def archive(*members: tuple[str, bytes, bytes]) -> Iterator[bytes]:
    """Make a tar of (name, type, content), given out in small pieces."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "/etc/passwd"
            tar.addfile(info, io.BytesIO(content))
    data = stream.getvalue()
    return (data[start : start + 100] for start in range(0, len(data), 100))


TOP = ("dist", tarfile.DIRTYPE, b"")


def test_files_are_written(tmp_path: Path) -> None:
    members = [("dist/a.whl", tarfile.REGTYPE, b"a" * 3000), ("dist/b.whl", tarfile.REGTYPE, b"b")]
    written = unpack_flat(archive(TOP, *members), tmp_path)
    assert written == [tmp_path / "a.whl", tmp_path / "b.whl"]
    assert (tmp_path / "a.whl").read_bytes() == b"a" * 3000
    assert (tmp_path / "a.whl").stat().st_mode & 0o777 == 0o644


def test_a_link_on_the_host_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.whl").symlink_to(tmp_path / "victim")
    unpack_flat(archive(TOP, ("dist/a.whl", tarfile.REGTYPE, b"new")), tmp_path / "out")
    assert (tmp_path / "victim").read_text() == "precious"
    assert (tmp_path / "out/a.whl").read_text() == "new"


HOSTILE = {
    "parent": ("dist/../a.whl", tarfile.REGTYPE),
    "dots": ("dist/..", tarfile.REGTYPE),
    "absolute": ("/etc/a.whl", tarfile.REGTYPE),
    "another top": ("other/a.whl", tarfile.REGTYPE),
    "no top": ("a.whl", tarfile.REGTYPE),
    "deeper": ("dist/sub/a.whl", tarfile.REGTYPE),
    "new line": ("dist/a\nb.whl", tarfile.REGTYPE),
    "escape": ("dist/\x1b[2J.whl", tarfile.REGTYPE),
    "symbolic link": ("dist/a.whl", tarfile.SYMTYPE),
    "hard link": ("dist/a.whl", tarfile.LNKTYPE),
    "device": ("dist/a.whl", tarfile.BLKTYPE),
    "fifo": ("dist/a.whl", tarfile.FIFOTYPE),
    "directory": ("dist/sub", tarfile.DIRTYPE),
}


@pytest.mark.parametrize(("name", "kind"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_entries_are_refused(tmp_path: Path, name: str, kind: bytes) -> None:
    with pytest.raises(StageError, match="other than plain files"):
        unpack_flat(archive(TOP, (name, kind, b"")), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_where_a_directory_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="not a directory"):
        unpack_flat(archive(("dist", tarfile.REGTYPE, b"x")), tmp_path)


def test_one_file_is_written(tmp_path: Path) -> None:
    unpack_file(archive(("a.whl", tarfile.REGTYPE, b"content")), tmp_path / "b.whl", 7)
    assert (tmp_path / "b.whl").read_bytes() == b"content"


def test_one_file_has_a_limit(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"b\.whl is too large") as caught:
        unpack_file(archive(("a.whl", tarfile.REGTYPE, b"content")), tmp_path / "b.whl", 6)
    assert caught.value.found == "7 bytes (at most 6 are copied)"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE])
def test_one_file_is_a_file(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(StageError, match="other than plain files"):
        unpack_file(archive(("a.whl", kind, b"")), tmp_path / "b.whl", 10)
