"""One command in a running container, its output as it comes.

docker-py's own reader takes the raw socket and so drops what its HTTP layer has read ahead
(the first output of a quick command on a busy machine). Here frames are read through that
layer's buffer, and each wait for more gets the time that the command still has, by the socket's
own limit: a silent compile may take hours if the user says so. A wait in vain is the last one,
for a buffer whose socket has timed out gives nothing any more.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Argv
    from aarch64_wheels.engine.watch import Patience, Watch

STDOUT = 1
STDERR = 2
_HEADER = struct.Struct(">BxxxL")
#: Podman may take a moment to know the exit status after the output's end.
_STATUS_TRIES = 50

OnOutput = Callable[[int, bytes], None]


class Reader(Protocol):
    """A buffered reader: `read` gives exactly that many bytes, fewer only at the end."""

    def read(self, size: int, /) -> bytes:
        """Read bytes."""


def execute(
    client: Any,
    container: str,
    argv: Argv,
    *,
    env: Mapping[str, str] | None,
    cwd: PurePosixPath | None,
    on_output: OnOutput,
    watch: Watch,
) -> int:
    """Run `argv`, give (stream number, bytes) to `on_output`, return the exit status.

    Raises:
        Overran: a limit of `watch` is reached; the command still runs.
        docker.errors.APIError, requests.RequestException: the engine's troubles.
    """
    with watch.command() as patience:
        created = _create(client, container, argv, env, cwd)
        response = client.api.exec_start(created, stream=True)._response  # noqa: SLF001
        try:
            for stream, data in frames(_Patient.of(client, response, patience)):
                on_output(stream, data)
        finally:
            response.close()
        return _status(client, created)


def _create(
    client: Any,
    container: str,
    argv: Argv,
    env: Mapping[str, str] | None,
    cwd: PurePosixPath | None,
) -> str:
    created = client.api.exec_create(
        container,
        [str(word) for word in argv],
        environment=dict(env or {}),
        workdir=None if cwd is None else str(cwd),
    )
    return str(created["Id"])


def frames(reader: Reader) -> Iterator[tuple[int, bytes]]:
    """Docker's multiplexed stream: 8 bytes (stream number, size), then the data."""
    while len(header := reader.read(_HEADER.size)) == _HEADER.size:
        stream, size = _HEADER.unpack(header)
        yield stream, reader.read(size)


@dataclass(frozen=True, kw_only=True)
class _Patient:
    """A reader that waits as long as its patience has it; any byte counts as a sign of life."""

    reader: Reader
    sockets: tuple[Any, ...]
    patience: Patience

    @classmethod
    def of(cls, client: Any, response: Any, patience: Patience) -> Self:
        found = client.api._get_raw_response_socket(response)  # noqa: SLF001
        # Whichever of the two can be told a limit (see docker-py's `_disable_socket_timeout`).
        both = (found, getattr(found, "_sock", None))
        sockets = tuple(each for each in both if hasattr(each, "settimeout"))
        return cls(reader=response.raw._fp.fp, sockets=sockets, patience=patience)  # noqa: SLF001

    def read(self, size: int, /) -> bytes:
        left = self.patience.left()
        for each in self.sockets:
            each.settimeout(left)
        try:
            return self.reader.read(size)
        except TimeoutError:
            raise self.patience.overran() from None


def _status(client: Any, exec_id: str) -> int:
    for _ in range(_STATUS_TRIES):
        status = client.api.exec_inspect(exec_id)["ExitCode"]
        if status is not None:
            return int(status)
        time.sleep(0.1)
    return -1
