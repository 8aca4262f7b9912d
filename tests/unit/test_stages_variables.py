"""Assignments of a project as a real bash evaluates them, and who gets to see their values."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.watch import Limits
from aarch64_wheels.errors import TimedOutError
from aarch64_wheels.stages.variables import evaluate
from tests.unit.hostengine_samples import PATH, open_session

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.processes import Processes

ROOT = PurePosixPath("/")


def test_assignments_see_those_before_them_and_leave_nothing_else(
    tmp_path: Path, processes: Processes
) -> None:
    text = """A="it's one" B="$A two" C="$(echo three; echo said >&2)" PATH="/own:$PATH" D=$GONE"""
    said: list[str] = []
    base = {"PATH": PATH, "BASE": "0"}
    with open_session(tmp_path, processes) as session:
        found = evaluate(session, text, base, ROOT, said.append)
        alone = evaluate(session, "E=1", base, ROOT, said.append)
    own = {"A": "it's one", "B": "it's one two", "C": "three", "D": "", "PATH": f"/own:{PATH}"}
    assert {name: found[name] for name in own} == own
    assert found.keys() - alone.keys() == {"A", "B", "C", "D"}
    assert {name for name in alone if name.startswith("AARCH64_WHEELS_")} <= {
        "AARCH64_WHEELS_SESSION"
    }
    assert said == ["said"]


def test_values_are_not_among_what_ran_when_it_took_too_long(
    tmp_path: Path, processes: Processes
) -> None:
    with (
        open_session(tmp_path, processes, Limits(silence=1)) as session,
        pytest.raises(TimedOutError) as caught,
    ):
        evaluate(session, "TOKEN=S3CRET A=$(sleep 43)", {"PATH": PATH}, ROOT, print)
    assert "bash -c" in caught.value.found
    assert "sleep 43" in caught.value.found
    assert "S3CRET" not in str(caught.value)
