"""What leaves the group of its command: it ends with the session on the host at the latest."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.hostengine.engine import HostEngine
from tests.unit.hostengine_samples import DAEMON, PATH, SAY, gone, open_session, sh, wait_until_gone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aarch64_wheels.hostengine.session import HostSession
    from aarch64_wheels.processes import Processes


@pytest.fixture
def session(tmp_path: Path, processes: Processes) -> Iterator[HostSession]:
    with open_session(tmp_path, processes) as session:
        yield session


def test_daemons_serve_later_commands_and_end_with_the_session(
    tmp_path: Path, processes: Processes
) -> None:
    with open_session(tmp_path, processes) as session:
        pid = int(session.capture(sh(DAEMON)))
        session.run(["true"], sink=print)
        assert not gone(pid)
    assert gone(pid)
    assert list(tmp_path.iterdir()) == []


def test_a_daemon_that_talks_for_ever_is_not_listened_to_for_ever(session: HostSession) -> None:
    daemon = "setsid sh -c 'while :; do echo on; sleep 0.01; done' &"
    began = time.monotonic()
    assert session.capture(sh(f"{daemon} sleep 0.2; echo last")).count("last") == 1
    assert time.monotonic() - began < 60


def test_what_has_no_variables_is_found_by_its_parent(tmp_path: Path, processes: Processes) -> None:
    bare = "env -i $(command -v setsid) $(command -v sleep) 300 >&- 2>&-"
    script = f"setsid sh -c '{bare} & echo $! >pid; wait' & {SAY}"
    with open_session(tmp_path, processes) as session:
        pid = int(session.capture(sh(script)))
    assert gone(pid)


def test_the_end_of_a_session_leaves_others_alone(
    session: HostSession, tmp_path: Path, processes: Processes
) -> None:
    pid = int(session.capture(sh(DAEMON)))
    with open_session(tmp_path, processes) as other:
        other.run(["true"], sink=print)
    assert not gone(pid)


def test_an_engine_ends_all_sessions() -> None:
    engine = HostEngine("aarch64")
    with engine.session({"PATH": PATH}) as session:
        pid = int(session.capture(sh(DAEMON)))
        engine.close_all()
        assert gone(pid)
    assert not engine.scratch.exists()


@pytest.mark.parametrize("place", ["/project/tmp", "/aarch64-wheels"])
def test_there_is_no_engine_where_a_containers_paths_lead(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its paths would be mapped twice, and the copy of the project be in the project itself."""
    (tmp_path / "link").symlink_to(place)
    for spelling in (place, str(tmp_path / "link")):
        monkeypatch.setattr(tempfile, "tempdir", spelling)
        with pytest.raises(UnfitError, match="temporary files must be elsewhere") as caught:
            HostEngine("aarch64")
        assert caught.value.found.startswith(f"{place}: ")
        assert "TMPDIR" in caught.value.hint


def test_what_is_another_users_is_left_to_sudo(
    tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = tmp_path / "bin/sudo"
    stub.parent.mkdir()
    stub.write_text('#!/bin/sh\nshift 5; exec kill -9 "$@"\n')
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stub.parent}:{PATH}")

    def refuse(_pid: int, _number: int) -> None:
        raise PermissionError

    with open_session(tmp_path, processes) as session:
        pid = int(session.capture(sh(DAEMON)))
        monkeypatch.setattr("aarch64_wheels.hostengine.belonging.os.kill", refuse)
    monkeypatch.undo()
    assert wait_until_gone(pid)
