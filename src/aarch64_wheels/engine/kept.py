"""Containers kept as images, so that later ones start with what these have come to hold."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import docker.errors
import requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.engine.client import Engine

#: Label of such an image: when it was kept, in seconds since 1970.
LABEL = "aarch64-wheels.kept"
#: Seconds after which one is made anew: a requirement like `setuptools>=77` must come to mean a
#: newer release some day.
FRESH_SECONDS = 24 * 3600


def is_kept(engine: Engine, name: str) -> bool:
    """Tell whether the engine holds such an image, and a fresh one."""
    return engine.has_image(name) and _age(engine.image_labels(name)) < FRESH_SECONDS


def keep(client: Any, container: str, name: str) -> None:
    """Keep a container's files as an image; mounted ones are not among them.

    Its variables are kept with it: those of a build are given to commands only
    (`ContainerSession`), for an index's URL may hold a login.

    Raises:
        docker.errors.APIError, requests.RequestException: the engine's troubles.
    """
    repository, _, tag = name.rpartition(":")
    changes = [f"LABEL {LABEL}={int(time.time())}"]
    client.api.commit(container, repository, tag, changes=changes)


def remove_kept(engine: Engine, older_than: float = FRESH_SECONDS) -> None:
    """Remove those older than so many seconds, named or not; one still in use stays."""
    try:
        found = engine.client.api.images(filters={"label": LABEL})
    except (docker.errors.DockerException, requests.RequestException):
        return  # that is for the build to tell: it asks the engine for more than this
    for image in found:
        if _age(image.get("Labels") or {}) > older_than:
            engine.forget_image(image["Id"])


def _age(labels: Mapping[str, str]) -> float:
    """Count the seconds since it was kept; infinitely many if it does not say."""
    kept = labels.get(LABEL, "")
    return time.time() - int(kept) if kept.isdecimal() else math.inf
