"""The bridge that joins an engine's containers to the host's network: its address must last.

A bridge whose hardware address nobody has set takes the lowest of those of its ports (Linux:
`br_stp_recalculate_bridge_id`), so that it changes as containers come and go. The containers
that know the old one then reach nothing, no name server either, until their neighbour cache
asks again (about 10 to 35 s). Docker sets one on a bridge that it makes itself, and leaves one
that it finds as it is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker.errors
import requests

from aarch64_wheels.errors import CommandError, UnfitError
from aarch64_wheels.host import as_root, call

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import LineSink
    from aarch64_wheels.engine.client import Engine

#: Where the kernel shows its network interfaces.
INTERFACES = Path("/sys/class/net")
#: `NET_ADDR_SET` of linux/netdevice.h: somebody has set this address.
_SET = "3"
#: The prefix of the addresses that Docker gives: locally administered, and of one station.
_PREFIX = "02:42"
_NO_ADDRESS = "00:00:00:00:00:00"


def changing_bridge(engine: Engine, interfaces: Path = INTERFACES) -> str | None:
    """Name the bridge of the engine's containers if its address changes with them.

    Args:
        engine: the engine; of one on another machine, nothing can be seen from here.
        interfaces: the kernel's directory of network interfaces.

    Returns:
        The interface (`docker0`); None if its address lasts, or if there is none here.
    """
    name = _default_bridge(engine.client) if engine.local else ""
    if not name or Path(name).name != name:
        return None
    try:
        kind = (interfaces / name / "addr_assign_type").read_text().strip()
    except OSError:  # in another network namespace (a virtual machine, rootless Docker)
        return None
    return name if kind != _SET else None


def make_bridge_last(engine: Engine, sink: LineSink, interfaces: Path = INTERFACES) -> None:
    """Give the bridge an address of its own where it has none, saying so; else do nothing.

    One that cannot be set is told too, and no error: a build may well get through without.
    It lasts as long as the bridge, which an engine makes anew after the machine has started.
    """
    name = changing_bridge(engine, interfaces)
    if name is None:
        return
    address = _present_address(interfaces / name) or new_address()
    command = ["ip", "link", "set", "dev", name, "address", address]
    sink(f"giving the network bridge {name} a lasting address, {address}")
    try:
        call(as_root(command), sink=sink)
    except (CommandError, UnfitError) as error:
        sink(f"it keeps the address that changes: {error} (as root: {' '.join(command)})")


def _present_address(interface: Path) -> str:
    """Give the one it has, which running containers know; empty for a bridge without any port."""
    try:
        address = (interface / "address").read_text().strip()
    except OSError:
        return ""
    return "" if address == _NO_ADDRESS else address


def new_address() -> str:
    """Make up an address as Docker does, random but for its prefix."""
    return f"{_PREFIX}:{os.urandom(4).hex(':')}"


def _default_bridge(client: Any) -> str:
    """Ask Docker for its default network's bridge; Podman has none of that name."""
    try:
        options = client.networks.get("bridge").attrs.get("Options") or {}
    except (docker.errors.DockerException, requests.RequestException):
        return ""
    return str(options.get("com.docker.network.bridge.name") or "")
