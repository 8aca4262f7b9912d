"""Commands of a session on the host itself: real processes in a private directory."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.watch import Limits
from aarch64_wheels.errors import CommandError, StageError, TimedOutError
from aarch64_wheels.hostengine.belonging import MARK
from aarch64_wheels.native.places import PROJECT, WORK
from aarch64_wheels.settings.schema import BuildOptions
from aarch64_wheels.stages.before import config_settings, run_shell
from tests.unit.hostengine_samples import DAEMON, gone, open_session, sh, wait_until_gone
from tests.unit.stage_samples import make_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aarch64_wheels.engine.api import Argv
    from aarch64_wheels.hostengine.session import HostSession
    from aarch64_wheels.processes import Processes


@pytest.fixture
def session(tmp_path: Path, processes: Processes) -> Iterator[HostSession]:
    with open_session(tmp_path, processes, KEPT="1") as session:
        yield session


@pytest.fixture
def hasty(tmp_path: Path, processes: Processes) -> Iterator[HostSession]:
    """A session that gives a command a second to say something."""
    with open_session(tmp_path, processes, Limits(silence=1)) as session:
        yield session


def test_a_command_gets_mapped_words_variables_and_directory(session: HostSession) -> None:
    session.write(PROJECT / "a.txt", b"content\n")
    lines: list[str] = []
    session.run(
        sh('cat "$1" "$PLACE" && pwd && echo "$KEPT" >&2', "/project/a.txt"),
        sink=lines.append,
        env={"PLACE": "/project/a.txt"},
        cwd=PROJECT,
    )
    assert [line for line in lines if line == "content"] == ["content", "content"]
    assert any(line.endswith("/project") for line in lines)
    assert "1" in lines


def test_a_placeholder_is_the_mapped_path_wherever_it_stands(
    session: HostSession, tmp_path: Path
) -> None:
    lines: list[str] = []
    place = session.root / "project"
    place.mkdir()
    (place / "pkg").mkdir()
    job = replace(make_job(tmp_path, lines), package=PurePosixPath("pkg"))
    run_shell(session, job, "pwd | sed 's!{project}!here!'; echo a{package}", {})
    assert lines[1:] == ["here", f"a{place}/pkg"]
    options = BuildOptions(config_settings=(("a", ("x@{project}", "y{package}/z")),))
    told = config_settings(session, replace(job, target=replace(job.target, options=options)))
    assert told == {"a": [f"x@{place}", f"y{place}/pkg/z"]}


def test_only_the_given_variables_are_seen(
    session: HostSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", "secret")
    names = {line.partition("=")[0] for line in session.capture(["env"]).splitlines()}
    assert names - {"_", "PWD", "SHLVL"} == {"PATH", "KEPT", "TMPDIR", MARK}


def test_temporary_files_are_private(session: HostSession, tmp_path: Path) -> None:
    place = Path(session.capture(sh('mktemp -d "$TMPDIR/XXXX"')).strip())
    assert place.is_dir()
    assert place.is_relative_to(tmp_path.resolve())


def test_capture_gives_standard_output_alone(session: HostSession) -> None:
    said: list[str] = []
    assert session.capture(sh("echo out; echo err >&2"), sink=said.append) == "out\n"
    assert said == ["err"]


@pytest.mark.parametrize(
    ("argv", "status", "words"),
    [
        (sh("echo last words; exit 7"), 7, "last words"),
        (sh("kill -9 $$"), 137, ""),
        (("no-such-program-here",), 127, "No such file"),
        (("/etc/passwd",), 126, "Permission denied"),
    ],
    ids=["status", "signal", "missing", "no-program"],
)
def test_failures_have_the_statuses_of_a_container(
    session: HostSession, argv: Argv, status: int, words: str
) -> None:
    with pytest.raises(CommandError) as caught:
        session.run(argv, sink=lambda _line: None)
    assert caught.value.status == status
    assert words in caught.value.tail


def test_what_a_command_leaves_running_ends_with_it(session: HostSession) -> None:
    """It holds the output open, too: nobody waits for that."""
    began = time.monotonic()
    pid = int(session.capture(sh("sleep 300 & echo $!")))
    assert time.monotonic() - began < 60
    assert wait_until_gone(pid)


@pytest.mark.parametrize("takes", ["run", "capture"])
def test_an_ended_command_is_told_with_what_ran_and_its_last_lines(
    hasty: HostSession, takes: str
) -> None:
    calls: dict[str, Callable[[Argv], object]] = {
        "run": lambda argv: hasty.run(argv, sink=lambda _line: None),
        "capture": hasty.capture,
    }
    script = "setsid sleep 41 & env -i $(command -v sleep) 42 & sleep 0.2; echo before; wait"
    with pytest.raises(TimedOutError) as caught:
        calls[takes](sh(script))
    lines = [line.strip() for line in caught.value.found.splitlines()]
    assert lines[-1] == "before"
    title = lines.index("running then, the deepest and busiest first:")
    shown = [line.partition(" s: ")[2] for line in lines[title + 1 : -2]]
    assert shown[-1].startswith("sh -c setsid sleep 41 &")
    assert sorted(line.rpartition("/")[2] for line in shown[:-1]) == ["sleep 41", "sleep 42"]


def test_what_has_left_the_group_ends_with_a_command_that_takes_too_long(
    hasty: HostSession,
) -> None:
    lines: list[str] = []
    with pytest.raises(TimedOutError):
        hasty.run(sh(f"{DAEMON} sleep 300"), sink=lines.append)
    assert gone(int(lines[0]))


def test_of_much_output_nothing_is_lost(session: HostSession) -> None:
    assert len(session.capture(sh("yes | head -c 3000000"))) == 3_000_000


def test_a_program_that_closes_its_output_is_waited_for(session: HostSession) -> None:
    session.run(sh("exec >&- 2>&-; sleep 0.3; : >done"), sink=print, cwd=WORK)
    assert session.read(WORK / "done", 1) == b""


def test_a_program_that_closes_its_output_is_not_waited_for_for_ever(hasty: HostSession) -> None:
    with pytest.raises(TimedOutError, match="said nothing for 1 s"):
        hasty.run(sh("exec >&- 2>&-; sleep 300"), sink=print)


def test_an_interrupt_ends_a_command_and_lets_no_other_start(
    session: HostSession, processes: Processes
) -> None:
    timer = threading.Timer(0.2, processes.kill_all)
    timer.start()
    with pytest.raises(CommandError):
        session.run(["sleep", "300"], sink=print)
    timer.join()
    with pytest.raises(StageError, match="interrupted"):
        session.run(["true"], sink=print)


def test_an_error_of_the_sink_ends_the_command(session: HostSession) -> None:
    def sink(line: str) -> None:
        raise OSError(line)

    with pytest.raises(OSError, match="first"):
        session.run(sh("echo first; sleep 300"), sink=sink)


def test_nothing_is_prepared_and_nothing_is_left(tmp_path: Path, processes: Processes) -> None:
    with open_session(tmp_path, processes) as session:
        session.keep()
        assert session.is_prepared is False
        # What Go and others leave behind protected against removal.
        session.run(sh("mkdir -p mod/a && touch mod/a/b && chmod -R a-w mod"), sink=print)
    assert list(tmp_path.iterdir()) == []


def test_output_is_decoded_line_by_line(session: HostSession) -> None:
    lines: list[str] = []
    script = "import sys; sys.stdout.buffer.write(b'a\\rb\\n\\xff\\nlast')"
    session.run([sys.executable, "-c", script], sink=lines.append)
    assert lines == ["b", "\N{REPLACEMENT CHARACTER}", "last"]
