"""Makes real work impossible in unit tests: no network, no engine, no package manager."""

from __future__ import annotations

import functools
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels import catalogue
from aarch64_wheels.arguments import make_parser
from aarch64_wheels.audit.policy import Judgement
from aarch64_wheels.processes import Processes
from aarch64_wheels.settings import layers, schema
from aarch64_wheels.settings.schema import ENV_PREFIX
from tests.standins.certificates import Certificates, make_certificates

if TYPE_CHECKING:
    from tests.unit.publish_desk import Desk

#: Programs that would reach the network or change the machine. A test that needs one puts a
#: stub of that name on PATH, below pytest's temporary directory.
REAL_WORK = frozenset(
    {"apt", "apt-get", "buildah", "curl", "docker", "dockerd", "mmdebstrap", "podman", "sudo", "uv"}
)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One authority for all stand-ins: making its keys takes longer than most tests."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    """Where the command `publish` is given; one server each, so only for who asks for it."""
    from tests.unit.publish_desk import open_desk

    with open_desk(tmp_path, monkeypatch, capsys) as opened:
        yield opened


@pytest.fixture
def processes() -> Iterator[Processes]:
    """A group of processes that ends with the test."""
    with Processes() as processes:
        yield processes


@pytest.fixture(autouse=True)
def _no_real_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Fail a test that connects to anything but loopback, or runs a program of `REAL_WORK`.

    `pytest.fail` raises what `except Exception` does not catch, so no code can hide it.
    """
    temporary = tmp_path_factory.getbasetemp().resolve()
    for name in ("connect", "connect_ex"):
        real = getattr(socket.socket, name)
        monkeypatch.setattr(socket.socket, name, _guarded_connect(real, temporary))
    monkeypatch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
    start = _guarded_start(subprocess.Popen.__init__, temporary)
    monkeypatch.setattr(subprocess.Popen, "__init__", start)


@pytest.fixture(autouse=True)
def _usual_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what a developer's shell may have: settings, and a terminal's width."""
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def _own_signals() -> Iterator[None]:
    """`main` takes over two; without that, a test that sends SIGTERM fails and is not killed."""
    old = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    interrupt = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGTERM, old)
    signal.signal(signal.SIGINT, interrupt)


@pytest.fixture
def _remembered_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read what is the same for every run once, for tests with hundreds of runs."""
    monkeypatch.setattr(catalogue, "_read", functools.cache(catalogue._read))  # noqa: SLF001
    fields = functools.cache(schema.all_fields)
    monkeypatch.setattr(schema, "all_fields", fields)
    monkeypatch.setattr(layers, "all_fields", fields)
    monkeypatch.setattr("aarch64_wheels.cli.make_parser", functools.cache(make_parser))


@pytest.fixture
def _judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer for auditwheel, which takes a process and a quarter of a second for each wheel."""
    judgement = Judgement(policy="manylinux_2_17_aarch64", error="")
    monkeypatch.setattr("aarch64_wheels.audit.check.judge", lambda *_arguments: judgement)


def _guarded_connect(real: Callable[..., Any], temporary: Path) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any) -> Any:
        if not _is_local(self.family, address, temporary):
            pytest.fail(f"a unit test connects to {address!r}: neither loopback nor its own socket")
        return real(self, address)

    return connect


def _is_local(family: int, address: Any, temporary: Path) -> bool:
    if family == socket.AF_UNIX:
        # A name without a path (Linux's abstract sockets) belongs to somebody else.
        path = Path(os.fsdecode(address))
        return path.is_absolute() and (
            not path.exists() or path.resolve().is_relative_to(temporary)
        )
    if family in (socket.AF_INET, socket.AF_INET6):
        return _is_loopback(address[0])
    return False


def _is_loopback(host: object) -> bool:
    text = os.fsdecode(host) if isinstance(host, str | bytes) else ""
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return text in ("", "localhost") or host is None


def _guarded_lookup(real: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
        if not _is_loopback(host):
            pytest.fail(f"a unit test asks the network for the address of {host!r}")
        return real(host, *rest, **options)

    return getaddrinfo


def _guarded_start(real: Callable[..., None], temporary: Path) -> Callable[..., None]:
    def start(self: Any, args: Any, *rest: Any, **options: Any) -> None:
        program = _program(args)
        path = (options.get("env") or os.environ).get("PATH")
        found = shutil.which(program, path=path)
        is_stub = found is None or Path(found).resolve().is_relative_to(temporary)
        if Path(program).name in REAL_WORK and not is_stub:
            pytest.fail(f"a unit test runs the real {found}: put a stub on PATH")
        real(self, args, *rest, **options)

    return start


def _program(args: object) -> str:
    if isinstance(args, str | bytes | os.PathLike):
        return os.fsdecode(args).split(" ", 1)[0]
    if isinstance(args, Sequence) and args:
        return os.fsdecode(args[0])
    return ""
