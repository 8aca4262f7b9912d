"""A session on the host itself: real processes and files in a private directory."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.watch import Limits
from aarch64_wheels.errors import CommandError, StageError, TimedOutError
from aarch64_wheels.hostengine.belonging import MARK
from aarch64_wheels.hostengine.engine import HostEngine
from aarch64_wheels.hostengine.mapping import Places
from aarch64_wheels.hostengine.session import HostSession
from aarch64_wheels.native.places import PROJECT, WORK
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aarch64_wheels.engine.api import Argv

PATH = os.environ["PATH"]


@pytest.fixture
def processes() -> Iterator[Processes]:
    with Processes() as processes:
        yield processes


@pytest.fixture
def session(tmp_path: Path, processes: Processes) -> Iterator[HostSession]:
    with HostSession(tmp_path.resolve(), {"PATH": PATH, "KEPT": "1"}, processes) as session:
        yield session


def sh(script: str, *arguments: str) -> Argv:
    return ("sh", "-c", script, "sh", *arguments)


# Paths.

ROOT = Path("/tmp/aarch64-wheels-x/build-y")
HERE = f"{ROOT}/aarch64-wheels"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/aarch64-wheels", HERE),
        ("/aarch64-wheels/project/a.c", f"{HERE}/project/a.c"),
        ("LIBS=/project/.libs:/project2", f"LIBS={ROOT}/project/.libs:/project2"),
        ("-I/aarch64-wheels/a -L/aarch64-wheels/b", f"-I{HERE}/a -L{HERE}/b"),
        ("--prefix=/aarch64-wheels/a", f"--prefix={HERE}/a"),
        ("/aarch64-wheels/a/bin:/usr/bin:/aarch64-wheels/b", f"{HERE}/a/bin:/usr/bin:{HERE}/b"),
        ('[["/aarch64-wheels/built"], null]', f'[["{HERE}/built"], null]'),
        ("name @ file:///aarch64-wheels/project", f"name @ file://{HERE}/project"),
        ("cd '/aarch64-wheels/project';make", f"cd '{HERE}/project';make"),
    ],
)
def test_paths_below_the_work_directory_are_mapped(text: str, expected: str) -> None:
    assert Places(root=ROOT).text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "/home/me/aarch64-wheels/venv/bin/python",
        "/aarch64-wheels-other/x",
        "/aarch64-wheels.txt",
        "https://example.org/aarch64-wheels/simple",
        "https://aarch64-wheels/simple",
        "aarch64-wheels/relative",
        "~/aarch64-wheels/x",
        f"{HERE}/project",
        "",
    ],
)
def test_other_paths_stay(text: str) -> None:
    assert Places(root=ROOT).text(text) == text


@pytest.mark.parametrize("path", ["/etc/passwd", "/", "/aarch64-wheels/../etc", "relative"])
def test_files_elsewhere_are_refused(session: HostSession, tmp_path: Path, path: str) -> None:
    outside = PurePosixPath(path)
    (tmp_path / "a").touch()
    attempts: dict[str, Callable[[], object]] = {
        "read": lambda: session.read(outside, 1),
        "write": lambda: session.write(outside, b""),
        "copy in": lambda: session.copy_in(tmp_path / "a", outside),
        "copy out": lambda: session.copy_out(outside, tmp_path / "out"),
        "copy file": lambda: session.copy_file(outside, tmp_path / "b", 1 << 20),
        "link": lambda: session.link({outside: WORK}),
    }
    for attempt in attempts.values():
        with pytest.raises(StageError, match="is no place of this build"):
            attempt()


def test_files_behind_a_link_that_leads_elsewhere_are_refused(
    session: HostSession, tmp_path: Path
) -> None:
    (tmp_path / "victim").mkdir()
    session.link({WORK / "way": PurePosixPath(tmp_path / "victim")})
    with pytest.raises(StageError, match="is no place of this build"):
        session.write(WORK / "way/a", b"")
    assert list((tmp_path / "victim").iterdir()) == []


# Commands.


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


def gone(pid: int) -> bool:
    """Whether a process has ended; its entry may stay where nobody buries it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in "ZX"


def wait_until_gone(pid: int) -> bool:
    patience = time.monotonic() + 10
    while not gone(pid) and time.monotonic() < patience:
        time.sleep(0.02)
    return gone(pid)


def test_what_a_command_leaves_running_ends_with_it(session: HostSession) -> None:
    """It holds the output open, too: nobody waits for that."""
    began = time.monotonic()
    pid = int(session.capture(sh("sleep 300 & echo $!")))
    assert time.monotonic() - began < 60
    assert wait_until_gone(pid)


@pytest.fixture
def hasty(tmp_path: Path, processes: Processes) -> Iterator[HostSession]:
    """A session that gives a command a second to say something."""
    limits = Limits(silence=1)
    with HostSession(tmp_path.resolve(), {"PATH": PATH}, processes, limits) as session:
        yield session


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


# What leaves the group of its command.

#: Starts what the end of the command does not reach, and says its number.
SAY = "until [ -s pid ]; do sleep 0.01; done; cat pid;"
DAEMON = f"setsid sh -c 'echo $$ >pid; exec sleep 300 >&- 2>&-' & {SAY}"


def test_what_has_left_the_group_ends_with_a_command_that_takes_too_long(
    hasty: HostSession,
) -> None:
    lines: list[str] = []
    with pytest.raises(TimedOutError):
        hasty.run(sh(f"{DAEMON} sleep 300"), sink=lines.append)
    assert gone(int(lines[0]))


def test_daemons_serve_later_commands_and_end_with_the_session(
    tmp_path: Path, processes: Processes
) -> None:
    with HostSession(tmp_path.resolve(), {"PATH": PATH}, processes) as session:
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


def test_of_much_output_nothing_is_lost(session: HostSession) -> None:
    assert len(session.capture(sh("yes | head -c 3000000"))) == 3_000_000


def test_what_has_no_variables_is_found_by_its_parent(tmp_path: Path, processes: Processes) -> None:
    bare = "env -i $(command -v setsid) $(command -v sleep) 300 >&- 2>&-"
    script = f"setsid sh -c '{bare} & echo $! >pid; wait' & {SAY}"
    with HostSession(tmp_path.resolve(), {"PATH": PATH}, processes) as session:
        pid = int(session.capture(sh(script)))
    assert gone(pid)


def test_the_end_of_a_session_leaves_others_alone(
    session: HostSession, tmp_path: Path, processes: Processes
) -> None:
    pid = int(session.capture(sh(DAEMON)))
    with HostSession(tmp_path.resolve(), {"PATH": PATH}, processes) as other:
        other.run(["true"], sink=print)
    assert not gone(pid)


def test_an_engine_ends_all_sessions() -> None:
    engine = HostEngine("aarch64")
    with engine.session({"PATH": PATH}) as session:
        pid = int(session.capture(sh(DAEMON)))
        engine.close_all()
        assert gone(pid)
    assert not engine.scratch.exists()


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

    with HostSession(tmp_path.resolve(), {"PATH": PATH}, processes) as session:
        pid = int(session.capture(sh(DAEMON)))
        monkeypatch.setattr("aarch64_wheels.hostengine.belonging.os.kill", refuse)
    monkeypatch.undo()
    assert wait_until_gone(pid)


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


# Files.


def test_a_tree_goes_in_with_modes_and_links_and_without_what_is_left_out(
    session: HostSession, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "sub/run.sh").write_text("#!/bin/sh\necho ran\n")
    (source / "sub/run.sh").chmod(0o755)
    (source / "dangling").symlink_to("/nowhere/at/all")
    (source / "wheelhouse").mkdir()
    session.copy_in(source, PROJECT, exclude=(source / "wheelhouse",))
    assert session.capture([PROJECT / "sub/run.sh"]) == "ran\n"
    assert session.capture(["ls", PROJECT]).split() == ["dangling", "sub"]
    assert session.capture(["readlink", PROJECT / "dangling"]) == "/nowhere/at/all\n"


def test_files_come_out(session: HostSession, tmp_path: Path) -> None:
    session.write(WORK / "built/a.whl", b"wheel", mode=0o600)
    (copy,) = session.copy_out(WORK / "built", tmp_path / "out")
    assert (copy.name, copy.read_bytes()) == ("a.whl", b"wheel")
    session.copy_file(WORK / "built/a.whl", tmp_path / "b.whl", 5)
    assert (tmp_path / "b.whl").read_bytes() == b"wheel"
    with pytest.raises(StageError, match="too large"):
        session.copy_file(WORK / "built/a.whl", tmp_path / "c.whl", 4)
    assert session.read(WORK / "built/a.whl", 3) == b"whe"


def test_links_and_missing_files_do_not_come_out(session: HostSession, tmp_path: Path) -> None:
    """A project's code must not have this program read or publish what it links to."""
    session.link({WORK / "built/a.whl": PurePosixPath("/etc/passwd")})
    with pytest.raises(StageError):
        session.copy_out(WORK / "built", tmp_path / "out")
    with pytest.raises(StageError):
        session.read(WORK / "built/a.whl", 10)
    with pytest.raises(StageError, match="cannot read"):
        session.read(WORK / "nothing", 10)


def test_a_link_leads_to_the_mapped_place(session: HostSession) -> None:
    session.write(WORK / "a", b"first")
    session.write(WORK / "b", b"second")
    session.link({WORK / "links/x": WORK / "a"})
    session.link({WORK / "links/x": WORK / "b"})
    assert session.capture(["cat", WORK / "links/x"]) == "second"


def test_what_is_saved_can_be_restored(session: HostSession, tmp_path: Path) -> None:
    session.write(WORK / "kept/a", b"1")
    session.save(WORK / "kept", tmp_path / "kept.tar")
    session.run(["rm", "-r", WORK / "kept"], sink=print)
    session.restore(tmp_path / "kept.tar", WORK)
    assert session.read(WORK / "kept/a", 1) == b"1"


#: Lays out what `before-all` may: an archive's members with the path of the project in them.
LAY = r"""
root=$(pwd) && printf 'prefix=%s\n' "$root" >a.pc && printf '\0%s/lib\0%s\0' "$root" "$root" >lib.so
ln -s "$root/a.pc" way && ln lib.so second && : >empty && printf '/usr' >short
chmod 444 a.pc && chmod 755 lib.so && touch -d @1000000000 a.pc lib.so && mkdir shut
cp lib.so shut && ln -s "$root/lib.so" shut/way && chmod 555 shut
"""


def test_what_is_restored_elsewhere_knows_its_new_place(
    tmp_path: Path, processes: Processes
) -> None:
    parent, archive = tmp_path.resolve(), tmp_path / "kept.tar"
    with HostSession(parent, {"PATH": PATH}, processes) as first:
        first.write(PROJECT / "sub/x", b"")
        first.run(sh(LAY), sink=print, cwd=PROJECT)
        first.save(PROJECT, archive)
        old = first.root
    with HostSession(parent, {"PATH": PATH}, processes) as second:
        second.restore(archive, PROJECT.parent, made_in=old)
        place = second.root / "project"
        assert second.read(PROJECT / "a.pc", 1 << 10) == f"prefix={place}\n".encode()
        assert second.read(PROJECT / "shut/lib.so", 1 << 10) == f"\0{place}/lib\0{place}\0".encode()
        assert (place / "way").readlink() == place / "a.pc"
        assert (place / "shut/way").readlink() == place / "lib.so"
        assert (place / "second").samefile(place / "lib.so")
        assert (place / "short").read_bytes() == b"/usr"
        modes = [(place / name).stat().st_mode & 0o777 for name in ("a.pc", "lib.so", "shut")]
        assert modes == [0o444, 0o755, 0o555]
        assert {(place / name).stat().st_mtime for name in ("a.pc", "lib.so")} == {1_000_000_000}
        assert second.capture(sh(f'grep -rlF "{old}" . || echo none'), cwd=PROJECT) == "none\n"


def test_a_place_whose_name_has_another_length_is_refused(
    session: HostSession, tmp_path: Path
) -> None:
    session.write(WORK / "kept/a", b"1")
    session.save(WORK / "kept", tmp_path / "kept.tar")
    with pytest.raises(StageError, match="cannot restore files") as caught:
        session.restore(tmp_path / "kept.tar", WORK, made_in=session.root / "longer")
    assert "not of the same length" in caught.value.found


def test_nothing_is_prepared_and_nothing_is_left(tmp_path: Path, processes: Processes) -> None:
    with HostSession(tmp_path.resolve(), {"PATH": PATH}, processes) as session:
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
