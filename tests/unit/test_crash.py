"""What the end of a command is called: a status, a signal, a crash under emulation."""

from __future__ import annotations

import signal

import pytest

from aarch64_wheels.crash import CRASHES, signal_of
from aarch64_wheels.errors import CommandError, StageError, TimedOutError, is_crash

STATUSES = {
    0: "",
    1: "",
    127: "",
    128: "",
    132: "SIGILL",
    134: "SIGABRT",
    135: "SIGBUS",
    136: "SIGFPE",
    137: "SIGKILL",
    139: "SIGSEGV",
    143: "SIGTERM",
    255: "",
    -11: "SIGSEGV",
    -9: "SIGKILL",
    -64: "",
}


@pytest.mark.parametrize(("status", "name"), STATUSES.items(), ids=str)
def test_signals(status: int, name: str) -> None:
    assert signal_of(status) == name


def test_the_numbers_are_those_of_this_linux() -> None:
    for number in (*range(1, 16), 24, 25, 31):
        assert signal_of(128 + number) == signal.Signals(number).name


def command_error(status: int, *, emulated: bool) -> CommandError:
    return CommandError(("python", "test.py"), status, "last words", emulated=emulated)


@pytest.mark.parametrize("status", [132, 134, 135, 136, 139, -11])
def test_a_crash_under_emulation(status: int) -> None:
    error = command_error(status, emulated=True)
    assert error.what == f"`python test.py` crashed under emulation ({error.signal})"
    assert error.signal in CRASHES
    assert "QEMU may be at fault" in error.hint
    assert error.found == error.tail == "last words"
    assert is_crash(error)


def test_a_native_crash_is_the_code_s_own() -> None:
    error = command_error(139, emulated=False)
    assert (error.what, error.hint) == ("`python test.py` crashed (SIGSEGV)", "")
    assert not is_crash(error)


@pytest.mark.parametrize("emulated", [False, True])
def test_memory_may_have_run_out(*, emulated: bool) -> None:
    error = command_error(137, emulated=emulated)
    assert error.what == "`python test.py` was killed (SIGKILL)"
    assert "memory" in error.hint
    assert not is_crash(error)


@pytest.mark.parametrize("status", [1, 129, 130, 143, 255])
def test_other_endings(status: int) -> None:
    """Git ends with 129 for bad usage: a name would say more than is known."""
    error = command_error(status, emulated=True)
    assert (error.what, error.hint) == (f"`python test.py` ended with status {status}", "")
    assert not is_crash(error)


@pytest.mark.parametrize("error", [StageError("x"), TimedOutError("x"), KeyError()], ids=repr)
def test_nothing_else_is_a_crash(error: Exception) -> None:
    assert not is_crash(error)
