"""What docker-py lets through when an engine fails, or goes away in the middle of an answer."""

from __future__ import annotations

import docker.errors
import requests
import urllib3.exceptions

#: requests wraps most, but not all, of urllib3's errors, and neither wraps a reset connection.
ENGINE_FAILURES = (
    docker.errors.DockerException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    ConnectionError,
)


def words_of(failure: BaseException) -> str:
    """Give the engine's own explanation where there is one."""
    return str(getattr(failure, "explanation", None) or failure)
