"""`engine.api.Session` over processes of the host, in a private directory."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self

from aarch64_wheels.engine.archive import unpack_file, unpack_flat, unpack_one
from aarch64_wheels.engine.commands import TAIL_LINES, Commands
from aarch64_wheels.engine.watch import Limits, Overran, Watch, timed_out
from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.hostengine.belonging import MARK, kill_all, running
from aarch64_wheels.hostengine.files import archived, copy_tree, unpack, unpack_moved
from aarch64_wheels.hostengine.following import follow
from aarch64_wheels.hostengine.mapping import Places
from aarch64_wheels.native.places import WORK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from aarch64_wheels.engine.api import Argv
    from aarch64_wheels.engine.watch import Overrun
    from aarch64_wheels.hostengine.following import OnOutput
    from aarch64_wheels.processes import Processes

#: The statuses of what cannot be started (POSIX): not there; there, and no program.
_NOT_FOUND, _NOT_A_PROGRAM = 127, 126


class _Ended(Exception):  # noqa: N818 - told to nobody as it is (see `_check`)
    """A command was ended, for a limit was reached; `running` describes what ran then."""

    def __init__(self, overrun: Overrun, running: Sequence[str]) -> None:
        super().__init__(overrun.setting)
        self.overrun = overrun
        self.running = running


class HostSession(Commands[int | _Ended]):
    """A session without a container; a context manager that leaves nothing behind.

    Args:
        parent: an existing directory without links in its path; gets the session's own.
        environment: all variables of its commands, besides those that each is given.
        processes: runs them, so that an interrupt ends them all.
        limits: of the time that they may take, and say nothing.
    """

    def __init__(
        self,
        parent: Path,
        environment: Mapping[str, str],
        processes: Processes,
        limits: Limits | None = None,
    ) -> None:
        self._watch = Watch(limits or Limits())
        self._parent = parent
        self._environment = environment
        self._processes = processes

    def __enter__(self) -> Self:
        # What it holds may be protected against writing: its removal must not fail for that.
        self._scratch = tempfile.TemporaryDirectory(
            prefix="build-", dir=self._parent, ignore_cleanup_errors=True
        )
        self._places = Places(root=Path(self._scratch.name))
        self._places.place(WORK).mkdir()
        (self._places.root / "tmp").mkdir()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        kill_all(self._places.root)
        self._scratch.cleanup()

    @property
    def root(self) -> Path:
        """The private directory; the names of all that have the same parent are equally long."""
        return self._places.root

    def begin(self, stage: str) -> None:
        """See `api.Session.begin`."""
        self._watch.begin(stage)

    def path_of(self, path: PurePosixPath) -> PurePosixPath:
        """See `api.Session.path_of`."""
        return PurePosixPath(self._places.path(path))

    def copy_in(
        self, source: Path, destination: PurePosixPath, *, exclude: Collection[Path] = ()
    ) -> None:
        """See `api.Session.copy_in`. Modes, times and links are kept."""
        self._places.place(destination)
        with _errors(f"copy {source} to {destination}"):
            copy_tree(source, self._places.root, destination, exclude)

    def copy_out(self, source: PurePosixPath, directory: Path) -> list[Path]:
        """See `api.Session.copy_out`. Raises StageError for an entry that is refused."""
        with _errors(f"copy {source}"), archived(self._places.place(source)) as chunks:
            return unpack_flat(chunks, directory)

    def copy_file(self, source: PurePosixPath, path: Path, limit: int) -> None:
        """See `api.Session.copy_file`."""
        with _errors(f"copy {source}"), archived(self._places.place(source)) as chunks:
            unpack_file(chunks, path, limit)

    @property
    def is_prepared(self) -> bool:
        """See `api.Session.is_prepared`. Nothing is kept between builds on the host itself."""
        return False

    def keep(self) -> None:
        """See `api.Session.keep`. There is no image that could be kept, so this does nothing."""

    def save(self, source: PurePosixPath, archive: Path) -> None:
        """See `api.Session.save`."""
        with (
            _errors(f"save {source}"),
            archived(self._places.place(source)) as chunks,
            archive.open("wb") as stream,
        ):
            stream.writelines(chunks)

    def restore(self, archive: Path, parent: PurePosixPath, *, made_in: Path | None = None) -> None:
        """See `api.Session.restore`; of the root, only `WORK` may be restored.

        Args:
            archive: as `save` has written it.
            parent: gets what is in it.
            made_in: the `root` of the session that it was saved in. In a container it would be
                at the same path again; here each path to it that stands in the files is mended
                (see `files.unpack_moved`).
        """
        place = self.root if parent == WORK.parent else self._places.place(parent)
        with _errors(f"restore files below {parent}"), archive.open("rb") as stream:
            if made_in is None:
                unpack(stream, place)
            else:
                unpack_moved(stream, place, made_in, self.root)

    def write(self, path: PurePosixPath, content: bytes, *, mode: int = 0o644) -> None:
        """See `api.Session.write`."""
        with _errors(f"write {path}"):
            place = self._free(path)
            place.write_bytes(content)
            place.chmod(mode)

    def read(self, path: PurePosixPath, limit: int) -> bytes:
        """See `api.Session.read`."""
        with _errors(f"read {path}"), archived(self._places.place(path)) as chunks:
            return unpack_one(chunks, limit)

    def link(self, links: Mapping[PurePosixPath, PurePosixPath]) -> None:
        """See `api.Session.link`."""
        for path, aim in links.items():
            with _errors(f"link {path}"):
                self._free(path).symlink_to(self._places.text(str(aim)))

    def _free(self, path: PurePosixPath) -> Path:
        """Make a path's parents, and remove the file or link that has its name."""
        place = self._places.place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        return place

    def _execute(
        self,
        argv: Argv,
        env: Mapping[str, str] | None,
        cwd: PurePosixPath | None,
        on_output: OnOutput,
    ) -> int | _Ended:
        root = self._places.root
        own = {**self._environment, "TMPDIR": str(root / "tmp")}
        started = self._processes.started(
            [self._places.text(str(word)) for word in argv],
            env={**own, **self._places.variables(env or {}), MARK: str(root)},
            cwd=root if cwd is None else self._places.path(cwd),
            stderr=subprocess.PIPE,
        )
        try:
            return self._follow(started, on_output)
        except _Ended as ended:
            kill_all(root)
            return ended

    def _follow(
        self, started: AbstractContextManager[subprocess.Popen[bytes]], on_output: OnOutput
    ) -> int:
        with ExitStack() as stack:
            try:
                child = stack.enter_context(started)
            except CancelledError:
                raise StageError("the run was interrupted: its processes have ended") from None
            except OSError as error:
                on_output(2, f"{error}\n".encode())
                return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_A_PROGRAM
            with self._watch.command() as patience:
                try:
                    return follow(child, on_output, patience)
                except Overran as end:  # raised again, for that ends the command
                    raise _Ended(end.overrun, running(self._places.root)) from None

    def _check(self, argv: Argv, ending: int | _Ended, lines: Collection[str]) -> None:
        tail = list(lines)[-TAIL_LINES:]
        if isinstance(ending, _Ended):
            raise timed_out(ending.overrun, ending.running, tail)
        if ending:
            raise CommandError(tuple(str(word) for word in argv), ending, "\n".join(tail))


@contextmanager
def _errors(what: str) -> Iterator[None]:
    """Turn errors of the disk into ours."""
    try:
        yield
    except (OSError, tarfile.TarError) as error:
        raise StageError(f"cannot {what}", found=str(error)) from None
