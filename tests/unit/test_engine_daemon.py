"""An engine where there was none, and a user who may use it."""

from __future__ import annotations

import os
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import pytest

from aarch64_wheels.engine import access, daemon
from aarch64_wheels.engine.access import is_denied as really_denied
from aarch64_wheels.errors import CommandError, UnfitError
from aarch64_wheels.settings.schema import EngineName

if TYPE_CHECKING:
    from pathlib import Path


def nothing(_name: str) -> None:
    """`shutil.which` on a machine with no programs."""


@pytest.fixture(autouse=True)
def _allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own engine is nobody's business here."""
    monkeypatch.setattr(access, "is_denied", lambda: False)


@pytest.fixture
def _denied(monkeypatch: pytest.MonkeyPatch, _allowed: None) -> None:
    monkeypatch.setattr(access, "is_denied", lambda: True)
    monkeypatch.setattr(access, "user_name", lambda: "kim")


@pytest.mark.usefixtures("_denied")
def test_a_socket_without_permission_is_not_a_case_for_installing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "connect", Machine(after=1000).connect)
    monkeypatch.setattr(daemon, "apt_install", lambda *_args: pytest.fail("installs"))
    with pytest.raises(UnfitError, match="sudo usermod -aG docker kim") as caught:
        daemon.provide_engine(EngineName.AUTO, {}, tmp_path, print)
    assert "log in again" in caught.value.hint


class Machine:
    """A machine without an engine: it answers `after` so many questions."""

    def __init__(self, after: int) -> None:
        self.questions = 0
        self.after = after

    def connect(self, _name: EngineName, _environ: Any) -> str:
        self.questions += 1
        if self.questions <= self.after:
            raise UnfitError("no engine", found="missing")
        return "engine"


def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: Machine, script: str) -> str:
    """Run `provide_engine` where `dockerd` is this shell script; return the steps it told."""
    said: list[str] = []
    monkeypatch.setattr(daemon, "connect", machine.connect)
    monkeypatch.setattr(daemon, "SYSTEMD", tmp_path / "no-systemd")
    monkeypatch.setattr(daemon, "PATIENCE", 1)
    monkeypatch.setattr(daemon, "as_root", lambda _argv: ["sh", "-c", script])
    monkeypatch.setattr(daemon, "shutil", SimpleNamespace(which=nothing))
    monkeypatch.setattr(daemon, "apt_install", lambda names, _sink: said.append(str(names)))
    daemon.provide_engine(EngineName.AUTO, {}, tmp_path / "cache", said.append)
    return "\n".join(said)


def test_an_engine_is_installed_started_and_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine(after=2)
    said = start(monkeypatch, tmp_path, machine, "exit 0")
    assert said.startswith("['docker.io']\nstarting dockerd, its log is ")
    assert machine.questions == 3


def test_an_engine_that_does_not_start_shows_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UnfitError, match="no iptables") as caught:
        start(monkeypatch, tmp_path, Machine(after=1000), "echo no iptables; exit 1")
    assert caught.value.hint == f"see {tmp_path}/cache/dockerd.log"


def test_a_running_engine_is_not_touched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert start(monkeypatch, tmp_path, Machine(after=0), "exit 1") == ""
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("_denied")
def test_a_started_engine_that_denies_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine(after=1000)
    monkeypatch.setattr(daemon, "connect", machine.connect)
    monkeypatch.setattr(daemon, "PAUSE", 0.01)
    wanted = daemon.Wanted(name=EngineName.AUTO, environ={}, log=tmp_path / "log")
    with pytest.raises(UnfitError, match="may not use Docker"):
        daemon._wait(wanted, None)  # noqa: SLF001
    assert machine.questions == 2


def test_a_users_dockerd_is_open_to_the_users_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(access, "own_group", lambda: "kims")

    def as_root(argv: list[str]) -> list[str]:
        asked.append(argv)
        return ["true"]

    monkeypatch.setattr(daemon, "as_root", as_root)
    said: list[str] = []
    daemon._start_process(tmp_path / "log", said.append).wait()  # noqa: SLF001
    assert asked == [["dockerd", "--group", "kims"]]
    assert "the group kims may use it" in said[0]


def test_roots_dockerd_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert access.own_group() is None


def test_a_group_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_001)
    monkeypatch.setattr(os, "getgid", lambda: 4_000_002)
    assert access.own_group() == "4000002"
    assert access.user_name() == "4000001"


def test_systemds_docker_is_opened_to_this_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps: list[str] = []
    answers = iter([True, False])
    monkeypatch.setattr(daemon, "SYSTEMD", tmp_path)
    monkeypatch.setattr(daemon, "call", lambda argv, **_options: steps.append(argv[-2]))
    monkeypatch.setattr(daemon, "as_root", lambda argv: argv)
    monkeypatch.setattr(access, "is_denied", lambda: next(answers))
    monkeypatch.setattr(access, "grant", lambda _sink: steps.append("grant"))
    monkeypatch.setattr(daemon, "connect", lambda *_arguments: "engine")
    wanted = daemon.Wanted(name=EngineName.AUTO, environ={}, log=tmp_path / "log")
    assert str(daemon.start_engine(wanted, print)) == "engine"
    assert steps == ["start", "grant"]


class Socket:
    """Docker's socket, opened by the programs that there are; `broken` ones fail."""

    def __init__(self, *programs: str, broken: str = "") -> None:
        self.programs = ("sudo", *programs)
        self.broken = broken
        self.ran: list[str] = []

    def which(self, name: str) -> str | None:
        return name if name in self.programs else None

    def call(self, argv: list[str], **_options: Any) -> None:
        self.ran.append(" ".join(argv))
        if self.broken and self.broken in argv:
            raise CommandError(tuple(argv), 1, "Operation not supported")


SETFACL = "sudo -n setfacl -m u:7:rw /s"
CHOWN = "sudo -n chown 7 /s"
GRANTS = {
    "with access lists": (Socket("setfacl"), [SETFACL]),
    "without": (Socket(), [CHOWN]),
    "on a disk without": (Socket("setfacl", broken="setfacl"), [SETFACL, CHOWN]),
}


@pytest.mark.parametrize(("opened", "expected"), GRANTS.values(), ids=GRANTS.keys())
def test_only_this_user_is_let_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, opened: Socket, expected: list[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 7)
    monkeypatch.setattr(access, "call", opened.call)
    said: list[str] = []
    place = tmp_path / "s"
    access.grant(said.append, path=place, which=opened.which)
    assert opened.ran == [line.replace("/s", str(place)) for line in expected]
    assert len(said) == len(expected)
    assert "until Docker restarts" in said[0]


def test_sudo_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Socket(broken="chown")
    monkeypatch.setattr(os, "geteuid", lambda: 7)
    monkeypatch.setattr(access, "call", opened.call)
    with pytest.raises(UnfitError, match="Operation not supported"):
        access.grant(print, which=opened.which)


class RefusingSocket:
    """A socket whose `connect` ends with an error."""

    def __init__(self, error: OSError) -> None:
        self.error = error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def connect(self, _path: str) -> None:
        raise self.error


REFUSALS = {
    "permission": (PermissionError(13, "Permission denied"), True),
    "nobody there": (ConnectionRefusedError(111, "refused"), False),
    "missing": (FileNotFoundError(2, "missing"), False),
}


@pytest.mark.parametrize(("error", "expected"), REFUSALS.values(), ids=REFUSALS.keys())
def test_only_a_refusal_is_one(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    error: OSError,
    expected: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(socket, "socket", lambda _family: RefusingSocket(error))
    assert really_denied(tmp_path / "docker.sock") is expected
