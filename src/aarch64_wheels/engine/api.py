"""What the stages see of a container: a protocol, so that they are tested without an engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

#: Takes one line of output, without its line end.
LineSink = Callable[[str], None]

Argv = Sequence[str | PurePosixPath]


class Session(Protocol):
    """One running aarch64 container. Paths inside it are `PurePosixPath`, on the host `Path`."""

    def begin(self, stage: str) -> None:
        """Take note that the commands from here on are those of a stage: its time begins.

        A command that goes past a limit of the session (see `watch.Limits`) ends with
        TimedOutError, and so does each one after it: nothing runs in the container any more.
        """

    def run(
        self,
        argv: Argv,
        *,
        sink: LineSink,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath | None = None,
    ) -> None:
        """Run a command, giving each line of its output (stdout and stderr) to `sink`.

        Raises:
            CommandError: it ended with a status other than 0.
            TimedOutError: it, or its stage, went past a limit.
        """

    def capture(
        self,
        argv: Argv,
        *,
        sink: LineSink | None = None,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath | None = None,
    ) -> str:
        """Run a command and return its standard output; `sink` gets what it says on stderr.

        Raises:
            CommandError: it ended with a status other than 0.
            TimedOutError: it, or its stage, went past a limit.
        """

    def path_of(self, path: PurePosixPath) -> PurePosixPath:
        """Give the path by which commands know what a container has at this one.

        Commands and variables that name it themselves need not ask: in these it is replaced
        where that differs, but only where it stands by itself.
        """

    def copy_in(
        self, source: Path, destination: PurePosixPath, *, exclude: Collection[Path] = ()
    ) -> None:
        """Copy a file or a directory's content to `destination`, owned by root.

        `exclude` names host paths to leave out. Virtual environments and directories with a
        CACHEDIR.TAG are always left out; links are copied as links, never followed.
        """

    def copy_out(self, source: PurePosixPath, directory: Path) -> list[Path]:
        """Copy the regular files of the container's directory `source` to `directory`.

        Names are flat: an entry with a path separator, a link or a special file is refused.
        """

    def copy_file(self, source: PurePosixPath, path: Path, limit: int) -> None:
        """Copy one regular file to `path` on the host.

        Raises:
            StageError: there is no such file, or it has more than `limit` bytes.
        """

    @property
    def is_prepared(self) -> bool:
        """It began with what an earlier session has kept: its build environment is there."""

    def keep(self) -> None:
        """Keep what the container holds now, for later sessions that are to be prepared so.

        Raises:
            StageError: that cannot be done, which costs only the next run some time.
        """

    def save(self, source: PurePosixPath, archive: Path) -> None:
        """Write a directory of the container to a tar archive on the host."""

    def restore(self, archive: Path, parent: PurePosixPath) -> None:
        """Unpack an archive that `save` has written below `parent`, a directory that is there."""

    def write(self, path: PurePosixPath, content: bytes, *, mode: int = 0o644) -> None:
        """Write one file, making its parent directories."""

    def read(self, path: PurePosixPath, limit: int) -> bytes:
        """Give the first `limit` bytes of one regular file.

        Raises:
            StageError: there is no such file.
        """

    def link(self, links: Mapping[PurePosixPath, PurePosixPath]) -> None:
        """Make symbolic links, each with what it leads to, making their parent directories.

        What has a link's name goes. A parent that is a link itself is followed.
        """
