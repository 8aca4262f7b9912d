"""Sending files by twine's library, again where that may help, and never twice."""

from __future__ import annotations

import enum
import itertools
import logging
import random
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from twine.exceptions import TwineException

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.answers import (
    TRUST_HINT,
    Verdict,
    advice,
    is_untrusted,
    judge,
    said,
    trouble,
    wait_wanted,
)

if TYPE_CHECKING:
    from twine.package import PackageFile
    from twine.repository import Repository

    from aarch64_wheels.publish.distributions import Distribution
    from aarch64_wheels.publish.index import Index

#: Seconds in which one file is tried again, tries and waits; seconds before its second try, and
#: at most before any other. Each wait is twice the last: most trouble is over in a moment.
PATIENCE = 180.0
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
#: However long the tries take: over a slow line, one alone may outlast the patience.
LEAST_TRIES = 3
#: Seconds to connect, and until there is an answer: an index may look closely at a file.
TIMEOUT = (15.0, 300.0)
_BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
_UNSENT = (OSError, ValueError, TwineException)

Sink = Callable[[str], None]

# It warns of each error in a server's own words, as they are; here they are told, and made fit.
logging.getLogger("twine").addHandler(logging.NullHandler())


class Sent(enum.Enum):
    """What became of a file.

    TAKEN: the index has taken it from us. THERE: it lists it, with our hash; maybe another run
    was quicker. CLAIMED: it says that it has a file of this name, and does not list it yet.
    """

    TAKEN = enum.auto()
    THERE = enum.auto()
    CLAIMED = enum.auto()


class _Limited(HTTPAdapter):
    """What twine does not have: an end to waiting. Tries are counted by `Uploader` alone."""

    def __init__(self, timeout: tuple[float, float]) -> None:
        super().__init__(max_retries=0)
        self._timeout = timeout

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send a request."""
        return super().send(request, *args, **{**kwargs, "timeout": self._timeout})


@dataclass(frozen=True, kw_only=True)
class Uploader:
    """Sends files to one index.

    Attributes:
        repository: twine's, with its session and credentials.
        index: where what it has taken is listed.
        note: told each step. patience: seconds for one file.
        sleep, clock: the time.
        timeout: seconds to connect, and until there is an answer.
    """

    repository: Repository
    index: Index
    note: Sink
    patience: float = PATIENCE
    sleep: Callable[[float], None] = field(default=time.sleep)
    clock: Callable[[], float] = field(default=time.monotonic)
    timeout: tuple[float, float] = TIMEOUT

    def __post_init__(self) -> None:
        for scheme in ("https://", "http://"):
            self.repository.session.mount(scheme, _Limited(self.timeout))

    def send(self, one: Distribution, package: PackageFile) -> Sent:
        """Have the index take a file.

        Args:
            one: the file.
            package: twine's view of it, with attestations.

        Returns:
            How it has it.

        Raises:
            PublishError: it has another file of this name, refuses this one, or fails again
                and again.
        """
        wait, end = FIRST_WAIT, self.clock() + self.patience
        for number in itertools.count(1):
            answer, last = self._tried(one, package)
            if answer is not None and (sent := self._settled(one, answer)):
                return sent
            left = end - self.clock()
            if left <= 0 and number >= LEAST_TRIES:
                raise _given_up(one, number, last)
            pause = min(self._pause(answer, wait), left) if left > 0 else FIRST_WAIT
            self.note(f"{one.filename}: {last}; again in {pause:.1f} s (try {number})")
            self.sleep(pause)
            wait = min(wait * 2, LONGEST_WAIT)
            # The answer may have been lost, and not the file.
            if self._is_listed(one):
                return Sent.THERE
        raise AssertionError

    def _tried(
        self, one: Distribution, package: PackageFile
    ) -> tuple[requests.Response | None, str]:
        try:
            with redirect_stdout(StringIO()):  # twine prints a line of its own
                answer = self.repository.upload(package, max_redirects=1)
        except _BROKEN as error:
            if is_untrusted(error):
                raise _unsent(one, error) from None
            return None, f"the connection broke ({trouble(error)})"
        except _UNSENT as error:
            raise _unsent(one, error) from None
        return answer, f"the index answered {answer.status_code} {said(answer)}"

    def _settled(self, one: Distribution, answer: requests.Response) -> Sent | None:
        """Tell how the index has the file; None if it is to be sent again."""
        verdict = judge(answer)
        if verdict is Verdict.REFUSED:
            raise PublishError(
                f"the index refuses {one.filename}",
                found=f"{answer.status_code} {said(answer)}",
                hint=advice(answer),
            )
        if verdict is Verdict.EXISTS:
            return self._found(one, answer)
        return Sent.TAKEN if verdict is Verdict.TAKEN else None

    def _found(self, one: Distribution, answer: requests.Response) -> Sent:
        """See whose file it is of which the index says that it exists.

        It is ours if an earlier answer was lost, or another run publishes the same.
        """
        listed = self.index.hashes(one.project, [one.filename]).get(one.filename)
        if listed is None:
            # It may list it in a moment; `verify` waits for that, and compares.
            self.note(f"{one.filename}: the index has one and does not list it yet: {said(answer)}")
            return Sent.CLAIMED
        if listed != one.sha256:
            raise PublishError(
                f"the index has another file named {one.filename}",
                found=f"{said(answer)}; here {one.sha256[:16]}…, there {listed[:16]}…",
                hint="an index keeps a name for ever: release another version",
            )
        self.note(f"{one.filename}: the index has it already, with this content")
        return Sent.THERE

    def _is_listed(self, one: Distribution) -> bool:
        try:
            listed = self.index.hasty().hashes(one.project, [one.filename]).get(one.filename)
        except PublishError:  # an index in trouble: sending again tells more
            return False
        if listed == one.sha256:
            self.note(f"{one.filename}: the index has taken it, only its answer was lost")
        return listed == one.sha256

    def _pause(self, answer: requests.Response | None, wait: float) -> float:
        wanted = 0.0 if answer is None else wait_wanted(answer, LONGEST_WAIT)
        # Many runners that were turned away together should not come back together.
        return max(wanted, wait * random.uniform(0.75, 1.25))  # noqa: S311 - not a secret


def _given_up(one: Distribution, number: int, last: str) -> PublishError:
    return PublishError(
        f"{one.filename} could not be uploaded in {number} tries",
        found=last,
        hint="publish again later: what the index has taken is not sent twice",
    )


def _unsent(one: Distribution, error: Exception) -> PublishError:
    if is_untrusted(error):
        hint = TRUST_HINT
    else:
        hint = "check --repository-url, the proxy's settings, user and password, and the file"
    return PublishError(f"{one.filename} cannot be sent", found=trouble(error), hint=hint)
