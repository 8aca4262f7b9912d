"""Commands of a container session, against a real engine."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.client import Engine, open_client
from aarch64_wheels.engine.spec import QEMU_CPU, ContainerSpec
from aarch64_wheels.errors import CommandError
from tests.integration.session_samples import TMP, no_sink, shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.engine.container import ContainerSession


@pytest.fixture(scope="module")
def session(shared_engine: Engine, debian_image: str) -> Iterator[ContainerSession]:
    with shared_engine.start_session(debian_image, ContainerSpec(emulated=True)) as session:
        yield session


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


def test_a_silent_command_outlives_the_read_timeout(
    shared_engine: Engine, debian_image: str
) -> None:
    impatient = Engine(open_client(shared_engine.endpoint, 2), endpoint=shared_engine.endpoint)
    with impatient.start_session(debian_image) as session:
        assert session.capture(shell("sleep 5; echo done")) == "done\n"


def test_the_emulated_cpu_is_plain(session: ContainerSession) -> None:
    assert session.capture(shell('echo "$QEMU_CPU"; uname -m')) == f"{QEMU_CPU}\naarch64\n"
