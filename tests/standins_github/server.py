"""The server: reads requests, checks their headers, records them, and lets faults strike."""

from __future__ import annotations

import re
import sys
import threading
import time
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.standins_github.faults import Answer, Fault, Handled, RefusedError, Script, refuse
from tests.standins_github.routes import OCTETS, Request, Routes
from tests.standins_github.store import Links, Store

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

VERSIONS = ("2022-11-28", "2026-03-10")
ACCEPTED = re.compile(r"\*/\*|application/(\*|json|vnd\.github([.+][\w.+-]+)?)")
BUDGET = 1000
PATIENCE = 10.0


@dataclass(frozen=True, kw_only=True)
class Record:
    """One request and how it was answered; status 0 means that the connection was cut."""

    request: Request
    status: int
    fault: str = ""
    unexpected: bool = False

    def __str__(self) -> str:
        return f"{self.request.method} {self.request.path} -> {self.status} {self.fault}".rstrip()


class GitHubServer:
    """A GitHub with one repository, on a loopback port, for one token.

    `store` is what it holds, `faults` what will go wrong, `records` what it was asked.
    `context` makes it speak TLS. `root` and `upload_root` are the names that it has for itself
    and for where it takes files, where it is reached by others (through a proxy, which it can be).
    """

    def __init__(
        self,
        token: str,
        repository: str = "owner/name",
        *,
        context: ssl.SSLContext | None = None,
        root: str = "",
        upload_root: str = "",
    ) -> None:
        self.repository = repository
        self._context = context
        self._roots = root, upload_root
        self.store = Store()
        self.faults = Script()
        self.records: list[Record] = []
        self.remaining = BUDGET
        self._token = token
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.github = self
        if self._context:
            self._http.socket = self._context.wrap_socket(self._http.socket, server_side=True)
        root = self._roots[0] or self.address
        self._links = Links(root, self.repository, self._roots[1] or root)
        self._routes = Routes(self.store, self._links)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def address(self) -> str:
        scheme = "https" if self._context else "http"
        return f"{scheme}://127.0.0.1:{self._http.server_port}"

    @property
    def base_url(self) -> str:
        return self._links.base

    @property
    def unexpected(self) -> list[str]:
        """Requests for routes that do not exist."""
        return [str(record) for record in self.records if record.unexpected]

    def asked(self, method: str, path: str) -> list[Record]:
        """Return the records of a method whose path the regular expression is found in."""
        fitting = (one for one in self.records if one.request.method == method)
        return [one for one in fitting if re.search(path, one.request.path)]

    def answer(self, request: Request, fault: Fault | None) -> Answer | None:
        """Answer one request and record it; None cuts the connection."""
        with self._lock:
            self.remaining -= 1
            answer = self._faulty(request, fault) if fault else self._straight(request)
            record = Record(
                request=request,
                status=answer.status if answer and request.complete else 0,
                fault=fault.name if fault else "" if request.complete else "cut by the client",
                unexpected=bool(answer and answer.unexpected),
            )
            self.records.append(record)
            return answer

    def _faulty(self, request: Request, fault: Fault) -> Answer | None:
        if fault.handled is Handled.PARTLY:
            self._straight(replace(request, complete=False))
        elif fault.handled is Handled.FULLY:
            self._straight(request)
        return fault.answer

    def _straight(self, request: Request) -> Answer:
        try:
            check_headers(
                request.headers, self._token, download="/releases/assets/" in request.path
            )
            return self._routes.answer(request)
        except RefusedError as refused:
            return refused.answer


def check_headers(headers: Mapping[str, str], token: str, *, download: bool) -> None:
    """Refuse what GitHub refuses whatever the route."""
    if not headers.get("user-agent"):
        refuse(403, "Request forbidden by administrative rules: there is no User-Agent header.")
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if not given:
        refuse(401, "Requires authentication")
    if scheme.lower() not in ("token", "bearer") or given != token:
        refuse(401, "Bad credentials")
    if headers.get("x-github-api-version", VERSIONS[0]) not in VERSIONS:
        refuse(400, "Version is not supported: see X-GitHub-Api-Version.")
    _check_accept(headers.get("accept", "*/*"), download=download)


def _check_accept(accept: str, *, download: bool) -> None:
    for one in accept.split(","):
        kind = one.partition(";")[0].strip()
        if not ACCEPTED.fullmatch(kind) and not (download and kind == OCTETS):
            refuse(415, f"Unsupported 'Accept' header: {kind!r}. Must accept 'application/json'.")


class _Http(ThreadingHTTPServer):
    github: GitHubServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let clients go as they like; show anything else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "stand-in"
    disable_nagle_algorithm = True
    timeout = PATIENCE
    server: _Http

    def _serve(self) -> None:
        github, url = self.server.github, urlsplit(self.path)
        fault = github.faults.take(self.command, url.path)
        body, complete = self._body(fault)
        request = Request(
            method=self.command,
            path=url.path,
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            complete=complete,
        )
        answer = github.answer(request, fault)
        if answer and complete:
            self._send(answer)
        else:
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve  # noqa: N815

    def _body(self, fault: Fault | None) -> tuple[bytes, bool]:
        """Read the body, or half of it. Says whether the client sent all it announced."""
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isdecimal() else 0
        wanted = size if fault is None or fault.whole_body else size // 2
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True  # what follows is not read
        try:
            body = self.rfile.read(wanted)
        except OSError:
            body = b""
        return body, len(body) == wanted

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = {
            "content-type": answer.content_type,
            "content-length": str(len(answer.content)),
            **self._rate(),
            **answer.headers,
        }
        if answer.status == 204:
            del headers["content-type"], headers["content-length"]
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    def _rate(self) -> dict[str, str]:
        remaining = self.server.github.remaining
        return {
            "x-ratelimit-limit": str(BUDGET),
            "x-ratelimit-remaining": str(remaining),
            "x-ratelimit-used": str(BUDGET - remaining),
            "x-ratelimit-reset": str(int(time.time()) + 3600),
            "x-ratelimit-resource": "core",
            "x-github-api-version-selected": VERSIONS[0],
            "x-github-request-id": f"{len(self.server.github.records):04X}:STAND:IN",
        }

    def log_message(self, *_words: object) -> None:
        """Say nothing: there are records."""
