"""One command in a running container, its output as it comes.

docker-py's own reader takes the raw socket and so drops what its HTTP layer has read ahead
(the first output of a quick command on a busy machine). Here frames are read through that
layer's buffer, and the socket's time limit is lifted: a silent compile may take hours.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from aarch64_wheels.engine.api import Argv

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
) -> int:
    """Run `argv`, give (stream number, bytes) to `on_output`, return the exit status.

    Raises:
        docker.errors.APIError, requests.RequestException: the engine's troubles.
    """
    created = client.api.exec_create(
        container,
        [str(word) for word in argv],
        environment=dict(env or {}),
        workdir=None if cwd is None else str(cwd),
    )
    response = client.api.exec_start(created["Id"], stream=True)._response  # noqa: SLF001
    try:
        for stream, data in frames(_unlimited(client, response)):
            on_output(stream, data)
    finally:
        response.close()
    return _status(client, created["Id"])


def frames(reader: Reader) -> Iterator[tuple[int, bytes]]:
    """Docker's multiplexed stream: 8 bytes (stream number, size), then the data."""
    while len(header := reader.read(_HEADER.size)) == _HEADER.size:
        stream, size = _HEADER.unpack(header)
        yield stream, reader.read(size)


def _unlimited(client: Any, response: Any) -> Reader:
    """Give the response's buffered reader, with no time limit on its socket."""
    api = client.api
    api._disable_socket_timeout(api._get_raw_response_socket(response))  # noqa: SLF001
    reader: Reader = response.raw._fp.fp  # noqa: SLF001
    return reader


def _status(client: Any, exec_id: str) -> int:
    for _ in range(_STATUS_TRIES):
        status = client.api.exec_inspect(exec_id)["ExitCode"]
        if status is not None:
            return int(status)
        time.sleep(0.1)
    return -1
