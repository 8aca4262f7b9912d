"""One process at a time, and no lock outlives its process."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.locking import exclusive

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys, pathlib
from aarch64_wheels.locking import exclusive
with exclusive(pathlib.Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.read()
"""

WAIT = 10.0


def test_a_free_lock_is_taken_without_a_word(tmp_path: Path) -> None:
    notes: list[str] = []
    lock = tmp_path / "not/yet/there.lock"
    for _ in range(2):
        with exclusive(lock, notes.append):
            assert lock.read_bytes() == b""
    assert notes == []


def test_the_second_waits_and_says_so(tmp_path: Path) -> None:
    lock, steps, waiting = tmp_path / "lock", list[str](), threading.Event()

    def note(text: str) -> None:
        steps.append(text)
        waiting.set()

    def second() -> None:
        with exclusive(lock, note):
            steps.append("second")

    with exclusive(lock, steps.append):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(WAIT)
        steps.append("first")
    thread.join(WAIT)
    assert steps == [f"waiting for another process that holds {lock}", "first", "second"]


def test_an_error_lets_go(tmp_path: Path) -> None:
    notes: list[str] = []
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / "lock", notes.append):
        raise ZeroDivisionError
    with exclusive(tmp_path / "lock", notes.append):
        assert notes == []


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    lock, notes = tmp_path / "lock", list[str]()
    argv = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"

        def note(text: str) -> None:
            notes.append(text)
            process.kill()  # only now: the lock has been seen to be held

        with exclusive(lock, note):
            assert notes == [f"waiting for another process that holds {lock}"]
