"""Removing what a killed run has left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.engine.owner import LABEL, Owner
from aarch64_wheels.engine.registry import remove_container

if TYPE_CHECKING:
    from aarch64_wheels.engine.client import Engine


def sweep(engine: Engine) -> tuple[str, ...]:
    """Remove containers of ours whose owner is dead; return the names of those removed.

    Containers of runs that may be alive (in another container, on another host) stay.
    """
    me = Owner.current()
    found = engine.client.api.containers(all=True, filters={"label": LABEL})
    return tuple(
        _name(container)
        for container in found
        if _is_orphan(container.get("Labels") or {}, me)
        and remove_container(engine.client, container["Id"])
    )


def _is_orphan(labels: dict[str, str], me: Owner) -> bool:
    owner = Owner.from_labels(labels)
    return owner is not None and owner.is_dead(me)


def _name(container: dict[str, list[str] | str]) -> str:
    names = container.get("Names") or [str(container["Id"])[:12]]
    return str(names[0]).lstrip("/")
