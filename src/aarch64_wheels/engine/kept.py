"""Containers kept as images, so that later ones start with what these have come to hold."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import docker.errors

from aarch64_wheels.engine.failures import ENGINE_FAILURES
from aarch64_wheels.engine.owner import PID_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aarch64_wheels.engine.client import Engine

#: Label of such an image: when it was kept, in seconds since 1970.
LABEL = "aarch64-wheels.kept"
#: Seconds after which one is made anew: a requirement like `setuptools>=77` must come to mean a
#: newer release some day.
FRESH_SECONDS = 24 * 3600


def is_kept(engine: Engine, name: str) -> bool:
    """Tell whether the engine holds such an image, and a fresh one."""
    return _age(engine.find_labels(name) or {}) < FRESH_SECONDS


def keep(client: Any, container: str, name: str) -> None:
    """Keep a container's files as an image, in place of an earlier one of that name.

    Mounted files are not among them. Its variables are: those of a build are given to commands
    only (`ContainerSession`), for an index's URL may hold a login.

    Raises:
        docker.errors.APIError, requests.RequestException: the engine's troubles.
    """
    repository, _, tag = name.rpartition(":")
    replaced = _id(client, name)
    # Labels are kept, too: without an owner, no container of the image is taken for a dead run's.
    changes = [f"LABEL {LABEL}={int(time.time())}", f'LABEL {PID_LABEL}=""']
    # Nothing but `sleep` runs: there is nothing to pause, which some engines cannot do.
    client.api.commit(container, repository, tag, changes=changes, pause=False)
    if replaced and replaced != _id(client, name):
        _remove(client, replaced)


def remove_kept(engine: Engine, older_than: float = FRESH_SECONDS) -> None:
    """Remove those older than so many seconds, named or not; one still in use stays."""
    for image in _all_kept(engine):
        if _age(image.get("Labels") or {}) > older_than:
            _remove(engine.client, image["Id"])


def remove_kept_above(engine: Engine, image_id: str) -> None:
    """Remove those that were made of an image, which could not be removed before them."""
    for image in _all_kept(engine):
        if image.get("ParentId") == image_id:
            _remove(engine.client, image["Id"])


def _all_kept(engine: Engine) -> Iterator[dict[str, Any]]:
    # What fails here fails again where a build asks the engine for more than this.
    with suppress(*ENGINE_FAILURES):
        yield from engine.client.api.images(filters={"label": LABEL})


def _remove(client: Any, image_id: str) -> None:
    """Remove an image, and not what it was made of: that may be the user's own, without a name."""
    with suppress(*ENGINE_FAILURES):
        client.api.remove_image(image_id, noprune=True)


def _id(client: Any, name: str) -> str:
    try:
        return str(client.api.inspect_image(name)["Id"])
    except docker.errors.NotFound:
        return ""


def _age(labels: Mapping[str, str]) -> float:
    """Count the seconds since it was kept; infinitely many if it does not say."""
    kept = labels.get(LABEL, "")
    return time.time() - int(kept) if kept.isdecimal() else math.inf
