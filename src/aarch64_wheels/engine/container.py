"""A container session: the only way anything of a build touches a container."""

from __future__ import annotations

import tarfile
import uuid
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

import docker.errors
import docker.types

from aarch64_wheels.engine.archive import (
    pack,
    pack_bytes,
    pack_links,
    unpack_file,
    unpack_flat,
    unpack_one,
)
from aarch64_wheels.engine.commands import TAIL_LINES, Commands
from aarch64_wheels.engine.exec import execute
from aarch64_wheels.engine.failures import ENGINE_FAILURES, words_of
from aarch64_wheels.engine.kept import keep
from aarch64_wheels.engine.owner import Owner
from aarch64_wheels.engine.pulling import PLATFORM
from aarch64_wheels.engine.running import running_in
from aarch64_wheels.engine.spec import CA_BUNDLE, ContainerSpec
from aarch64_wheels.engine.watch import Overran, Overrun, Watch, timed_out
from aarch64_wheels.errors import CommandError, StageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path, PurePosixPath
    from types import TracebackType

    from aarch64_wheels.engine.api import Argv
    from aarch64_wheels.engine.registry import ContainerRegistry
    from aarch64_wheels.engine.spec import Mount
    from aarch64_wheels.errors import TimedOutError

#: Coreutils and busybox both have it. It sleeps in the kernel, so it costs nothing under QEMU.
SLEEP = ("sleep", "infinity")


class ContainerSession(Commands[int | Overrun]):
    """`api.Session` over docker-py; a context manager that leaves no container behind."""

    def __init__(
        self, client: Any, image: str, spec: ContainerSpec, registry: ContainerRegistry
    ) -> None:
        self._client = client
        self._image = image
        self._spec = spec
        self._registry = registry
        # The name is ours, so that the container can be removed even if an interrupt comes
        # between its creation and the engine's answer.
        self.name = f"aarch64-wheels-{uuid.uuid4().hex[:16]}"
        self._watch = Watch(spec.limits)
        self._killed: TimedOutError | None = None

    def __enter__(self) -> Self:
        self._registry.add(self.name)
        try:
            with self._engine_errors("start"):
                self._start()
        except BaseException:
            self._registry.remove(self.name)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._engine_errors("remove"):
                self._registry.remove(self.name)
        except StageError:
            if error is None:  # the first error is the one to tell
                raise

    def begin(self, stage: str) -> None:
        """See `api.Session.begin`."""
        self._watch.begin(stage)

    def path_of(self, path: PurePosixPath) -> PurePosixPath:
        """See `api.Session.path_of`."""
        return path

    def copy_in(
        self, source: Path, destination: PurePosixPath, *, exclude: Collection[Path] = ()
    ) -> None:
        """See `api.Session.copy_in`. Modes, times and links are kept."""
        try:
            with pack(source, destination, exclude) as archive:
                self._put(archive)
        except OSError as error:
            # requests' errors are OSErrors too, but those have been turned into ours in _put.
            raise StageError(f"cannot copy {source} into the container", found=str(error)) from None

    def copy_out(self, source: PurePosixPath, directory: Path) -> list[Path]:
        """See `api.Session.copy_out`. Raises StageError for an entry that is refused."""
        with self._archive(source, f"copy {source} out of") as chunks:
            return unpack_flat(chunks, directory)

    def copy_file(self, source: PurePosixPath, path: Path, limit: int) -> None:
        """See `api.Session.copy_file`."""
        with self._archive(source, f"copy {source} out of") as chunks:
            unpack_file(chunks, path, limit)

    @property
    def is_prepared(self) -> bool:
        """See `api.Session.is_prepared`."""
        return self._image == self._spec.keep_as

    def keep(self) -> None:
        """See `api.Session.keep`."""
        if self._spec.keep_as:
            with self._engine_errors("keep"):
                keep(self._client, self.name, self._spec.keep_as)

    def save(self, source: PurePosixPath, archive: Path) -> None:
        """See `api.Session.save`."""
        with self._engine_errors(f"copy {source} out of"), archive.open("wb") as stream:
            chunks, _ = self._client.api.get_archive(self.name, str(source))
            for chunk in chunks:
                stream.write(chunk)

    def restore(self, archive: Path, parent: PurePosixPath) -> None:
        """See `api.Session.restore`."""
        with archive.open("rb") as stream, self._engine_errors("copy files into"):
            self._client.api.put_archive(self.name, str(parent), stream)

    def write(self, path: PurePosixPath, content: bytes, *, mode: int = 0o644) -> None:
        """See `api.Session.write`."""
        self._put(pack_bytes(path, content, mode))

    def read(self, path: PurePosixPath, limit: int) -> bytes:
        """See `api.Session.read`."""
        with self._archive(path, f"read {path} of") as chunks:
            return unpack_one(chunks, limit)

    def link(self, links: Mapping[PurePosixPath, PurePosixPath]) -> None:
        """See `api.Session.link`."""
        self._put(pack_links(links))

    def _start(self) -> None:
        if self._registry.closed:
            raise self._gone()
        try:
            self._create_and_start(init=True)
        except docker.errors.APIError as error:
            # An engine without its init program (`docker-init`, `catatonit`) works as well;
            # only nobody buries the orphans then.
            if "init" not in str(error.explanation) and "catatonit" not in str(error.explanation):
                raise
            self._registry.remove(self.name)
            self._registry.add(self.name)
            self._create_and_start(init=False)
        if self._registry.closed:
            raise self._gone()
        self._see_it_runs()

    def _see_it_runs(self) -> None:
        """Raise StageError if the container has ended at once: an image with another `sleep`."""
        if self._client.api.inspect_container(self.name)["State"]["Running"]:
            return
        words = self._client.api.logs(self.name, tail=5).decode(errors="replace").strip()
        what = f"the container of {self._image} ended as soon as it was started"
        raise StageError(what, found=words or f"`{' '.join(SLEEP)}` said nothing")

    def _create_and_start(self, *, init: bool) -> None:
        api = self._client.api
        ours = {"network_mode": self._spec.network, "mounts": _read_only(self._spec.mounts)}
        host_config = api.create_host_config(**{**ours, **self._spec.given.host}, init=init)
        api.create_container(
            self._image,
            command=list(SLEEP[1:]),
            entrypoint=[SLEEP[0]],
            name=self.name,
            user="0:0",
            # Those of a build are given to its commands: these here are kept with the files.
            environment=self._spec.cpu,
            use_config_proxy=False,
            labels=Owner.current().labels(self._spec.run_id),
            host_config=host_config,
            platform=PLATFORM,
        )
        if self._spec.ca_bundle is not None and not self.is_prepared:
            self.write(CA_BUNDLE, self._spec.ca_bundle.read_bytes(), mode=0o444)
        api.start(self.name)

    def _execute(self, argv: Argv, env: Any, cwd: Any, on_output: Any) -> int | Overrun:
        if self._killed is not None:
            raise self._killed
        with self._engine_errors(f"run `{argv[0]}` in"):
            try:
                return execute(
                    self._client,
                    self.name,
                    argv,
                    env={**self._spec.environment, **(env or {})},
                    cwd=cwd,
                    on_output=on_output,
                    watch=self._watch,
                )
            except Overran as overran:
                return overran.overrun

    def _put(self, archive: Any) -> None:
        with self._engine_errors("copy files into"):
            self._client.api.put_archive(self.name, "/", archive)

    def _check(self, argv: Argv, ending: int | Overrun, lines: Collection[str]) -> None:
        if ending == 0:
            return
        if self._registry.closed:
            raise self._gone()
        tail = list(lines)[-TAIL_LINES:]
        if isinstance(ending, Overrun):
            raise self._kill(ending, tail)
        words = tuple(str(word) for word in argv)
        emulated = self._spec.emulates(words[0])
        raise CommandError(words, ending, "\n".join(tail), emulated=emulated)

    def _kill(self, overrun: Overrun, tail: Sequence[str]) -> TimedOutError:
        """End all processes at once, by the container's first; an engine cannot end a command."""
        self._killed = timed_out(overrun, running_in(self._client, self.name), tail)
        with suppress(*ENGINE_FAILURES):  # it is removed in any case, and nothing is read of it
            self._client.api.kill(self.name)
        return self._killed

    def _gone(self) -> StageError:
        return StageError("the run was interrupted: its container has been removed")

    @contextmanager
    def _archive(self, source: PurePosixPath, what: str) -> Iterator[Iterator[bytes]]:
        """Give a tar of `source` in pieces; whoever needs only some of it leaves the rest."""
        with self._engine_errors(what):
            chunks, _ = self._client.api.get_archive(self.name, str(source))
            try:
                with closing(chunks):  # a response left open holds its connection to the engine
                    yield chunks
            except tarfile.TarError as error:
                raise StageError(f"cannot read what {source} holds", found=str(error)) from None

    @contextmanager
    def _engine_errors(self, what: str) -> Iterator[None]:
        """Turn the engine's errors into ours, and say so if the container has vanished."""
        try:
            yield
        except ENGINE_FAILURES as error:
            if self._registry.closed:
                raise self._gone() from None
            if self._killed is not None:
                raise self._killed from None
            what = f"cannot {what} the container of {self._image}"
            raise StageError(what, found=words_of(error)) from None


def _read_only(mounts: Sequence[Mount]) -> list[docker.types.Mount]:
    """Say it in the engine's words; nothing of the image is copied to the volume."""
    return [
        docker.types.Mount(str(row.target), row.volume, type="volume", read_only=True, no_copy=True)
        for row in mounts
    ]
