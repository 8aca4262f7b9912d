"""Whose container is it, and is that process dead?"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.owner import LABEL, PID_LABEL, Owner, has_ended, start_time

if TYPE_CHECKING:
    from pathlib import Path

ME = Owner.current()

DEAD = {
    "this process": (ME, False),
    "its PID, used again": (replace(ME, started="1"), True),
    "no such process": (replace(ME, pid=str(2**22 + 1)), True),
    "before the reboot": (replace(ME, boot="another"), True),
    "another PID namespace": (replace(ME, namespace="pid:[1]", pid="1", started="1"), False),
    "another host": (replace(ME, host="another", boot="another"), False),
}


@pytest.mark.parametrize(("owner", "expected"), DEAD.values(), ids=DEAD.keys())
def test_is_dead(owner: Owner, expected: bool) -> None:  # noqa: FBT001
    assert owner.is_dead(ME) is expected


def test_labels_there_and_back() -> None:
    labels = ME.labels("run-1")
    assert labels[LABEL] == "run-1"
    assert Owner.from_labels({**labels, "unrelated": "x"}) == ME


def test_labels_of_somebody_else() -> None:
    assert Owner.from_labels({LABEL: "run-1"}) is None


@pytest.mark.parametrize("pid", ["", "-1", "x"])
def test_labels_that_name_no_process(pid: str) -> None:
    assert Owner.from_labels({**ME.labels("run-1"), PID_LABEL: pid}) is None


def test_what_is_hidden_is_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's process on a machine with hidepid=2: it is not in /proc for us."""

    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError

    assert not has_ended(os.getpid(), "1", tmp_path)
    monkeypatch.setattr(os, "kill", refuse)
    assert not has_ended(1, "1", tmp_path)
    assert not has_ended(10**30, "1", tmp_path)


def test_a_killed_process_is_dead_before_and_after_it_is_reaped() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        owner = replace(ME, pid=str(child.pid), started=start_time(child.pid) or "")
        assert not owner.is_dead(ME)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # now a zombie
        assert owner.is_dead(ME)
    assert owner.is_dead(ME)


def test_names_with_blanks_and_parentheses(tmp_path: Path) -> None:
    numbers = " ".join(str(n) for n in range(4, 30))
    (tmp_path / "7").mkdir()
    (tmp_path / "7/stat").write_text(f"7 (a) Z (b)) S {numbers}\n")
    assert start_time(7, tmp_path) == "22"
    assert start_time(8, tmp_path) is None
