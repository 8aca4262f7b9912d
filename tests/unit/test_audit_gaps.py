"""Archives with bytes that belong to no file, or to two."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit.check import audit_wheel
from tests.unit.audit_samples import write_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_judged")


def _local(name: bytes, data: bytes) -> bytes:
    """A stored file as it stands in an archive, which no directory names."""
    sizes = struct.pack("<III", zlib.crc32(data), len(data), len(data))
    head = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 0, 0, 33) + sizes
    return head + struct.pack("<HH", len(name), 0) + name + data


def _before(data: bytes) -> bytes:
    return b"#!/bin/sh\n" + data


def _behind(data: bytes) -> bytes:
    return data + b"PAYLOAD"


def _between(data: bytes) -> bytes:
    """Another file of the same name in front of the central directory."""
    hidden = _local(b"fast.py", b"evil = 1")
    end = data.rindex(b"PK\x05\x06")
    start = struct.unpack("<I", data[end + 16 : end + 20])[0]
    last = data[end : end + 16] + struct.pack("<I", start + len(hidden)) + data[end + 20 :]
    return data[:start] + hidden + data[start:end] + last


def _overlapping(data: bytes) -> bytes:
    """The directory's second file begins where its first one does."""
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    return data[: second + 42] + struct.pack("<I", 0) + data[second + 46 :]


def _same(data: bytes) -> bytes:
    return data


def _commented(data: bytes) -> bytes:
    return data[:-2] + struct.pack("<H", 5) + b"hello"


SPOILED: dict[str, tuple[Callable[[bytes], bytes], list[str]]] = {
    "good": (_same, []),
    "with-a-comment": (_commented, []),
    "before": (_before, ["10 bytes at 0"]),
    "behind": (_behind, ["7 behind its end"]),
    "between": (_between, ["45 bytes at"]),
}


@pytest.mark.parametrize(("spoil", "evidence"), SPOILED.values(), ids=SPOILED.keys())
def test_bytes_of_nobody(
    tmp_path: Path, spoil: Callable[[bytes], bytes], evidence: list[str]
) -> None:
    path = write_wheel(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))
    result = audit_wheel(path)
    assert [row.check for row in result.findings] == ["zip-hidden"] * len(evidence)
    assert all(row.evidence.startswith(evidence[0]) for row in result.findings)


def test_files_that_overlap(tmp_path: Path) -> None:
    """zipfile reads the header, and it is another file's: the archive is damaged for it."""
    path = write_wheel(tmp_path)
    path.write_bytes(_overlapping(path.read_bytes()))
    with pytest.raises(Exception, match="damaged"):
        audit_wheel(path)


def test_data_descriptors_belong_to_their_files(tmp_path: Path) -> None:
    """What is written to a stream that cannot be rewound has its sizes behind the data."""

    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += bytes(data)
            return len(data)

    path = write_wheel(tmp_path)
    stream = Stream()
    with zipfile.ZipFile(path) as wheel, zipfile.ZipFile(stream, "w") as copy:
        for member in wheel.infolist():
            copy.writestr(member.filename, wheel.read(member))
    path.write_bytes(stream.data)
    assert audit_wheel(path).findings == ()
