"""The container session against a real engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.bridge import changing_bridge
from aarch64_wheels.engine.client import Engine, connect, open_client
from aarch64_wheels.engine.kept import is_kept
from aarch64_wheels.engine.spec import CA_BUNDLE, QEMU_CPU, ContainerSpec
from aarch64_wheels.engine.sweep import sweep
from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.settings.schema import EngineName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.engine.container import ContainerSession

WORK = PurePosixPath("/work")
#: Its mode is a special one.
TMP = PurePosixPath("/tmp")


def new_engine() -> Engine:
    return connect(EngineName.AUTO, os.environ)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = new_engine()
    yield engine
    engine.close_all()


@pytest.fixture(scope="module")
def session(engine: Engine, debian_image: str) -> Iterator[ContainerSession]:
    with engine.start_session(debian_image, ContainerSpec(emulated=True)) as session:
        yield session


def exists(engine: Engine, name: str) -> bool:
    found = engine.client.api.containers(all=True, filters={"name": name})
    return bool(found)


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def no_sink(_line: str) -> None:
    pass


def test_run_streams_both_outputs_with_environment_and_directory(session: ContainerSession) -> None:
    lines: list[str] = []
    session.run(
        shell('echo "$GREETING"; pwd; echo oops >&2; printf tail'),
        sink=lines.append,
        env={"GREETING": "hello world"},
        cwd=PurePosixPath("/usr"),
    )
    assert [line for line in lines if line != "oops"] == ["hello world", "/usr", "tail"]
    assert "oops" in lines


def test_lines_come_while_the_command_runs(session: ContainerSession) -> None:
    arrived = threading.Event()
    runner = threading.Thread(
        target=session.run,
        args=(shell("echo first; until [ -e /tmp/go ]; do sleep 0.1; done"),),
        kwargs={"sink": lambda _line: arrived.set()},
    )
    runner.start()
    assert arrived.wait(20)
    assert runner.is_alive()
    session.write(TMP / "go", b"")
    runner.join(20)
    assert not runner.is_alive()


def test_a_failed_command_tells_status_and_last_lines(session: ContainerSession) -> None:
    with pytest.raises(CommandError) as caught:
        session.run(shell("seq 100; exit 3"), sink=no_sink)
    assert caught.value.status == 3
    assert caught.value.tail.splitlines() == [str(n) for n in range(71, 101)]


def test_a_missing_program_is_a_command_error(session: ContainerSession) -> None:
    with pytest.raises(CommandError) as caught:
        session.run(["/no/such/program"], sink=no_sink)
    assert caught.value.status in (126, 127)


def test_capture_returns_stdout_only(session: ContainerSession) -> None:
    assert session.capture(shell("echo out; echo err >&2")) == "out\n"


def test_capture_quotes_both_outputs_on_failure(session: ContainerSession) -> None:
    with pytest.raises(CommandError) as caught:
        session.capture(shell("echo out; echo err >&2; exit 1"))
    assert caught.value.tail == "out\nerr"


def test_undecodable_bytes_and_progress_lines(session: ContainerSession) -> None:
    lines: list[str] = []
    session.run(shell(r"printf 'a\377b\n 1%%\r50%%\r99%%\n'"), sink=lines.append)
    assert lines == ["a\N{REPLACEMENT CHARACTER}b", "99%"]


def test_quick_commands_in_parallel_lose_no_output(session: ContainerSession) -> None:
    with ThreadPoolExecutor(8) as pool:
        outputs = list(pool.map(lambda n: session.capture(["echo", str(n)]), range(48)))
    assert outputs == [f"{n}\n" for n in range(48)]


def test_a_silent_command_outlives_the_read_timeout(engine: Engine, debian_image: str) -> None:
    impatient = Engine(open_client(engine.endpoint, 2), endpoint=engine.endpoint)
    with impatient.start_session(debian_image) as session:
        assert session.capture(shell("sleep 5; echo done")) == "done\n"


def test_the_emulated_cpu_is_plain(session: ContainerSession) -> None:
    assert session.capture(shell('echo "$QEMU_CPU"; uname -m')) == f"{QEMU_CPU}\naarch64\n"


def test_copy_in_keeps_modes_times_and_links(session: ContainerSession, tmp_path: Path) -> None:
    secret = tmp_path / "outside.txt"
    secret.write_text("not for the container")
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "script.sh").write_text("#!/bin/sh\n")
    (tree / "script.sh").chmod(0o750)
    os.utime(tree / "script.sh", (1_000_000_000, 1_000_000_000))
    (tree / "sub/link").symlink_to("../script.sh")
    (tree / "sub/out").symlink_to(secret)
    os.mkfifo(tree / "pipe")
    session.copy_in(tree, WORK / "kept")
    listing = session.capture(
        ["find", WORK / "kept", "-mindepth", "1", "-printf", r"%P %m %U:%G %T@ %y %l\n"]
    ).splitlines()
    facts = {line.split(" ")[0]: line.split(" ")[1:] for line in listing}
    assert facts["script.sh"][:2] == ["750", "0:0"]
    assert facts["script.sh"][2].startswith("1000000000.")
    assert facts["sub/link"][3:] == ["l", "../script.sh"]
    assert facts["sub/out"][3:] == ["l", str(secret)]
    assert set(facts) == {"script.sh", "sub", "sub/link", "sub/out"}


def test_copy_in_leaves_out_what_is_made_anew(session: ContainerSession, tmp_path: Path) -> None:
    for name in ("src", "venv", "cache", "wheelhouse"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "content").write_text(name)
    (tmp_path / "venv/pyvenv.cfg").touch()
    (tmp_path / "cache/CACHEDIR.TAG").touch()
    session.copy_in(tmp_path, WORK / "picked", exclude={tmp_path / "wheelhouse"})
    assert session.capture(["ls", WORK / "picked"]) == "src\n"


def test_copy_in_of_a_file(session: ContainerSession, tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"wheel")
    session.copy_in(tmp_path / "a.whl", WORK / "deep/b.whl")
    assert session.capture(["cat", WORK / "deep/b.whl"]) == "wheel"


def test_write_makes_parents_and_leaves_others_alone(session: ContainerSession) -> None:
    before = session.capture(["stat", "-c", "%a", TMP])
    session.write(TMP / "new/dir/file", b"content", mode=0o755)
    found = session.capture(["stat", "-c", "%a %s", TMP / "new/dir/file"])
    assert found == "755 7\n"
    assert session.capture(["stat", "-c", "%a", TMP]) == before


def test_copy_out_gives_the_files(session: ContainerSession, tmp_path: Path) -> None:
    session.run(
        shell("mkdir -p /out/ok && cd /out/ok && echo 1 >a.whl && echo 2 >b.whl"), sink=print
    )
    found = session.copy_out(PurePosixPath("/out/ok"), tmp_path / "new")
    assert {path.name: path.read_text() for path in found} == {"a.whl": "1\n", "b.whl": "2\n"}
    assert {path.parent for path in found} == {tmp_path / "new"}


HOSTILE = {
    "symbolic link": "ln -s /etc/passwd a.whl",
    "hard link": "echo 1 >a && ln a b",
    "directory": "mkdir sub",
    "fifo": "mkfifo a.whl",
    "control character": r'touch "$(printf "a\033[2J.whl")"',
}


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE.keys())
def test_copy_out_refuses(session: ContainerSession, tmp_path: Path, script: str) -> None:
    session.run(shell(f"rm -rf /out/bad; mkdir -p /out/bad && cd /out/bad && {script}"), sink=print)
    with pytest.raises(StageError, match="other than plain files"):
        session.copy_out(PurePosixPath("/out/bad"), tmp_path)


def test_copy_out_refuses_a_link_as_the_directory(
    session: ContainerSession, tmp_path: Path
) -> None:
    session.run(shell("mkdir -p /out && ln -sfn /etc /out/link"), sink=print)
    with pytest.raises(StageError, match="other than plain files"):
        session.copy_out(PurePosixPath("/out/link"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_copy_out_of_nothing(session: ContainerSession, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="copy /no/such out of"):
        session.copy_out(PurePosixPath("/no/such"), tmp_path)


def test_the_ca_bundle_is_a_read_only_copy(
    engine: Engine, debian_image: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "company.pem"
    bundle.write_text("certificate")
    with engine.start_session(debian_image, ContainerSpec(ca_bundle=bundle)) as session:
        assert session.capture(["cat", CA_BUNDLE]) == "certificate"
        assert session.capture(["stat", "-c", "%a %U", CA_BUNDLE]) == "444 root\n"


def fail_inside(engine: Engine, session: ContainerSession, error: BaseException) -> None:
    with session:
        assert exists(engine, session.name)
        raise error


@pytest.mark.parametrize("error", [RuntimeError(), KeyboardInterrupt(), SystemExit()], ids=repr)
def test_no_container_is_left(engine: Engine, debian_image: str, error: BaseException) -> None:
    session = engine.start_session(debian_image)
    with pytest.raises(type(error)):
        fail_inside(engine, session, error)
    assert not exists(engine, session.name)


def test_a_session_that_cannot_start_leaves_nothing(engine: Engine) -> None:
    session = engine.start_session("aarch64-wheels/no-such-image:1")
    with pytest.raises(StageError, match="cannot start"), session:
        pass
    assert not exists(engine, session.name)


def sleep_until_interrupted(engine: Engine, session: ContainerSession) -> None:
    with session:
        threading.Timer(1.0, engine.close_all).start()
        session.run(["sleep", "60"], sink=no_sink)


def test_close_all_ends_a_running_command(debian_image: str) -> None:
    engine = new_engine()
    session = engine.start_session(debian_image)
    with pytest.raises(StageError, match="interrupted"):
        sleep_until_interrupted(engine, session)
    assert not exists(engine, session.name)
    with pytest.raises(StageError, match="interrupted"), engine.start_session(debian_image):
        pass


def test_a_vanished_container_is_a_clear_error(engine: Engine, debian_image: str) -> None:
    with engine.start_session(debian_image) as session:
        engine.client.api.remove_container(session.name, force=True)
        with pytest.raises(StageError, match=r"(?i)no such container"):
            session.run(["true"], sink=no_sink)


CHILD = textwrap.dedent("""
    import os, sys, time
    from aarch64_wheels.engine.client import connect
    from aarch64_wheels.settings.schema import EngineName

    with connect(EngineName.AUTO, os.environ).start_session(sys.argv[1]) as session:
        print(session.name, flush=True)
        time.sleep(600)
""")


def test_sweep_takes_the_dead_and_leaves_the_living(engine: Engine, debian_image: str) -> None:
    argv = [sys.executable, "-c", CHILD, debian_image]
    with (
        subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child,
        engine.start_session(debian_image) as living,
    ):
        assert child.stdout is not None
        orphan = child.stdout.readline().strip()
        assert orphan not in sweep(engine)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert orphan in sweep(engine)
        assert not exists(engine, orphan)
        assert exists(engine, living.name)


def test_what_is_kept_begins_the_next_session_and_holds_no_variables(
    engine: Engine, debian_image: str
) -> None:
    name = f"aarch64-wheels/environment:test-{os.getpid()}"
    spec = ContainerSpec(environment={"UV_INDEX": "https://me:hush@index.example"}, keep_as=name)
    note = WORK / "note"
    try:
        with engine.start_session(debian_image, spec) as first:
            assert first.capture(shell("echo $UV_INDEX")) == "https://me:hush@index.example\n"
            first.write(note, b"kept")
            first.keep()
            first.write(note, b"changed after")
        assert is_kept(engine, name)
        with engine.start_session(name, spec) as second:
            assert (first.is_prepared, second.is_prepared) == (False, True)
            assert second.read(note, 100) == b"kept"
        assert "hush" not in str(engine.client.images.get(name).attrs)
    finally:
        engine.forget_image(name)
    assert not is_kept(engine, name)


def test_docker_s_own_proxies_reach_commands_and_are_not_kept(
    debian_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = "http://me:hush@proxy.example:3128"
    (tmp_path / "config.json").write_text(
        json.dumps({"proxies": {"default": {"httpProxy": proxy, "noProxy": "here.example"}}})
    )
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    own = new_engine()
    spec = ContainerSpec(environment={"no_proxy": "there.example"})
    with own.start_session(debian_image, spec) as session:
        told = session.capture(shell("echo $HTTP_PROXY $no_proxy"))
        assert "hush" not in str(own.client.api.inspect_container(session.name))
    assert told.split() == [proxy, "there.example"]


def test_the_bridge_keeps_its_address(engine: Engine) -> None:
    """Or containers would be cut off for half a minute as others start and end."""
    assert changing_bridge(engine) is None
