"""How GitHub refuses, and what can go wrong on the way: one fault for one request."""

from __future__ import annotations

import enum
import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tests.standins_github.store import Document

DOCUMENTATION = "https://docs.github.com/rest"
RATE = f"{DOCUMENTATION}/using-the-rest-api/rate-limits-for-the-rest-api"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer; `unexpected` marks a route that does not exist."""

    status: int
    content: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    unexpected: bool = False


class RefusedError(Exception):
    """A request that GitHub would not carry out."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def problem(status: int, message: str, errors: Sequence[Document] = ()) -> Answer:
    """Return an error in GitHub's form."""
    document: Document = {"message": message, "documentation_url": DOCUMENTATION}
    document |= {"errors": list(errors)} if errors else {}
    return said({**document, "status": str(status)}, status=status)


def said(document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    content = json.dumps(document).encode()
    return Answer(status=status, content=content, headers=headers or {})


def refuse(status: int, message: str, *errors: Document) -> NoReturn:
    raise RefusedError(problem(status, message, errors))


def invalid(resource: str, code: str, name: str, message: str = "") -> NoReturn:
    """Refuse with the 422 of a value that has the right type and is wrong nevertheless."""
    error = {"resource": resource, "code": code, "field": name}
    refuse(422, "Validation Failed", error | ({"message": message} if message else {}))


def fields(body: bytes, allowed: Mapping[str, type], required: Collection[str]) -> Document:
    """Read a JSON body, or refuse it: GitHub checks against its published schema first."""
    try:
        document = json.loads(body)
    except ValueError:
        refuse(400, "Problems parsing JSON")
    if not isinstance(document, dict):
        refuse(400, "Body should be a JSON object")
    wrong = [f'"{name}" wasn\'t supplied.' for name in required if name not in document]
    wrong += [f'"{name}" is not a permitted key.' for name in document if name not in allowed]
    for name, wanted in allowed.items():
        if name in document and type(document[name]) is not wanted:
            shown = json.dumps(document[name]).replace("null", "nil")
            kind = {str: "string", bool: "boolean"}[wanted]
            wrong.append(f"For 'properties/{name}', {shown} is not a {kind}.")
    if wrong:
        refuse(422, "\n\n".join(["Invalid request.", *wrong]))
    return document


class Handled(enum.Enum):
    """How far a request gets before the fault strikes."""

    NOT = enum.auto()
    PARTLY = enum.auto()  # an upload leaves an asset in the state `starter`
    FULLY = enum.auto()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault: without an answer, the connection is cut."""

    name: str
    answer: Answer | None = None
    handled: Handled = Handled.NOT
    whole_body: bool = True


def primary_limit(*, reset_in: float = 1.0, status: int = 403) -> Fault:
    """The hourly budget is used up; `reset_in` seconds until there is a new one."""
    message = "API rate limit exceeded for installation ID 4711."
    headers = {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(int(time.time() + reset_in)),
    }
    return Fault(name="primary limit", answer=_limited(message, "primary", headers, status))


def secondary_limit(*, retry_after: int | None = None, status: int = 403) -> Fault:
    """Too many requests in a short time; GitHub says `Retry-After` only sometimes."""
    message = (
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    )
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Fault(name="secondary limit", answer=_limited(message, "secondary", headers, status))


def server_error(status: int = 502, *, starter: bool = False) -> Fault:
    """Answer 500, 502 or 503; with `starter`, an upload leaves an empty asset behind."""
    page = b"<!DOCTYPE html><html><title>Unicorn! &middot; GitHub</title></html>"
    answer = Answer(status=status, content=page, content_type=HTML)
    if status == 500:
        answer = problem(500, "Server Error")
    handled = Handled.PARTLY if starter else Handled.NOT
    return Fault(name=f"status {status}", answer=answer, handled=handled)


def cut_before_answer() -> Fault:
    """Close the connection with nothing done."""
    return Fault(name="cut before answer")


def cut_upload() -> Fault:
    """Close the connection in the middle of the body."""
    return Fault(name="cut upload", handled=Handled.PARTLY, whole_body=False)


def lost_answer() -> Fault:
    """Do what was asked and close the connection without saying so."""
    return Fault(name="lost answer", handled=Handled.FULLY)


def bad_credentials() -> Fault:
    """Answer as to a token that has expired."""
    return Fault(name="bad credentials", answer=problem(401, "Bad credentials"))


def not_accessible() -> Fault:
    """Answer as to a workflow's token that lacks the permission."""
    message = "Resource not accessible by integration"
    return Fault(name="not accessible", answer=problem(403, message))


def _limited(message: str, kind: str, headers: dict[str, str], status: int) -> Answer:
    """GitHub says either limit with either of 403 and 429."""
    document = {"documentation_url": f"{RATE}#about-{kind}-rate-limits", "message": message}
    return Answer(status=status, content=json.dumps(document).encode(), headers=headers)


@dataclass
class Script:
    """Faults to come. Each is used up by the first request that it fits."""

    waiting: list[tuple[str, re.Pattern[str], Fault]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault, method: str, path: str, *, times: int = 1) -> None:
        """Plan a fault; `path` is a regular expression, searched for in the request's path."""
        with self._lock:
            self.waiting += [(method, re.compile(path), fault)] * times

    def take(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for place, (wanted, pattern, _fault) in enumerate(self.waiting):
                if wanted == method and pattern.search(path):
                    return self.waiting.pop(place)[2]
        return None
