"""Children of any thread end when they are told to."""

from __future__ import annotations

import os
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from aarch64_wheels import processes as module
from aarch64_wheels.processes import Processes

#: Ignores SIGTERM, as does what it starts.
STUBBORN = 'trap "" TERM; echo $$; while :; do sleep 1; done'


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def test_both_outputs_are_captured_apart() -> None:
    done = Processes().run(shell("echo out; echo err >&2; exit 3"))
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_undecodable_output_is_no_error() -> None:
    assert Processes().run(shell(r"printf '\377'")).stdout == "\N{REPLACEMENT CHARACTER}"


def test_both_outputs_go_to_a_file(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        done = Processes().run(shell("echo out; echo err >&2"), stdout=log)
    assert (done.stdout, done.stderr) == ("", "")
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_environment_and_directory_are_what_is_given(tmp_path: Path) -> None:
    done = Processes().run(["/usr/bin/env", "pwd"], env={"PATH": os.environ["PATH"]}, cwd=tmp_path)
    assert done.stdout == f"{tmp_path}\n"
    assert Processes().run(["/usr/bin/env"], env={"A": "b"}).stdout == "A=b\n"


def test_the_standard_input_is_empty() -> None:
    assert Processes().run(["cat"]).stdout == ""


def test_a_pipeline() -> None:
    group = Processes()
    with group.started(shell("echo from the first")) as first:
        second = group.run(["cat"], stdin=first.stdout)
    assert (first.returncode, second.stdout) == (0, "from the first\n")


def test_a_program_that_is_not_there() -> None:
    done = Processes().run(["no-such-program-here"])
    assert done.returncode == 127
    assert "no-such-program-here" in done.stderr


def test_leaving_ends_the_children_of_other_threads() -> None:
    started = time.monotonic()
    # The threads are waited for by the pool, which is left last.
    with pytest.raises(KeyboardInterrupt), ThreadPoolExecutor(2) as pool, Processes() as group:
        waiting = [pool.submit(group.run, ["sleep", "60"]) for _ in range(4)]
        time.sleep(0.3)
        raise KeyboardInterrupt
    assert time.monotonic() - started < 5
    ends = [future.exception() or future.result().returncode for future in waiting]
    assert ends[:2] == [-15, -15]
    assert all(isinstance(end, CancelledError) for end in ends[2:])


def test_what_ignores_being_asked_is_killed_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "GRACE", 0.2)
    with pytest.raises(ZeroDivisionError), Processes().started(shell(STUBBORN)) as child:
        assert child.stdout is not None
        assert int(child.stdout.readline()) == child.pid
        raise ZeroDivisionError
    assert child.returncode == -9
    assert no_group(child.pid)


def test_what_a_child_leaves_behind_is_killed_too() -> None:
    """It would hold the pipe open, and the thread that reads it."""
    group = Processes()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(group.run, shell('(trap "" TERM; sleep 60) & wait'))
        time.sleep(0.3)
        group.kill_all()
        assert waiting.result(timeout=5).returncode == -15


def test_nothing_starts_after_the_end() -> None:
    group = Processes()
    group.kill_all()
    with pytest.raises(CancelledError):
        group.run(["true"])


def test_a_child_behind_sudo_is_signalled_by_sudo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Root's processes take no signals of a user's."""
    stub = tmp_path / "sudo"
    stub.write_text(f'#!/bin/sh\necho "asked: $*" >> {tmp_path}/asked\n')
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(module, "GRACE", 0.1)

    def refuse(_group: int, _number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)
    with pytest.raises(ZeroDivisionError), Processes().started(["sleep", "0.5"]) as child:
        raise ZeroDivisionError
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == [f"asked: -n kill -s {name} -- -{child.pid}" for name in ("TERM", "KILL")]


def no_group(number: int) -> bool:
    """Wait until no process of this group runs; a zombie waits for whoever adopted it."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if str(number) not in running_groups():
            return True
        time.sleep(0.05)
    return False


def running_groups() -> set[str]:
    groups = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _parent, group, *_ = path.read_text().rpartition(")")[2].split()
            groups |= set() if state == "Z" else {group}
    return groups
