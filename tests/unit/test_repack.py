"""The canonical form of a wheel: the same files give the same bytes, whatever packed them."""

from __future__ import annotations

import hashlib
import stat
import struct
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit.archive import read_wheel
from aarch64_wheels.epoch import EARLIEST, LATEST
from aarch64_wheels.repack import repack
from tests.unit.audit_samples import EXTENSION, GOOD_NAME, INFO, elf, row, wheel_file, write_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

EPOCH = 1_700_000_001
WHEEL = f"{INFO}/WHEEL"
RECORD = f"{INFO}/RECORD"
FILES = {
    EXTENSION: elf(),
    "fast/__init__.py": b"from fast import *\n",
    f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: fast\nVersion: 1.0\n",
    WHEEL: wheel_file().encode(),
    "fast-1.0.data/scripts/fast": b"#!python\n",
    "zebra/empty": b"",
    "fast/straße, and so on.txt": b"grain\n",
}


def pack(
    path: Path,
    names: Iterable[str] = tuple(FILES),
    record: str | None = None,
    *,
    flavour: str = "plain",
) -> Path:
    """Write a wheel of `FILES` in this order, as one of several kinds of program does."""
    rows = [row(f'"{name}"' if "," in name else name, FILES[name]) for name in names]
    said = "".join([*rows, f"{RECORD},,\n"]) if record is None else record
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in [*((name, FILES[name]) for name in names), (RECORD, said.encode())]:
            entry = zipfile.ZipInfo(name, (2001, 2, 3, 4, 5, 6))
            mode = 0o755 if name.startswith("fast-1.0.data/") else 0o644
            entry.external_attr = mode << 16
            if flavour == "other":
                entry.date_time = (2107, 12, 31, 23, 59, 58)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (stat.S_IFREG | mode & 0o511 | 0o2020) << 16
                entry.create_system = 0
                entry.comment, entry.extra = b"made by hand", struct.pack("<HHI", 0x5455, 4, 9)
            archive.writestr(entry, data, compresslevel=1)
        if flavour == "other":
            archive.writestr(f"{INFO}/", b"")
            archive.comment = b"of the archive"
    return path


def repacked(wheel: Path, epoch: int = EPOCH, added: dict[str, bytes] | None = None) -> Path:
    target = wheel.with_name(f"again-{wheel.name}")
    repack(wheel, target, epoch=epoch, added=added or {})
    return target


OTHERS = {
    "order": pack,
    "flavour": lambda path, names: pack(path, names, flavour="other"),
    "record of another algorithm": lambda path, names: pack(
        path,
        names,
        "".join(f'"{n}",sha512={hashlib.sha512(FILES[n]).hexdigest()},0\r\n' for n in names),
    ),
    "empty record": lambda path, names: pack(path, names, ""),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_the_same_files_give_the_same_bytes(tmp_path: Path, other: Callable[..., Path]) -> None:
    first = pack(tmp_path / "first.whl")
    second = other(tmp_path / "second.whl", tuple(reversed(FILES)))
    assert first.read_bytes() != second.read_bytes()
    assert repacked(first).read_bytes() == repacked(second).read_bytes()


def test_a_canonical_wheel_stays_as_it_is(tmp_path: Path) -> None:
    once = repacked(pack(tmp_path / "fast.whl"))
    before = once.read_bytes()
    repack(once, once, epoch=EPOCH)
    assert once.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again-fast.whl", "fast.whl"]


def test_the_files_are_all_there_and_in_their_order(tmp_path: Path) -> None:
    with zipfile.ZipFile(repacked(pack(tmp_path / "fast.whl", flavour="other"))) as archive:
        names = archive.namelist()
        assert {name: archive.read(name) for name in names if name != RECORD} == FILES
    outside = [name for name in FILES if not name.startswith(f"{INFO}/")]
    assert names == [*sorted(outside), f"{INFO}/METADATA", WHEEL, RECORD]


def test_nothing_but_the_files_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(repacked(pack(tmp_path / "fast.whl", flavour="other"))) as archive:
        members = archive.infolist()
        assert archive.comment == b""
    for member in members:
        said = (member.extra, member.comment, member.create_system, member.compress_type)
        assert said == (b"", b"", 3, zipfile.ZIP_DEFLATED)
        assert member.date_time == (2023, 11, 14, 22, 13, 20)
        mode = 0o755 if "scripts" in member.filename else 0o644
        assert member.external_attr >> 16 == stat.S_IFREG | mode


def test_record_is_written_anew(tmp_path: Path) -> None:
    with zipfile.ZipFile(repacked(pack(tmp_path / "fast.whl", record="wrong,,\r\n"))) as archive:
        lines = archive.read(RECORD).decode().splitlines(keepends=True)
    rows = [row(f'"{name}"' if "," in name else name, data) for name, data in FILES.items()]
    assert lines == sorted([*rows, f"{RECORD},,\n"], key=lambda line: line.strip('"'))


def test_the_audit_finds_nothing_wrong(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, record=["nothing,,\n"])
    assert read_wheel(wheel).problems
    repack(wheel, wheel, epoch=EPOCH)
    assert read_wheel(wheel).problems == ()


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [
        pytest.param(0, (1980, 1, 1, 0, 0, 0), id="before zip"),
        pytest.param(EARLIEST, (1980, 1, 1, 0, 0, 0), id="the first"),
        pytest.param(LATEST, (2107, 12, 31, 23, 59, 58), id="the last"),
        pytest.param(10**30, (2107, 12, 31, 23, 59, 58), id="after zip"),
    ],
)
def test_the_time_is_one_that_zip_has(
    tmp_path: Path, epoch: int, expected: tuple[int, ...]
) -> None:
    with zipfile.ZipFile(repacked(pack(tmp_path / "fast.whl"), epoch)) as archive:
        assert {member.date_time for member in archive.infolist()} == {expected}


def test_files_are_put_in_and_replaced(tmp_path: Path) -> None:
    sbom, init = f"{INFO}/sboms/own.cdx.json", "fast/__init__.py"
    wheel = repacked(pack(tmp_path / "fast.whl"), added={sbom: b"{}", init: b""})
    with zipfile.ZipFile(wheel) as archive:
        assert (archive.read(sbom), archive.read(init)) == (b"{}", b"")
        assert archive.namelist()[-4:] == [f"{INFO}/METADATA", WHEEL, sbom, RECORD]
        assert row(sbom, b"{}") in archive.read(RECORD).decode()


def test_signatures_of_the_old_record_go(tmp_path: Path) -> None:
    files = {f"{INFO}/RECORD.jws": b"{}", f"{INFO}/RECORD.p7s": b"", EXTENSION: elf()}
    with zipfile.ZipFile(repacked(write_wheel(tmp_path, files=files))) as archive:
        assert archive.namelist() == [EXTENSION, f"{INFO}/METADATA", WHEEL, RECORD]


def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    size = 48 * 2**20
    wheel = write_wheel(tmp_path, files={"large": bytes(size)})
    tracemalloc.start()
    repack(wheel, wheel, epoch=EPOCH)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2**20
    with zipfile.ZipFile(wheel) as archive:
        assert archive.getinfo("large").file_size == size


def _twice(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(EXTENSION, b"another")


def _link(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo("fast/link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")


def _nameless(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo("x"), b"")
    data = path.read_bytes()
    end = data.index(b"PK\5\6")
    assert data[end - 1 :][:1] == b"x"
    # Its length in the central directory, whose size stands in the last record.
    directory = struct.pack("<H", 0).join([data[: end - 19], data[end - 17 : end - 1]])
    size = struct.unpack("<I", data[end + 12 : end + 16])[0] - 1
    last = data[end : end + 12] + struct.pack("<I", size) + data[end + 16 :]
    path.write_bytes(directory + last)


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(65 * 2**20))


def _outside(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../evil.py", b"")


def _second(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other-1.0.dist-info/RECORD", b"")


def _bzip2(path: Path) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("packed", b"a" * 99)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def _damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"fast") + 60] ^= 0xFF
    path.write_bytes(data)


REFUSED = {
    "duplicate": (_twice, "more than one fast"),
    "link": (_link, "fast/link is no regular file"),
    "nameless": (_nameless, "a file has no name"),
    "outside": (_outside, "../evil.py leads out of the wheel"),
    "bomb": (_bomb, "over 100 times its own size"),
    "two releases": (_second, "2 files called"),
    "method": (_bzip2, "neither stored nor deflated"),
    "cut": (_cut, "not a zip file"),
    "damaged": (_damaged, "Error -3|CRC-32"),
}


@pytest.mark.parametrize(("spoil", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_canonical_form_is_refused_and_leaves_nothing(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    wheel = write_wheel(tmp_path)
    spoil(wheel)
    target = tmp_path / "new.whl"
    with pytest.raises(ValueError, match=reason):
        repack(wheel, target, epoch=EPOCH)
    assert [path.name for path in tmp_path.iterdir()] == [GOOD_NAME]
