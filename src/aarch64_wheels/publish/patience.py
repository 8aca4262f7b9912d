"""Patience with GitHub: how long is waited, what is sent again, and where is looked first.

PyGithub repeats requests by its `GithubRetry`, from which ours differs in three things. A PATCH
is sent again too: ours set values, and twice is as good as once. A POST is not, unless a limit
kept GitHub from carrying it out: maybe only its answer was lost, and another would make another
draft or comment, so `persevere` looks before. And no wait is longer than we want.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from github import GithubException, GithubRetry
from github.GithubException import RateLimitExceededExceedsMaxWait, RateLimitExceededException
from urllib3.exceptions import MaxRetryError, SSLError

if TYPE_CHECKING:
    from collections.abc import Callable

    from urllib3 import BaseHTTPResponse

T = TypeVar("T")

_CODES = requests.codes
#: GitHub's limits: on requests in an hour, and in a short time; both come with both statuses.
_LIMITS = (_CODES.forbidden, _CODES.too_many_requests)
_SERVER_ERRORS = range(500, 600)
_REPEATED = frozenset({"GET", "HEAD", "PATCH", "DELETE"})
_WORTH_TELLING = 5.0
#: PyGithub raises both kinds: its own, and those of requests when its repetitions are used up.
TROUBLE = (GithubException, requests.RequestException)


def _silent(_text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How GitHub is waited for.

    Attributes:
        again: how often a request that failed is sent again.
        tries: how often something is done of which GitHub does not say that it was done.
        first_wait: seconds before the second of these; each wait is twice the last.
        limit_wait: seconds, for a limit of which GitHub does not say when it ends.
        longest_wait: seconds that a limit may take; less than `limit_wait` makes that fail, too.
        timeout, upload_timeout: seconds in which nothing comes; for the answer to an upload.
        between_requests, between_writes: seconds that GitHub asks its clients to leave.
        note: told the longer waits. sleep: waits seconds.
    """

    again: int = 8
    tries: int = 5
    first_wait: float = 2.0
    limit_wait: float = 60.0
    longest_wait: float = 900.0
    timeout: int = 60
    upload_timeout: int = 300
    between_requests: float = 0.25
    between_writes: float = 1.0
    note: Callable[[str], None] = field(default=_silent)
    sleep: Callable[[float], None] = field(default=time.sleep)

    def wait(self, seconds: float) -> None:
        """Wait, and say so if it takes long."""
        if seconds >= _WORTH_TELLING:
            self.note(f"waiting {seconds:.0f} s for GitHub")
        if seconds > 0:
            self.sleep(seconds)


USUAL = Patience()


class PatientRetry(GithubRetry):
    """PyGithub's repetitions, changed as the module says."""

    def __init__(self, *, patience: Patience, **known: Any) -> None:
        super().__init__(**known)
        self.patience = patience

    @classmethod
    def of(cls, patience: Patience) -> PatientRetry:
        """Make one."""
        return cls(
            patience=patience,
            secondary_rate_wait=patience.limit_wait,
            max_rate_limit_wait=patience.longest_wait,
            total=patience.again,
            backoff_factor=patience.first_wait / 2,
            allowed_methods=_REPEATED,
            status_forcelist=[*_SERVER_ERRORS, _CODES.too_many_requests],
            raise_on_status=False,
        )

    def new(self, **known: Any) -> PatientRetry:
        """Make the next one: urllib3 counts by exchanging them."""
        return super().new(patience=self.patience, **known)

    def is_retry(
        self,
        method: str,
        status_code: int,
        has_retry_after: bool = False,  # noqa: FBT001, FBT002 - as urllib3 calls it
    ) -> bool:
        """Tell whether to send a request again after an answer of this status."""
        if method.upper() == "POST":
            return status_code in _LIMITS
        return super().is_retry(method, status_code, has_retry_after)

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Give the seconds that an answer wants to be waited, by GitHub's rules for its limits."""
        wanted = super().get_retry_after(response)
        if wanted is not None or response.status not in _LIMITS:
            return wanted
        reset = response.headers.get("X-RateLimit-Reset", "")
        if response.headers.get("X-RateLimit-Remaining") == "0" and reset.isdecimal():
            return max(int(reset) - time.time(), 0.0) + 1
        return self.patience.limit_wait

    def increment(self, *given: Any, **known: Any) -> Any:
        """Count a failure.

        Raises:
            GithubException: it cannot pass, or not as soon as we want.
        """
        response, error = known.get("response"), known.get("error")
        if response is not None:
            self._require_short(response)
        if _is_distrust(error):
            raise MaxRetryError(known["_pool"], given[1], error) from error
        try:
            return super().increment(*given, **known)
        except MaxRetryError:
            if response is None or response.status not in _LIMITS:
                raise
            # PyGithub has read the answer, and would find no words in it any more.
            response.drain_conn()
            message = "this limit was met again and again"
            raise RateLimitExceededException(response.status, None, {}, message) from None

    def _require_short(self, response: BaseHTTPResponse) -> None:
        """See to the waits that PyGithub does not see to: those that GitHub gives in seconds."""
        if "Retry-After" not in response.headers and response.status != _CODES.too_many_requests:
            return
        wanted = self.get_retry_after(response) or 0.0
        if wanted > self.patience.longest_wait:
            response.drain_conn()
            raise RateLimitExceededExceedsMaxWait(response.status, None, {}, wait=wanted)

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait before the next time."""
        wanted = None if response is None else self.get_retry_after(response)
        self.patience.wait(max(wanted or 0.0, self.get_backoff_time()))


def persevere(patience: Patience, look: Callable[[], T | None], act: Callable[[], T]) -> T:
    """Do what must not be done twice.

    Args:
        patience: how often and how long.
        look: gives what `act` would make, if it is there.
        act: makes it. It is called again after troubles that may pass.

    Raises:
        GithubException: GitHub does not do it.
        requests.RequestException: it cannot be reached, or not in time.
    """
    for number in range(1, patience.tries):
        if (there := look()) is not None:
            return there
        try:
            return act()
        except TROUBLE as error:
            if not may_pass(error):
                raise
        patience.wait(patience.first_wait * 2 ** (number - 1))
    return there if (there := look()) is not None else act()


def may_pass(error: Exception) -> bool:
    """Tell whether a trouble may be over soon, or something be there that was not seen yet.

    What urllib3 has repeated already is no such trouble: a connection that is not to be had.
    """
    if not isinstance(error, GithubException):
        return not any(isinstance(one, MaxRetryError) for one in error.args)
    codes = [row.get("code") for row in details(error)]
    return error.status in _SERVER_ERRORS or "already_exists" in codes


def details(error: GithubException) -> list[dict[str, Any]]:
    """Give what GitHub says beside its message: each of its errors, as a document."""
    data = error.data if isinstance(error.data, dict) else {}
    rows = data.get("errors")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _is_distrust(error: object) -> bool:
    """Tell whether TLS failed at a certificate that is not trusted, and will not be soon."""
    reasons = error.args if isinstance(error, SSLError) else ()
    return any(isinstance(one, ssl.SSLCertVerificationError) for one in reasons)
