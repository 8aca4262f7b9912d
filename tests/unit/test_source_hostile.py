from __future__ import annotations

import gzip
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import UsageError
from aarch64_wheels.source.archive import unpack
from aarch64_wheels.source.members import Limits
from tests.unit.archive_samples import entry, files, make_tar, make_zip

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([entry("a-1/f"), entry("../evil")], id="parent"),
        pytest.param([entry("a-1/f"), entry("a-1/../../evil")], id="parent-inside"),
        pytest.param([entry("/evil")], id="absolute"),
        pytest.param([entry("a-1/f"), entry("evil")], id="second-top"),
        pytest.param([entry("a-1/evil", tarfile.SYMTYPE, "../../outside")], id="symlink-out"),
        pytest.param([entry("a-1/evil", tarfile.SYMTYPE, "/etc")], id="symlink-absolute"),
        pytest.param([entry("a-1/evil", tarfile.LNKTYPE, "../outside")], id="hard-link-out"),
        pytest.param(
            [entry("a-1/s", tarfile.SYMTYPE, "f"), entry("a-1/evil", tarfile.LNKTYPE, "a-1/s")],
            id="hard-link-to-symlink",
        ),
        pytest.param([entry("a-1/evil", tarfile.CHRTYPE)], id="device"),
        pytest.param([entry("a-1/evil", tarfile.FIFOTYPE)], id="fifo"),
        pytest.param([entry("a-1/evil", tarfile.GNUTYPE_SPARSE)], id="sparse"),
        pytest.param([entry("a-1/evil", tarfile.SYMTYPE, "")], id="symlink-to-nothing"),
        pytest.param([entry("a-1/evil", tarfile.SYMTYPE, "../a-1/f")], id="symlink-out-and-in"),
        pytest.param([entry("a-1/evil", tarfile.SYMTYPE, "d/../../x")], id="symlink-down-and-up"),
        pytest.param([entry("evil", tarfile.SYMTYPE, "b-1")], id="symlink-as-top"),
        pytest.param(
            [
                entry("a-1/s", tarfile.SYMTYPE, "q/w"),
                entry("a-1/evil", tarfile.SYMTYPE, "s/.."),
            ],
            id="symlink-through-a-link",
        ),
        pytest.param(
            [entry("a-1/evil", tarfile.SYMTYPE, "s/."), entry("a-1/s", tarfile.SYMTYPE, "q")],
            id="symlink-through-a-later-link",
        ),
        pytest.param(
            [entry("a-1/s", tarfile.SYMTYPE, "q"), entry("a-1/s/evil", tarfile.SYMTYPE, "x")],
            id="symlink-below-a-link",
        ),
        pytest.param([entry("a-1/evil/" + "d/" * 1500 + "f")], id="deep"),
        pytest.param([entry("a-1/evil" + "n" * 252)], id="long-name"),
        pytest.param([entry("a-1/evil" + ("/" + "n" * 200) * 20)], id="long-path"),
        pytest.param([entry("a-1/evil", tarfile.SYMTYPE, "n" * 256)], id="long-link"),
    ],
)
def test_hostile_tars_are_refused(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    (tmp_path / "outside").write_text("mine")
    file = make_tar(tmp_path / "a-1.tar.gz", members)
    with pytest.raises(UsageError, match=r"a-1\.tar\.gz is not unpacked: its member .*evil"):
        unpack(file, tmp_path / "work" / "deep")
    assert [name for name in files(tmp_path) if "evil" in name] == []
    assert (tmp_path / "outside").read_text() == "mine"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        pytest.param(
            [entry("a-1/x/f"), entry("a-1/x")], "a file in the place of a directory", id="file"
        ),
        pytest.param(
            [entry("a-1/x"), entry("a-1/x", tarfile.DIRTYPE)],
            "a directory in the place of a file",
            id="directory",
        ),
        pytest.param([entry("a-1/x"), entry("a-1/x/f")], "it is below a file", id="below"),
        pytest.param(
            [entry("a-1/x"), entry("a-1/x", tarfile.SYMTYPE, "f")],
            "a link in the place of a file",
            id="link",
        ),
        pytest.param(
            [entry("a-1/x"), entry("a-1/x", tarfile.LNKTYPE, "a-1/x")],
            "a hard link to itself",
            id="hard-link",
        ),
    ],
)
def test_a_path_means_one_kind(tmp_path: Path, members: list[tarfile.TarInfo], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        unpack(make_tar(tmp_path / "a-1.tar.gz", members), tmp_path / "work")


def _path_max_archive(path: Path) -> Path:
    """Make the archive of CVE-2025-4517: links so long that `realpath` loses its way."""
    component, steps = "d" * 247, "abcdefghijklmnop"
    members, place = [], "a-1"
    for step in steps:
        members.append(entry(f"{place}/{component}", tarfile.DIRTYPE))
        members.append(entry(f"{place}/{step}", tarfile.SYMTYPE, component))
        place = f"{place}/{component}"
    chain = "/".join(steps) + "/" + "l" * 254
    members.append(entry(f"a-1/{chain}", tarfile.SYMTYPE, "../" * len(steps)))
    outside = f"{chain}/{'../' * 3}outside"
    members.append(entry("a-1/escape", tarfile.SYMTYPE, outside))
    members.append(entry("a-1/escape/precious", tarfile.SYMTYPE, "x"))
    return make_tar(path, members)


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(Limits(), id="by-its-paths"),
        pytest.param(Limits(path=10**6), id="by-its-links"),
    ],
)
def test_a_path_beyond_path_max_leads_nowhere(tmp_path: Path, limits: Limits) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("mine")
    file = _path_max_archive(tmp_path / "a-1.tar.gz")
    with pytest.raises(UsageError, match="is not unpacked"):
        unpack(file, tmp_path / "work", limits=limits)
    assert (tmp_path / "outside" / "precious").read_text() == "mine"
    assert [path for path in (tmp_path / "work").rglob("*") if path.is_symlink()] == []


def test_implied_directories_are_bounded(tmp_path: Path) -> None:
    file = make_tar(tmp_path / "a-1.tar.gz", [entry("a-1/b/c/d/f")])
    with pytest.raises(UsageError, match="more than 3 directories"):
        unpack(file, tmp_path / "work", limits=Limits(members=3))


def test_a_negative_size(tmp_path: Path) -> None:
    member = entry("a-1/f")
    member.pax_headers = {"size": "-5"}
    with pytest.raises(UsageError, match=r"a-1\.tar\.gz is not"):
        unpack(make_tar(tmp_path / "a-1.tar.gz", [member]), tmp_path / "work")


def test_headers_upon_headers(tmp_path: Path) -> None:
    """Each extended header makes the parser call itself."""
    member = entry("././@PaxHeader", tarfile.XHDTYPE)
    file = tmp_path / "a-1.tar.gz"
    file.write_bytes(gzip.compress(member.tobuf() * 3000))
    with pytest.raises(UsageError, match="is not a readable sdist"):
        unpack(file, tmp_path / "work")


def test_no_file_is_written_through_a_link(tmp_path: Path) -> None:
    members = [entry("a-1/dir", tarfile.SYMTYPE, "."), entry("a-1/dir/evil")]
    with pytest.raises(UsageError, match="'a-1/dir/evil' is refused"):
        unpack(make_tar(tmp_path / "a-1.tar.gz", members), tmp_path / "work")


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
        make_zip(file, names, content=b"x" * 100)
    else:
        make_tar(file, [entry(name) for name in names], b"x" * 100)
    with pytest.raises(UsageError, match=words) as caught:
        unpack(file, tmp_path / "work", limits=limits)
    assert "'a-1/3'" in caught.value.what


def test_a_long_name_cannot_be_a_bomb(tmp_path: Path) -> None:
    """A member's name comes before any header that could be checked."""
    file = make_tar(tmp_path / "a-1.tar.gz", [entry("a-1/" + "n" * 200_000)])
    with pytest.raises(UsageError, match=r"more bytes than an sdist may have|not a readable sdist"):
        unpack(file, tmp_path / "work", limits=Limits(size=1000, members=1))


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
    file = make_zip(tmp_path / "a-1.zip", names, mode)
    with pytest.raises(UsageError, match=r"a-1\.zip is not unpacked: its member .*evil"):
        unpack(file, tmp_path / "work")
    assert files(tmp_path / "work") == []
