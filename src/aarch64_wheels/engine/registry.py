"""All containers this process made, so that none outlives it."""

from __future__ import annotations

import threading
import time
from typing import Any

import docker.errors
import requests

_GONE_TRIES = 100


class ContainerRegistry:
    """Thread-safe: sessions add and remove, a signal handler may empty it at any time."""

    def __init__(self, client: Any) -> None:
        self._client = client
        # Re-entrant: a signal handler may run in the thread that holds it.
        self._lock = threading.RLock()
        self._ids: set[str] = set()
        self._closed = False

    @property
    def closed(self) -> bool:
        """`close_all` has been called: nothing may be started any more."""
        return self._closed

    def add(self, container_id: str) -> None:
        """Remember a container from its creation on."""
        with self._lock:
            self._ids.add(container_id)

    def remove(self, container_id: str) -> None:
        """Remove the container with its volumes, running or not; one that is gone is fine."""
        remove_container(self._client, container_id)
        with self._lock:
            self._ids.discard(container_id)

    def close_all(self) -> None:
        """Remove what there is, and let nothing new start."""
        with self._lock:
            self._closed = True
            left = list(self._ids)
        for container_id in left:
            try:
                self.remove(container_id)
            except (docker.errors.DockerException, requests.RequestException):
                continue  # the others must go; the sweep of the next run takes this one


def remove_container(client: Any, container_id: str) -> bool:
    """Force-remove a container; False if it was gone already or another removes it."""
    try:
        client.api.remove_container(container_id, force=True, v=True)
    except docker.errors.NotFound:
        return False
    except docker.errors.APIError as error:
        if error.response is None or error.response.status_code != requests.codes.conflict:
            raise
        _wait_until_gone(client, container_id)
        return False
    return True


def _wait_until_gone(client: Any, container_id: str) -> None:
    """Wait for a removal that is in progress (another thread's), for a while."""
    for _ in range(_GONE_TRIES):
        try:
            client.api.inspect_container(container_id)
        except docker.errors.NotFound:
            return
        time.sleep(0.1)
