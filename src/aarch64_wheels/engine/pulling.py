"""Pulling images: quay.io and others answer 502, 503 or 504 at times, so try again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import docker.errors
import requests

from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aarch64_wheels.engine.api import LineSink

PLATFORM = "linux/arm64"
#: Seconds to wait before each further attempt.
PAUSES = (2.0, 8.0, 20.0)
BUSY = re.compile(
    r"\b(?:429|5\d\d)\b|bad gateway|service unavailable|gateway time|too ?many ?requests"
    r"|timeout|timed out|connection reset|unexpected EOF|TLS handshake|temporary failure",
    re.IGNORECASE,
)
# A name that does not resolve, or a port nobody listens at, will not get better in 30 seconds.
HOPELESS = re.compile(r"no such host|connection refused|server misbehaving|no route to host")


def pull_with_retry(
    client: Any, reference: str, sink: LineSink, *, pause: Callable[[float], None]
) -> None:
    """Pull `reference` for linux/arm64.

    Raises:
        UnfitError: with the registry's words of the last attempt.
    """
    problem = _pull(client, reference, sink)
    for seconds in PAUSES:
        if problem is None or not is_busy(problem):
            break
        sink(f"{problem}; trying again in {seconds:.0f} s")
        pause(seconds)
        problem = _pull(client, reference, sink)
    if problem is not None:
        raise UnfitError(f"cannot pull {reference} for {PLATFORM}", found=problem)


def is_busy(problem: str) -> bool:
    """Tell whether the registry's words promise that a later attempt may work."""
    return bool(BUSY.search(problem)) and not HOPELESS.search(problem)


def _pull(client: Any, reference: str, sink: LineSink) -> str | None:
    """One attempt; the problem's words, or None."""
    try:
        events = client.api.pull(reference, platform=PLATFORM, stream=True, decode=True)
        return _follow(events, sink)
    except docker.errors.APIError as error:
        status = error.response.status_code if error.response is not None else ""
        return f"{error.explanation or error} ({status})" if status else str(error)
    except (docker.errors.DockerException, requests.RequestException) as error:
        return str(error)


def _follow(events: Iterable[Mapping[str, Any]], sink: LineSink) -> str | None:
    """Tell of each layer's states once: the byte counters would fill a log."""
    told = set()
    for event in events:
        if "error" in event:
            return str(event["error"])
        line = " ".join(str(event[key]) for key in ("id", "status") if event.get(key))
        if line not in told:
            told.add(line)
            sink(line)
    return None
