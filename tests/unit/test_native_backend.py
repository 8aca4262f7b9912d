"""Who runs the backend: decided early, or after a failure that hints at it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.native.backend import (
    BackendOutcome,
    NotNative,
    first_choice,
    second_choice,
    why_not_native,
)
from aarch64_wheels.native.provenance import parse_calls
from aarch64_wheels.settings.schema import Backend, Mode
from tests.unit.backend_samples import setup
from tests.unit.report_samples import plan

if TYPE_CHECKING:
    from pathlib import Path

CP313 = PurePosixPath("/native/python/cp313/bin/python3.13")
NATIVE = BackendOutcome(backend="native")
EMULATED = BackendOutcome(backend="emulated")
NONE = BackendOutcome(backend="")

CHOICES = {
    "auto": (Mode.ACCELERATED, Backend.AUTO, CP313, NATIVE),
    "native": (Mode.ACCELERATED, Backend.NATIVE, CP313, NATIVE),
    "emulated": (Mode.ACCELERATED, Backend.EMULATED, CP313, EMULATED),
    "no-interpreter": (
        Mode.ACCELERATED,
        Backend.AUTO,
        None,
        BackendOutcome(backend="emulated", reason="no CPython 3.13"),
    ),
    "emulated-without-interpreter": (Mode.ACCELERATED, Backend.EMULATED, None, EMULATED),
    "emulated-mode": (Mode.EMULATED, Backend.EMULATED, None, NONE),
    "native-mode": (Mode.NATIVE, Backend.NATIVE, None, NONE),
}


@pytest.mark.parametrize(
    ("mode", "backend", "python", "expected"), CHOICES.values(), ids=CHOICES.keys()
)
def test_the_first_choice(
    tmp_path: Path,
    mode: Mode,
    backend: Backend,
    python: PurePosixPath | None,
    expected: BackendOutcome,
) -> None:
    wanted = replace(plan(), mode=mode, backend=backend)
    assert first_choice(wanted, setup(tmp_path, python, missing="no CPython 3.13")) == expected


def test_native_and_nothing_else_needs_an_interpreter(tmp_path: Path) -> None:
    wanted = replace(plan(), mode=Mode.ACCELERATED, backend=Backend.NATIVE)
    with pytest.raises(StageError, match="cannot run natively") as caught:
        first_choice(wanted, setup(tmp_path, missing="no CPython 3.13"))
    assert caught.value.found == "no CPython 3.13"
    assert "--backend auto" in caught.value.hint


def test_the_second_choice_keeps_the_reason() -> None:
    wanted = replace(plan(), mode=Mode.ACCELERATED, backend=Backend.AUTO)
    assert second_choice(wanted, NotNative("why")) == BackendOutcome(
        backend="emulated", reason="why"
    )


def test_native_and_nothing_else_has_no_second_choice() -> None:
    refusal = NotNative("why")
    with pytest.raises(NotNative) as caught:
        second_choice(replace(plan(), backend=Backend.NATIVE), refusal)
    assert caught.value is refusal


def _call(how: str, status: int) -> str:
    return f"{how}\tcc\t{status}\t12\t-\t0123456789abcdef\t/project\ta.o\ta.c\n"


GOOD, BAD, SLOW_BAD = _call("native", 0), _call("native", 1), _call("fallback", 1)
COMPILER = "a.c:1: error: unknown type name\n1 error generated.\nerror: command 'gcc' failed"
IMPORTED = "Traceback\nImportError: /project/_fast.so: cannot open\n  more of it"
WHY: dict[str, tuple[str, str, str]] = {
    "compile-error": (COMPILER, GOOD + BAD, ""),
    "compile-errors-side-by-side": (COMPILER, GOOD + BAD + SLOW_BAD + BAD, ""),
    "compile-error-before-an-archive": (COMPILER, BAD + GOOD.replace("cc", "ar"), ""),
    "probe-that-failed": (
        "KeyError: 'x'",
        BAD + GOOD,
        "it failed natively: KeyError: 'x'",
    ),
    "probe-that-failed-before-a-fallback": (
        "KeyError: 'x'",
        BAD + _call("fallback", 0),
        "it failed natively: KeyError: 'x'",
    ),
    "import-of-what-was-built": (
        IMPORTED,
        GOOD,
        "it failed natively: ImportError: /project/_fast.so: cannot open",
    ),
    "import-after-a-failed-probe": (
        IMPORTED,
        BAD,
        "it failed natively: ImportError: /project/_fast.so: cannot open",
    ),
    "exec-format": (
        "OSError: [Errno 8] Exec format error: './gen'",
        BAD,
        "it failed natively: OSError: [Errno 8] Exec format error: './gen'",
    ),
    "library": (
        "OSError: libffi.so.8: cannot open shared object file",
        "",
        "it failed natively: OSError: libffi.so.8: cannot open shared object file",
    ),
    "module": (
        "ModuleNotFoundError: No module named 'x'",
        "",
        "it failed natively: ModuleNotFoundError: No module named 'x'",
    ),
    "gcc-fails-too": (COMPILER, SLOW_BAD, ""),
    "another-file-went-well-meanwhile": (
        COMPILER,
        BAD + GOOD.replace("/project\ta", "/project\tb"),
        "",
    ),
    "a-probe-that-never-went-well": (
        "KeyError: 'x'",
        BAD.replace("a.c", "conftest.c") + BAD.replace("/project", "/b/CMakeFiles/CMakeScratch/T1"),
        "it failed natively: KeyError: 'x'",
    ),
    "no-calls": ("AssertionError\n\n", "", "it failed natively: AssertionError"),
    "silence": ("", "", "it failed natively: status 1"),
    "other-lines-in-the-record": ("KeyError", "native\nwhat\t\n", "it failed natively: KeyError"),
}


@pytest.mark.parametrize(("tail", "calls", "expected"), WHY.values(), ids=WHY.keys())
def test_which_failures_are_final(tail: str, calls: str, expected: str) -> None:
    error = CommandError(("build_wheel",), 1, tail)
    assert why_not_native(error, parse_calls(calls.encode())) == expected


def test_a_crash_is_told_whatever_was_said_before_it() -> None:
    """A compiler may have found fault with a file as well: that did not end the build."""
    error = CommandError(("build_wheel",), 139, COMPILER)
    assert why_not_native(error, parse_calls(BAD.encode())) == "it crashed natively (SIGSEGV)"
