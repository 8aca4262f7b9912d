"""The output directory: finished wheels and logs get into it, and nothing is written through links.

It lies inside the source by default, and a source may be hostile: it can bring a `wheelhouse/logs`
of its own, with links that lead anywhere.
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from aarch64_wheels.audit.sarif import FILE_NAME as SARIF_NAME
from aarch64_wheels.errors import StageError, UnfitError
from aarch64_wheels.hashing import sha256_of
from aarch64_wheels.report.model import SdistRecord, WheelRecord
from aarch64_wheels.report.reader import read_target
from aarch64_wheels.report.writer import FILE_NAME
from aarch64_wheels.sharing import find_shared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from aarch64_wheels.audit import AuditResult
    from aarch64_wheels.plan import Target
    from aarch64_wheels.report.model import ObjectRecord, TargetRecord

LOGS = "logs"
#: One line for each target that this run and those it resumes have finished.
RECORDS = "finished.jsonl"
#: So many bytes of it are read: a record has a few thousand.
_MAX_RECORDS = 1 << 26


class Wheelhouse:
    """An output directory during one run; its methods may be called from several threads.

    Attributes:
        directory: exists already.
        rank: of the target that it is used for, in the plan's order.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.rank = 0
        self._lock = threading.Lock()
        self._kept: dict[str, WheelRecord] = {}
        self._ranks: dict[str, int] = {}

    def for_target(self, rank: int) -> Self:
        """Give the same output directory, to be used for a target at that place of the plan."""
        same = copy.copy(self)
        same.rank = rank
        return same

    def prepare(self) -> None:
        """Make `logs/`.

        Raises:
            UnfitError: `logs` is something else, or the directory cannot be written.
        """
        logs = self.directory / LOGS
        with self._preparing():
            if logs.is_symlink():
                raise FileExistsError(0, "it is a link", str(logs))
            logs.mkdir(exist_ok=True)

    def begin(self, *, resume: bool = False) -> None:
        """Take away the report and the findings of an earlier run.

        Args:
            resume: leave what is recorded of its finished targets.

        Raises:
            UnfitError: the directory cannot be written.
        """
        with self._preparing():
            for name in (FILE_NAME, SARIF_NAME):
                (self.directory / name).unlink(missing_ok=True)
            if not resume:
                (self.directory / LOGS / RECORDS).unlink(missing_ok=True)

    @contextmanager
    def _preparing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnfitError(
                f"cannot prepare the output directory {self.directory}",
                found=f"{error.filename or self.directory}: {error.strerror or error}",
                hint="remove what is there, or choose another --output-dir",
            ) from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn a full disk's errors into ours.

        Raises:
            StageError: it cannot be written; finished wheels are as they were.
        """
        try:
            yield
        except OSError as error:
            raise StageError(
                f"cannot write the wheel to {self.directory}",
                found=error.strerror or str(error),
                hint="free some disk space there, or choose another --output-dir",
            ) from error

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Make a directory beside finished wheels, from which a wheel need only be renamed."""
        with self.writing():
            made = tempfile.TemporaryDirectory(prefix=".audit-", dir=self.directory)
        with made as name:
            yield Path(name)

    def keep(
        self, wheel: Path, audit: AuditResult, objects: tuple[ObjectRecord, ...] = ()
    ) -> tuple[WheelRecord, bool]:
        """Move a finished wheel in, unless this run has made one of that name already.

        One for the stable ABI (`abi3`) may be made for several targets at a time, and serves them
        all. That of the first in the plan's order is kept, whichever comes first: it is the same
        in every run. One that was resumed stays.

        Returns:
            The record of the wheel that is in the directory, and whether it is this one.
        """
        with self._lock:
            earlier = self._kept.get(wheel.name)
            if earlier is not None and self._ranks.get(wheel.name, -1) <= self.rank:
                return earlier, False
            sha256 = sha256_of(wheel)
            size = wheel.stat().st_size
            wheel.replace(self.directory / wheel.name)
            record = WheelRecord(
                filename=wheel.name,
                sha256=sha256,
                size=size,
                policy=audit.policy,
                objects=objects,
                findings=audit.findings,
                versions=audit.versions,
            )
            self._kept[wheel.name] = record
            self._ranks[wheel.name] = self.rank
            return record, True

    def kept(self, wheel: WheelRecord) -> WheelRecord:
        """Give the record of the wheel of that name that is in the directory by now."""
        with self._lock:
            return self._kept.get(wheel.filename, wheel)

    def keep_sdist(self, sdist: Path) -> SdistRecord:
        """Copy an sdist in, in place of one of that name; gives its record.

        Raises:
            UnfitError: the directory cannot be written.
        """
        path, draft = self.directory / sdist.name, self.directory / f".{sdist.name}.part"
        try:
            # It may be this very file that the user builds from.
            if path.is_symlink() or not path.exists() or not path.samefile(sdist):
                draft.unlink(missing_ok=True)
                shutil.copyfile(sdist, draft)
                draft.replace(path)
            return SdistRecord(
                filename=sdist.name, sha256=sha256_of(path), size=path.stat().st_size
            )
        except OSError as error:
            raise UnfitError(
                f"cannot write the sdist to {self.directory}",
                found=error.strerror or str(error),
                hint="free some disk space there, or choose another --output-dir",
            ) from error

    def record(self, target: TargetRecord) -> str:
        """Record a finished target at once: a run that is killed is resumed from these.

        Returns:
            Why it could not be recorded, empty if it was.
        """
        # A pipe of that name that nobody reads is an error, and not waited for.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
        path = self.directory / LOGS / RECORDS
        try:
            with self._lock, os.fdopen(os.open(path, flags, 0o644), "a", encoding="utf-8") as file:
                file.write(target.to_json() + "\n")
        except OSError as error:
            return f"{path} is not whole: {error.strerror or error}"
        return ""

    def earlier(self) -> dict[str, TargetRecord]:
        """Give what earlier runs recorded of their targets, the last word on each."""
        path = self.directory / LOGS / RECORDS
        try:
            if path.is_symlink() or not path.is_file():
                return {}
            with path.open("rb") as file:
                lines = file.read(_MAX_RECORDS).decode(errors="replace").splitlines()
        except OSError:  # then all is built anew
            return {}
        found = filter(None, map(read_target, lines))
        return {record.identifier: record for record in found}

    def lacks(self, wheel: WheelRecord) -> str:
        """Say how a recorded wheel is not there any more; empty if it is, and it is kept."""
        path = self.directory / wheel.filename
        try:
            if path.name != wheel.filename or path.is_symlink() or not path.is_file():
                return f"{wheel.filename} is gone"
            if sha256_of(path) != wheel.sha256:
                return f"{wheel.filename} is not what it was"
        except OSError as error:
            return f"{wheel.filename}: {error.strerror or error}"
        with self._lock:
            self._kept[wheel.filename] = wheel
        return ""

    def shared(self, target: Target) -> WheelRecord | None:
        """Give a wheel of this run that was made for other targets and serves this one, too."""
        with self._lock:
            return self._kept.get(find_shared(self._kept, target))

    def log(self, identifier: str) -> TargetLog:
        """Open a target's log, in place of whatever has its name."""
        return TargetLog(self.directory / LOGS / f"{identifier}.log")


class TargetLog:
    """A log whose disk may be full: that costs lines, never the target.

    Attributes:
        problem: why lines are missing, empty while none are.
    """

    def __init__(self, path: Path) -> None:
        self.problem = ""
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        try:
            self._path.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            descriptor = os.open(self._path, flags, 0o644)
            self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="replace")
        except OSError as error:
            self._give_up(error)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._file:
                self._file.close()
        except OSError as problem:
            self._give_up(problem)

    def write(self, line: str) -> None:
        """Write a line."""
        try:
            if self._file:
                self._file.write(f"{line}\n")
        except OSError as error:
            self._give_up(error)

    def flush(self) -> None:
        """Make what was written visible to who follows the log."""
        try:
            if self._file:
                self._file.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.problem = self.problem or f"{self._path} is not whole: {error.strerror or error}"
