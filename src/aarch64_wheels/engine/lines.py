"""Turning a stream of bytes into lines, the way a terminal would show them."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import LineSink

#: A line that never ends (minified output, a binary on stdout) is given out in such pieces.
LONGEST = 64 * 1024


class LineSplitter:
    r"""Decodes UTF-8 (anything else is replaced), splits at line ends, honours `\r`.

    Of a progress bar that overwrites itself only the last state before the line end is given.
    """

    def __init__(self, sink: LineSink) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._sink = sink
        self._pending = ""

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Take the next bytes and give each finished line to the sink."""
        *lines, rest = (self._pending + self._decode(data, final)).split("\n")
        for line in lines:
            self._sink(shown(line))
        if len(rest) > LONGEST:
            self._sink(shown(rest))
            rest = ""
        self._pending = shown(rest) + ("\r" if rest.endswith("\r") else "")

    def close(self) -> None:
        """Give out what came after the last line end."""
        self.feed(b"", final=True)
        if self._pending:
            self._sink(shown(self._pending))
        self._pending = ""


def shown(line: str) -> str:
    r"""Keep what stands in the line after each `\r` has begun it anew."""
    return line.rstrip("\r").rpartition("\r")[2]
