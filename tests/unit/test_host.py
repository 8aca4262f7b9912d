"""Programs of the host, and what is said if they fail."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels import host
from aarch64_wheels.errors import CommandError, UnfitError
from aarch64_wheels.host import apt_has, apt_install, as_root, call

if TYPE_CHECKING:
    from collections.abc import Sequence


def nothing(_name: str) -> None:
    """`shutil.which` on a machine with no programs."""


def test_call_gives_lines_and_passes_input_and_environment() -> None:
    lines: list[str] = []
    call(
        ["sh", "-c", r'cat; echo "$X"; printf "1\r2\n"; echo err >&2'],
        sink=lines.append,
        env={"X": "y"},
        stdin=b"in\n",
    )
    assert lines == ["in", "y", "2", "err"]


def test_a_failed_call_tells_status_and_tail() -> None:
    with pytest.raises(CommandError) as caught:
        call(["sh", "-c", "echo why; exit 4"], sink=print)
    assert (caught.value.status, caught.value.tail) == (4, "why")


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(CommandError) as caught:
        call(["no-such-program-here"], sink=print)
    assert caught.value.status == 127


def test_a_program_that_does_not_read_its_input() -> None:
    call(["true"], sink=print, stdin=b"x" * (1 << 20))
    with pytest.raises(CommandError) as caught:
        call(["sh", "-c", "exec <&-; echo why; exit 5"], sink=print, stdin=b"x" * (1 << 20))
    assert (caught.value.status, caught.value.tail) == (5, "why")


def test_an_error_of_the_sink_is_its_own_and_ends_the_program() -> None:
    def refuse(_line: str) -> None:
        raise BrokenPipeError

    started = time.monotonic()
    with pytest.raises(BrokenPipeError):
        call(["sh", "-c", "echo 1; sleep 60"], sink=refuse)
    assert time.monotonic() - started < 5


def test_an_interrupt_ends_a_silent_program() -> None:
    started = time.monotonic()
    main = threading.main_thread().ident or 0
    interrupt = threading.Timer(0.2, signal.pthread_kill, [main, signal.SIGINT])
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        call(["sleep", "60"], sink=print)
    assert time.monotonic() - started < 5


def test_root_needs_no_sudo() -> None:
    assert as_root(["mount", "x"], euid=0, which=nothing) == ["mount", "x"]


def test_a_user_takes_sudo_that_never_asks() -> None:
    assert as_root(["mount"], euid=7, which=lambda name: f"/bin/{name}") == ["sudo", "-n", "mount"]


def test_a_user_without_sudo_is_told_what_to_run() -> None:
    with pytest.raises(UnfitError, match="run as root: mount x"):
        as_root(["mount", "x"], euid=7, which=nothing)


def test_other_distributions_are_told_the_packages() -> None:
    with pytest.raises(UnfitError, match="qemu-user-static"):
        apt_install(["qemu-user-static"], print, which=nothing)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The host commands that would have run."""
    ran: list[list[str]] = []
    monkeypatch.setattr(host, "call", lambda argv, **_options: ran.append(list(argv)))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return ran


def test_apt_updates_once_and_says_what_it_installs(calls: list[list[str]]) -> None:
    said: list[str] = []
    apt_install(["a", "b"], said.append, which=lambda name: name)
    assert said == ["installing with apt: a b"]
    assert [argv[2:4] for argv in calls] == [["apt-get", "update"], ["apt-get", "install"]]
    assert {"--no-install-recommends", "-y", "a", "b"} <= set(calls[1])
    assert all("DEBIAN_FRONTEND=noninteractive" in argv for argv in calls)


def test_a_package_that_apt_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(argv: Sequence[str], **_options: Any) -> None:
        raise CommandError(tuple(argv), 100, "E: Unable to locate package")

    monkeypatch.setattr(host, "call", fail)
    assert not apt_has(["nope"])
    with pytest.raises(UnfitError, match="Unable to locate package"):
        apt_install(["nope"], print, which=lambda name: name)
