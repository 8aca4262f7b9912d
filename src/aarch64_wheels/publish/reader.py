"""Reading from a package index: again where that may help, and without telling it to others."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from pypi_simple import UnsupportedRepoVersionError
from requests.auth import HTTPBasicAuth

from aarch64_wheels import __version__
from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.answers import (
    TRUST_HINT,
    is_passing,
    is_untrusted,
    trouble,
    wait_wanted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds before each further try to read, and the most that the index may ask for instead.
WAITS = (0.5, 1.0, 2.0, 4.0)
_LONGEST_WAIT = 30.0
_PORTS = {"http": 80, "https": 443}
#: What came is not what an index sends.
_OTHER_PAGE = (UnsupportedRepoVersionError, ValueError)
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError)
#: And the system's own errors: a file with certificates that is not there.
_TROUBLE = (*_BROKEN, *_OTHER_PAGE, OSError)
_LOGIN = (requests.codes.unauthorized, requests.codes.forbidden)
_WHERE = "if it lists its files elsewhere, name the place with --index-url"

Got = TypeVar("Got")


class NoListingError(PublishError):
    """There is an answer, and it is not that of an index to this reader."""


class _SameServer(requests.Session):
    """A session that is not sent elsewhere.

    An index that lacks a project may send its reader on to another one (pypiserver does). What
    that one has says nothing of this one.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Follow redirects within one server only."""
        target = super().get_redirect_target(resp)
        if target is None or same_server(resp.url, urljoin(resp.url, target)):
            return target
        resp.status_code = requests.codes.not_found  # which is what it means here
        return None


def basic_auth(login: tuple[str, str]) -> HTTPBasicAuth:
    """Give name and password as bytes (RFC 7617: UTF-8): requests itself knows only Latin-1."""
    return HTTPBasicAuth(*(part.encode() for part in login))


def same_server(one: str, other: str) -> bool:
    """Tell whether who may see what is sent to a URL may see what is sent to the other.

    A step up, from http to https on the usual ports, leads to the same server.
    """
    here, there = _server(one), _server(other)
    if here[::2] == ("http", 80) and there[::2] == ("https", 443):
        return here[1] == there[1]
    return here == there


def _server(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How an index is read.

    Attributes:
        auth: name and password, where it wants them from readers too.
        ca_bundle: a file with the certificates to trust; empty: the usual ones.
        client_cert: a file with certificate and key that show who reads; empty: none.
        waits: seconds before each further try, where one fails. sleep: waits.
    """

    auth: tuple[str, str] | None = field(default=None, repr=False)
    ca_bundle: str = ""
    client_cert: str = ""
    waits: tuple[float, ...] = WAITS
    sleep: Callable[[float], None] = field(default=time.sleep)

    def listing(self) -> requests.Session:
        """Give a session for the index itself."""
        return self._made(_SameServer(), private=True)

    def files(self, *, private: bool) -> requests.Session:
        """Give a session for files, which may lie elsewhere.

        Args:
            private: they lie where the name and the password may be seen.
        """
        return self._made(requests.Session(), private=private)

    def patiently(self, url: str, read: Callable[[], Got]) -> Got:
        """Read, and again while that may help.

        Args:
            url: named in the error.
            read: does it.

        Raises:
            NoListingError: there is no listing there, or it is not for this reader.
            PublishError: there is no answer at all, or none but errors.
        """
        waits = iter(self.waits)
        while True:
            try:
                return read()
            except _TROUBLE as error:
                answer = getattr(error, "response", None)
                wait = next(waits, None) if _may_pass(error, answer) else None
                if wait is None:
                    raise self._failed(url, error, answer) from None
                wanted = 0.0 if answer is None else wait_wanted(answer, _LONGEST_WAIT)
            self.sleep(max(wait, wanted))

    def _made(self, session: requests.Session, *, private: bool) -> requests.Session:
        session.headers["User-Agent"] = f"aarch64-wheels/{__version__}"
        if self.auth and private:
            session.auth = basic_auth(self.auth)
        if self.client_cert and private:
            session.cert = self.client_cert
        if self.ca_bundle:
            session.verify = self.ca_bundle
        return session

    def _failed(self, url: str, error: Exception, answer: requests.Response | None) -> PublishError:
        what = f"cannot read what {url} lists"
        if answer is not None:
            kind = PublishError if is_passing(answer) else NoListingError
            return kind(
                what, found=f"{answer.status_code} {answer.reason}", hint=self._hint(answer)
            )
        if is_untrusted(error):
            return PublishError(what, found=trouble(error), hint=TRUST_HINT)
        if not isinstance(error, (*_BROKEN, *_OTHER_PAGE)):
            hint = "check TWINE_CERT and TWINE_CLIENT_CERT"
            return PublishError(what, found=trouble(error), hint=hint)
        kind = NoListingError if isinstance(error, _OTHER_PAGE) else PublishError
        return kind(what, found=trouble(error), hint=f"try again; {_WHERE}")

    def _hint(self, answer: requests.Response) -> str:
        if answer.status_code not in _LOGIN:
            return f"try again; {_WHERE}"
        if self.auth:
            return f"check user and password (TWINE_USERNAME, TWINE_PASSWORD, .pypirc); {_WHERE}"
        return f"it may want a login: set TWINE_USERNAME and TWINE_PASSWORD; {_WHERE}"


def _may_pass(error: Exception, answer: requests.Response | None) -> bool:
    if answer is not None:
        return is_passing(answer)
    if isinstance(error, _OTHER_PAGE) or is_untrusted(error):
        return False
    return isinstance(error, _BROKEN)
