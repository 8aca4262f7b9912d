"""Removing what a killed run has left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import docker.errors
import requests

from aarch64_wheels.engine.owner import LABEL, Owner
from aarch64_wheels.engine.registry import remove_container

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import LineSink
    from aarch64_wheels.engine.client import Engine


def _ignore(_line: str) -> None:
    """Tell nobody."""


def sweep(engine: Engine, sink: LineSink = _ignore) -> tuple[str, ...]:
    """Remove containers of ours whose owner is dead; return the names of those removed.

    Containers of runs that may be alive (in another container, on another host) stay.

    Args:
        engine: whose containers.
        sink: told of each container that cannot be removed, and why. It harms no new build.
    """
    me = Owner.current()
    found = engine.client.api.containers(all=True, filters={"label": LABEL})
    orphans = (it for it in found if _is_orphan(it.get("Labels") or {}, me))
    return tuple(_name(orphan) for orphan in orphans if _remove(engine, orphan, sink))


def _remove(engine: Engine, container: dict[str, Any], sink: LineSink) -> bool:
    try:
        return remove_container(engine.client, container["Id"])
    except (docker.errors.DockerException, requests.RequestException) as error:
        words = getattr(error, "explanation", None) or error
        sink(f"cannot remove {_name(container)}, left by a run that was killed: {words}")
        return False


def _is_orphan(labels: dict[str, str], me: Owner) -> bool:
    owner = Owner.from_labels(labels)
    return owner is not None and owner.is_dead(me)


def _name(container: dict[str, Any]) -> str:
    names = container.get("Names") or [str(container["Id"])[:12]]
    return str(names[0]).lstrip("/")
