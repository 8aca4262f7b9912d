"""What an index has taken, noted file by file, so that a killed upload goes on where it stopped.

It matters while the index does not list a file yet that it has taken, which is a matter of
minutes. It decides nothing by itself: what the index lists in the end is what counts (`verify`).
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from aarch64_wheels.errors import PublishError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aarch64_wheels.publish.distributions import Distribution

FILE_NAME = ".publish-journal.jsonl"
#: Of a long journal its end is read: what is older counts no more.
_MAX_BYTES = 1 << 22
#: Seconds after which a file that is not listed yet never will be, and is sent again.
PATIENCE = 3600.0


@dataclass(frozen=True, kw_only=True)
class Journal:
    """A file of lines, each a JSON object: time, destination, file name, SHA-256.

    Attributes:
        path: the file, made with the first line. clock: the time, in seconds since 1970.
    """

    path: Path
    clock: Callable[[], float] = field(default=time.time)

    def sent(self, destination: str) -> dict[str, str]:
        """Give what a destination took a short time ago, name to hash; the last word counts."""
        now = self.clock()
        rows = [row for row in self._rows() if row.get("destination") == destination]
        recent = [row for row in rows if _is_recent(row, now)]
        return {str(row.get("filename")): str(row.get("sha256")) for row in recent}

    def note(self, destination: str, one: Distribution) -> None:
        """Note that a destination has taken a file, before anything else is done.

        Raises:
            PublishError: the line cannot be written.
        """
        row = {"time": self.clock(), "destination": destination}
        row |= {"filename": one.filename, "sha256": one.sha256}
        try:
            with open(self.path, "a+b", opener=_careful) as stream:
                stream.write(_line_end(stream) + json.dumps(row).encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise PublishError(
                f"{one.filename} is uploaded, but that cannot be noted in {self.path}",
                found=error.strerror or str(error),
                hint="free space there and publish again: what the index lists is not sent twice",
            ) from error

    def _rows(self) -> list[dict[str, object]]:
        try:
            with open(self.path, "rb", opener=_careful) as stream:
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - _MAX_BYTES))
                lines = stream.read(_MAX_BYTES).splitlines()
        except OSError:
            return []
        return [row for row in map(_parsed, lines) if row]


def _careful(path: str, flags: int) -> int:
    """Open neither what a link leads to, nor a pipe that nobody ever answers at."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)


def _line_end(stream: IO[bytes]) -> bytes:
    """Give what ends a line that a crash has cut off, so that the next one is whole."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - 1))
    return b"" if stream.read(1) in (b"", b"\n") else b"\n"


def _parsed(line: bytes) -> dict[str, object]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # cut off by a crash, or not ours
        return {}
    return row if isinstance(row, dict) else {}


def _is_recent(row: dict[str, object], now: float) -> bool:
    """Tell whether a line counts still; one from the future never would cease to."""
    noted = row.get("time")
    # Compared, not subtracted: JSON has whole numbers that no float can hold.
    return isinstance(noted, int | float) and now - PATIENCE < noted < now + PATIENCE
