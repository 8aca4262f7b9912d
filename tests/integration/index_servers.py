"""Real package indexes, and what stands before them: it counts, and errs where it was told to."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.integration.test_index_server import free_port
from tests.standins.multipart import read_parts
from tests.standins.serving import StandIn
from tests.standins.traffic import Answer, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

USER = "pub"
_START_SECONDS = 60
#: Of one connection, or made anew by the server in front.
_HOP = ("connection", "content-length", "content-type", "date", "server", "transfer-encoding")
#: A start takes seconds otherwise: it stretches a secret.
_CHEAP = ("--argon2-memory-cost=512", "--argon2-time-cost=1", "--argon2-parallelism=1")


class RealIndex:
    """An index in a process of its own, with its data below `folder`: it can be killed."""

    #: Where it takes files, and where it lists them.
    upload_path = "/"
    simple_path = "/simple/"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.password = secrets.token_urlsafe(16)
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def prepare(self) -> None:
        """Make what it needs before its first start."""

    def settle(self) -> None:
        """Make what it needs after its first start."""

    def __enter__(self) -> Self:
        self.folder.mkdir()
        self.prepare()
        self.start()
        try:
            self.settle()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(OSError):
                request(self.port, "GET", "/")
                return
            time.sleep(0.1)
        self.kill()
        pytest.fail((self.folder / "log").read_text(encoding="utf-8", errors="replace"))

    @property
    def is_up(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


class PypiServer(RealIndex):
    """pypiserver as it is by itself: everybody reads, and unknown projects are elsewhere."""

    options: tuple[str, ...] = ()

    def prepare(self) -> None:
        (self.folder / "packages").mkdir()
        digest = hashlib.sha1(self.password.encode(), usedforsecurity=False).digest()
        line = f"{USER}:{{SHA}}{base64.b64encode(digest).decode()}\n"
        (self.folder / "htpasswd").write_text(line, encoding="utf-8")

    def command(self) -> list[str]:
        where = ["-i", "127.0.0.1", "-p", str(self.port), "-P", str(self.folder / "htpasswd")]
        place = str(self.folder / "packages")
        return [sys.executable, "-m", "pypiserver", "run", *where, *self.options, place]


class StrictPypiServer(PypiServer):
    """One that wants a login from readers too, and tells no SHA-256."""

    options = ("-a", "list,download,update", "--hash-algo", "md5")


class DevpiServer(RealIndex):
    """devpi-server with a user and an index that keeps what it has."""

    upload_path = f"/{USER}/dev/"
    simple_path = f"/{USER}/dev/+simple/"

    def command(self) -> list[str]:
        return self._program("main", "--host=127.0.0.1", f"--port={self.port}", *_CHEAP)

    def prepare(self) -> None:
        init = self._program("init", "--no-root-pypi", f"--root-passwd={self.password}")
        subprocess.run(init, check=True, capture_output=True)

    def settle(self) -> None:
        login = {"user": "root", "password": self.password}
        token = self._told("POST", "/+login", login)["result"]["password"]
        shown = base64.b64encode(f"root:{token}".encode()).decode()
        headers = {"X-Devpi-Auth": shown}
        self._told("PUT", f"/{USER}", {"password": self.password}, headers)
        self._told("PUT", f"/{USER}/dev", {"bases": [], "volatile": False}, headers)

    def _program(self, name: str, *arguments: str) -> list[str]:
        code = f"from devpi_server.{name} import {name}; raise SystemExit({name}())"
        return [sys.executable, "-c", code, f"--serverdir={self.folder / 'data'}", *arguments]

    def _told(
        self, method: str, path: str, data: object, headers: Mapping[str, str] | None = None
    ) -> Any:
        sent = {"Content-Type": "application/json", **(headers or {})}
        answer = request(self.port, method, path, json.dumps(data).encode(), sent)
        assert answer.status < 300, answer.body
        return json.loads(answer.body)


def request(
    port: int,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask a server on loopback.

    Raises:
        OSError: it is not there, or goes away.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        kept = {name: text for name, text in answer.getheaders() if name.lower() not in _HOP}
        kind = answer.headers.get("Content-Type", "")
        return Answer(answer.status, answer.read(), kind, answer.reason, kept)
    except http.client.HTTPException as error:
        raise ConnectionError from error
    finally:
        connection.close()


class Front(StandIn):
    """The server before an index: `faults` and `records` are as with any stand-in.

    `before` and `after` are called with each upload that is let through, before the index sees
    it, and after it has answered.
    """

    def __init__(self, index: RealIndex) -> None:
        super().__init__()
        self.index = index
        self.before: Callable[[Record], None] = _nothing
        self.after: Callable[[Record], None] = _nothing

    @property
    def upload_url(self) -> str:
        return self.url + self.index.upload_path

    @property
    def simple_url(self) -> str:
        return self.url + self.index.simple_path

    def answer(self, record: Record) -> Answer:
        path = f"{record.path}?{record.query}" if record.query else record.path
        is_upload = record.method == "POST"
        if is_upload:
            record.filename = _filename(record)
            self.before(record)
        headers = {name: text for name, text in record.headers.items() if name != "connection"}
        try:
            answer = request(self.index.port, record.method, path, record.body, headers)
        except OSError:  # the index is down: there is no answer to pass on
            record.fault = replace(record.fault, drop="handled")
            return Answer(0)
        if is_upload:
            self.after(record)
        return answer

    @property
    def uploads(self) -> list[str]:
        """The name of each file that was sent, whether it arrived or not, as often as it was."""
        posts = [record for record in self.records if record.method == "POST"]
        return [record.filename or _filename(record) for record in posts]

    def outcomes(self, filename: str) -> list[int]:
        """What the index itself has answered, each time that it got a file."""
        return [
            record.outcome
            for record in self.records
            if record.filename == filename and record.outcome
        ]


def _nothing(_record: Record) -> None:
    """Do nothing."""


def _filename(record: Record) -> str:
    parts = read_parts(record.headers.get("content-type", ""), record.body)
    return next(part.filename for part in parts if part.filename)
