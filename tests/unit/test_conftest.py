"""The guard of the unit tests does stop what it is there to stop."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
from typing import TYPE_CHECKING

import docker
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# The failed tests' sockets are closed by the collector only, as in the libraries that own them.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket"),
]


@contextlib.contextmanager
def _refused(pattern: str) -> Iterator[None]:
    with pytest.raises(pytest.fail.Exception, match=pattern):
        yield


CONNECTIONS: dict[str, tuple[Callable[[], object], str]] = {
    "address": (lambda: socket.create_connection(("192.0.2.1", 80), 1), "192.0.2.1"),
    "name": (lambda: socket.create_connection(("index.invalid", 80), 1), "index.invalid"),
    "ipv6": (lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)), "2001:db8::1"),
    "no-wait": (lambda: socket.socket().connect_ex(("192.0.2.1", 80)), "192.0.2.1"),
}


@pytest.mark.parametrize(("connect", "shown"), CONNECTIONS.values(), ids=CONNECTIONS.keys())
def test_connections_out_of_this_machine_are_refused(
    connect: Callable[[], object], shown: str
) -> None:
    with _refused(shown):
        connect()


def test_loopback_and_own_sockets_stay(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1]), 5).close()
    with socket.socket(socket.AF_UNIX) as unix, socket.socket(socket.AF_UNIX) as client:
        unix.bind(str(tmp_path / "s"))
        unix.listen()
        client.connect(str(tmp_path / "s"))


def test_an_engines_socket_is_refused_even_to_its_library() -> None:
    with tempfile.TemporaryDirectory() as elsewhere, socket.socket(socket.AF_UNIX) as engine:
        engine.bind(f"{elsewhere}/docker.sock")
        with _refused("docker.sock"):
            docker.DockerClient(base_url=f"unix://{elsewhere}/docker.sock", version="auto")


def test_a_stub_below_the_temporary_directory_runs(tmp_path: Path) -> None:
    (tmp_path / "podman").write_text("#!/bin/sh\necho stub\n")
    (tmp_path / "podman").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    answer = subprocess.run(["podman", "info"], env=environ, capture_output=True, check=True)
    assert answer.stdout == b"stub\n"


def test_the_machines_own_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "podman").symlink_to("/bin/sh")  # it leads out of the temporary directory
    with _refused("a unit test runs the real .*podman"):
        subprocess.run(["podman", "info"], env={"PATH": str(tmp_path)}, check=False)
