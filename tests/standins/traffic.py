"""What goes to and from a stand-in, and what a test wants to go wrong with it."""

from __future__ import annotations

import base64
import html
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


class Clock:
    """A clock that a test moves; it starts at the real time, which clients go by."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += seconds


@dataclass(frozen=True)
class Fault:
    """What goes wrong, once, with the next request that it fits.

    `drop` closes the connection instead of answering: "unhandled" as if the request had never
    arrived, "handled" after it has had its effect (a lost answer).
    """

    path: str = "/"
    method: str = ""
    status: int = 0
    retry_after: str = ""
    drop: Literal["", "unhandled", "handled"] = ""
    read_seconds: float = 0.0
    answer_seconds: float = 0.0

    def fits(self, record: Record) -> bool:
        return record.path.startswith(self.path) and self.method in ("", record.method)


@dataclass
class Record:
    """A request. `outcome` is what the server decided, `status` what the client was sent: 0 is
    nothing at all. Header names are in lower case.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    time: float
    body: bytes = b""
    fault: Fault = field(default_factory=Fault)
    outcome: int = 0
    status: int = 0
    message: str = ""
    filename: str = ""

    def credentials(self) -> tuple[str, str]:
        """Return user and password of basic authentication, both empty where there is none."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return "", ""
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return "", ""
        return user, password

    def carries(self, secret: str) -> bool:
        """Say whether `secret` travelled with this request, wherever in it."""
        texts = [self.path, self.query, *self.headers.values(), *self.credentials()]
        return any(secret in text for text in texts) or secret.encode() in self.body


@dataclass(frozen=True)
class Answer:
    """What is sent; `message` goes into the status line, as the index has it."""

    status: int = 200
    body: bytes = b""
    kind: str = "text/plain; charset=UTF-8"
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(data: object, status: int = 200, kind: str = "application/json") -> Answer:
    return Answer(status, json.dumps(data).encode(), kind)


def refusal(status: int, message: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    """Return an error page that says `message` in its body, and in the status line."""
    line = " ".join(message.split()).encode("iso-8859-1", "replace").decode("iso-8859-1")
    page = f"<html><body><h1>{status}</h1>{html.escape(message)}</body></html>"
    return Answer(status, page.encode(), "text/html; charset=UTF-8", line, headers or {})
