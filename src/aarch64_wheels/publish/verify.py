"""After an upload: the index lists each file, with our hash, or we say which it does not."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.index import changed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aarch64_wheels.publish.distributions import Distribution
    from aarch64_wheels.publish.index import Index

#: Seconds to wait for a listing, before the first second look, and at most between two.
PATIENCE = 300.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """Waits for an index.

    Attributes:
        index: is asked. note: told that it is waited for. patience: seconds.
        sleep, clock: the time.
    """

    index: Index
    note: Callable[[str], None]
    patience: float = PATIENCE
    sleep: Callable[[float], None] = field(default=time.sleep)
    clock: Callable[[], float] = field(default=time.monotonic)

    def require(self, files: Sequence[Distribution]) -> None:
        """Wait until all files, which are of one project, are listed with their hashes.

        Raises:
            PublishError: one is listed with another hash, or not at all in time.
        """
        if missing := self.wait(files):
            raise PublishError(
                f"uploaded, but not listed by the index after {self.patience:.0f} s",
                found="\n".join(one.filename for one in missing),
                hint="publish again in some minutes: what is listed then is not sent again",
            )

    def wait(self, files: Sequence[Distribution]) -> list[Distribution]:
        """Wait for the files; gives those that are not listed in time.

        Raises:
            PublishError: one is listed with another hash.
        """
        missing, told, pause = list(files), 0, FIRST_PAUSE
        end = self.clock() + self.patience
        while missing := self._missing(missing):
            left = end - self.clock()
            if left <= 0:
                break
            if told != len(missing):
                told = len(missing)
                self.note(f"waiting for the index to list {told} of {len(files)} files")
            self.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE)
        return missing

    def _missing(self, files: Sequence[Distribution]) -> list[Distribution]:
        if not files:
            return []
        wanted = {one.filename: one.sha256 for one in files}
        try:
            listed = self.index.hasty().hashes(files[0].project, wanted)
        except PublishError as error:  # it has just taken the files: a bad moment, not the end
            self.note(f"{error.what}: {error.found}")
            return list(files)
        if other := changed(listed, wanted):
            raise PublishError(
                f"the index lists other content than was uploaded: {', '.join(other)}",
                found="the SHA-256 is not that of our file",
                hint="find out who else publishes this version; yank the release",
            )
        return [one for one in files if one.filename not in listed]
