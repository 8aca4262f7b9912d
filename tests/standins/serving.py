"""What the stand-ins have in common: a server that records, and errs where it was told to."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from tests.standins.traffic import Answer, Fault, Record, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.standins.certificates import Certificates

_READS = 4


class StandIn:
    """A server on loopback, from `with` until its end. A subclass says what it answers."""

    def __init__(
        self, certificates: Certificates | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.clock = clock
        self.records: list[Record] = []
        self.faults: list[Fault] = []
        #: What handling a request raised; a client that went away is not among it.
        self.troubles: list[BaseException] = []
        self.stopping = threading.Event()
        self.lock = threading.RLock()
        self._certificates = certificates
        self._server: _Server | None = None
        self._thread = threading.Thread(target=self._serve)

    def answer(self, record: Record) -> Answer:
        raise NotImplementedError

    @property
    def url(self) -> str:
        scheme = "https" if self._certificates else "http"
        return f"{scheme}://127.0.0.1:{self._started.server_port}"

    @property
    def _started(self) -> _Server:
        if self._server is None:
            raise RuntimeError("the stand-in is not started: enter it first")
        return self._server

    def __enter__(self) -> Self:
        certificates = self._certificates
        self._server = _Server(self, certificates.context() if certificates else None)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._started.shutdown()
        self._thread.join()
        self._started.hang_up()
        self._started.server_close()

    def _serve(self) -> None:
        self._started.serve_forever(poll_interval=0.02)

    def begin(self, record: Record) -> None:
        """Record a request as soon as its head is there, and take the first fault that fits."""
        with self.lock:
            self.records.append(record)
            fault = next((fault for fault in self.faults if fault.fits(record)), None)
            if fault:
                self.faults.remove(fault)
                record.fault = fault

    def decide(self, record: Record) -> Answer:
        fault = record.fault
        if fault.status:
            after = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            return refusal(fault.status, headers=after)
        try:
            with self.lock:
                return self.answer(record)
        except Exception as error:  # noqa: BLE001 - a test shall see it, and the client be answered
            self.troubles.append(error)
            return refusal(500, "the stand-in is broken")


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64

    def __init__(self, stand_in: StandIn, context: ssl.SSLContext | None) -> None:
        self.stand_in = stand_in
        self._context = context
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Bind, without asking anybody for this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.socket.getsockname()[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._context:
            connection = self._context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        error = sys.exception()
        if error and not isinstance(error, ConnectionError | ssl.SSLError):
            self.stand_in.troubles.append(error)

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server: _Server

    def do_GET(self) -> None:
        stand_in = self.server.stand_in
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        record = Record(self.command, url.path, url.query, headers, stand_in.clock())
        stand_in.begin(record)
        record.body = self._read(record.fault.read_seconds)
        if record.fault.drop == "unhandled":
            self.close_connection = True
            return
        answer = stand_in.decide(record)
        record.outcome, record.message = answer.status, answer.message
        stand_in.stopping.wait(record.fault.answer_seconds)
        self._send(record, answer)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the library's names

    def _read(self, seconds: float) -> bytes:
        length = int(self.headers.get("Content-Length", 0))
        step = max(1, -(-length // _READS))
        body = b""
        while len(body) < length:
            self.server.stand_in.stopping.wait(seconds / _READS)
            chunk = self.rfile.read(min(step, length - len(body)))
            if not chunk:
                raise ConnectionResetError
            body += chunk
        return body

    def _send(self, record: Record, answer: Answer) -> None:
        if record.fault.drop:
            self.close_connection = True
            return
        record.status = answer.status  # before it is sent: the client may look at once
        self.send_response(answer.status, answer.message or None)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: Any) -> None:
        pass
