"""The bridge between containers and host: whether its address lasts, and how it is made to."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import docker.errors
import pytest

from aarch64_wheels.engine import bridge
from aarch64_wheels.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "com.docker.network.bridge.name"


class Networks:
    """An engine's networks, as docker-py gives them."""

    def __init__(self, options: dict[str, str] | None) -> None:
        self.options = options

    def get(self, name: str) -> Any:
        if self.options is None:
            raise docker.errors.NotFound(f"network {name} not found")
        return SimpleNamespace(attrs={"Options": self.options})


def engine(options: dict[str, str] | None, *, local: bool = True) -> Any:
    return SimpleNamespace(client=SimpleNamespace(networks=Networks(options)), local=local)


@pytest.fixture
def interfaces(tmp_path: Path) -> Path:
    """A machine whose bridge `docker0` has an address of the kernel's own choice."""
    (tmp_path / "docker0").mkdir()
    (tmp_path / "docker0/addr_assign_type").write_text("1\n")
    return tmp_path


def test_an_address_of_the_kernels_choice_changes(interfaces: Path) -> None:
    assert bridge.changing_bridge(engine({NAME: "docker0"}), interfaces) == "docker0"


def test_an_address_that_was_set_lasts(interfaces: Path) -> None:
    (interfaces / "docker0/addr_assign_type").write_text("3\n")
    assert bridge.changing_bridge(engine({NAME: "docker0"}), interfaces) is None


UNKNOWN = {
    "another machine's engine": engine({NAME: "docker0"}, local=False),
    "no network of that name": engine(None),
    "a network that names no bridge": engine({}),
    "a bridge in another namespace": engine({NAME: "docker9"}),
    "a name that is none": engine({NAME: "../docker0"}),
}


@pytest.mark.parametrize("unknown", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_cannot_be_seen_is_left_alone(interfaces: Path, unknown: Any) -> None:
    assert bridge.changing_bridge(unknown, interfaces) is None


def test_the_bridge_gets_an_address_of_its_own(
    interfaces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []
    said: list[str] = []
    monkeypatch.setattr(bridge, "as_root", lambda argv: ["sudo", *argv])
    monkeypatch.setattr(bridge, "call", lambda argv, **_options: calls.append(argv))
    bridge.make_bridge_last(engine({NAME: "docker0"}), said.append, interfaces)
    [argv] = calls
    assert argv[:-1] == ["sudo", "ip", "link", "set", "dev", "docker0", "address"]
    assert re.fullmatch("02:42(:[0-9a-f]{2}){4}", argv[-1])
    assert argv[-1] in said[0]


def test_the_address_that_running_containers_know_is_kept(
    interfaces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(bridge, "as_root", lambda argv: argv)
    monkeypatch.setattr(bridge, "call", lambda argv, **_options: calls.append(argv))
    for address in ("06:51:44:b9:52:13", "00:00:00:00:00:00"):
        (interfaces / "docker0/address").write_text(f"{address}\n")
        bridge.make_bridge_last(engine({NAME: "docker0"}), print, interfaces)
    assert [argv[-1] == "06:51:44:b9:52:13" for argv in calls] == [True, False]
    assert calls[1][-1].startswith("02:42:")


def test_a_bridge_that_cannot_be_set_is_told_and_no_error(
    interfaces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(argv: list[str], *, sink: Any) -> None:
        sink("RTNETLINK answers: Operation not permitted")
        raise CommandError(tuple(argv), 2, "RTNETLINK answers: Operation not permitted")

    said: list[str] = []
    monkeypatch.setattr(bridge, "as_root", lambda argv: argv)
    monkeypatch.setattr(bridge, "call", fail)
    bridge.make_bridge_last(engine({NAME: "docker0"}), said.append, interfaces)
    assert "as root: ip link set dev docker0 address 02:42:" in said[-1]


def test_a_lasting_bridge_is_not_touched(interfaces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "call", lambda *_arguments, **_options: pytest.fail("sets it"))
    (interfaces / "docker0/addr_assign_type").write_text("3\n")
    bridge.make_bridge_last(engine({NAME: "docker0"}), pytest.fail, interfaces)
