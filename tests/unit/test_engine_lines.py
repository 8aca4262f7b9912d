"""Bytes to lines."""

from __future__ import annotations

import io
import struct

import pytest

from aarch64_wheels.engine.exec import frames
from aarch64_wheels.engine.lines import LONGEST, LineSplitter

CASES = {
    "plain": ([b"a\nb\n"], ["a", "b"]),
    "no end": ([b"a\nb"], ["a", "b"]),
    "empty lines stay": ([b"a\n\nb\n"], ["a", "", "b"]),
    "split anywhere": ([b"ab", b"c\nd", b"\n"], ["abc", "d"]),
    "windows line ends": ([b"a\r\nb\r", b"\nc"], ["a", "b", "c"]),
    "progress": ([b"1%\r", b"50%\r", b"99%\rdone\n"], ["done"]),
    "progress that ends with a return": ([b"1%\r2%\r\nx\n"], ["2%", "x"]),
    "split character": ([b"\xc3", b"\xa4\n"], ["ä"]),
    "undecodable": ([b"a\xffb\n"], ["a\N{REPLACEMENT CHARACTER}b"]),
    "cut off character": ([b"a\xc3"], ["a\N{REPLACEMENT CHARACTER}"]),
    "nothing": ([b""], []),
}


@pytest.mark.parametrize(("chunks", "expected"), CASES.values(), ids=CASES.keys())
def test_lines(chunks: list[bytes], expected: list[str]) -> None:
    found: list[str] = []
    splitter = LineSplitter(found.append)
    for chunk in chunks:
        splitter.feed(chunk)
    splitter.close()
    assert found == expected


def test_a_line_without_end_comes_in_pieces() -> None:
    found: list[str] = []
    splitter = LineSplitter(found.append)
    for _ in range(5):
        splitter.feed(b"x" * LONGEST)
    splitter.close()
    assert len(found) > 1
    assert sum(map(len, found)) == 5 * LONGEST


def test_endless_progress_is_not_kept() -> None:
    found: list[str] = []
    splitter = LineSplitter(found.append)
    for n in range(5000):
        splitter.feed(b"%d%%\r" % n)
    assert found == []
    splitter.close()
    assert found == ["4999%"]


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


FRAMES = {
    "both streams": (frame(1, b"out") + frame(2, b"err"), [(1, b"out"), (2, b"err")]),
    "empty frame": (frame(1, b"") + frame(1, b"x"), [(1, b""), (1, b"x")]),
    "cut off in the header": (frame(1, b"x") + b"\1\0\0", [(1, b"x")]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("data", "expected"), FRAMES.values(), ids=FRAMES.keys())
def test_frames(data: bytes, expected: list[tuple[int, bytes]]) -> None:
    assert list(frames(io.BytesIO(data))) == expected
