"""However a run ends, its containers go: with it, or at the start of the next."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.engine.owner import PID_LABEL
from tests.integration.conftest import COMMAND, Run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine


def containers(engine: Engine, owner: subprocess.Popen[bytes]) -> list[str]:
    """List what this process has made: other runs of this machine are none of our business."""
    label = f"{PID_LABEL}={owner.pid}"
    found = engine.client.api.containers(all=True, filters={"label": label})
    return [container["Id"] for container in found]


@pytest.fixture
def building(
    shared_engine: Engine, spring: Path, debian_image: str, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A build in the middle of its second stage."""
    assert debian_image
    output = tmp_path / "out"
    arguments = ["build", str(spring), "--image=debian", "--python", "cp313"]
    arguments += ["--output-dir", str(output)]
    with subprocess.Popen([*COMMAND, *arguments], cwd=tmp_path) as process:
        log = output / "logs/cp313-manylinux_aarch64.log"
        deadline = time.monotonic() + 120
        while not (log.is_file() and "== build ==" in log.read_text(encoding="utf-8")):
            assert process.poll() is None, "the build ended before it could be interrupted"
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert containers(shared_engine, process)
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "term"]
)
def test_an_interrupt_removes_the_containers(
    building: subprocess.Popen[bytes], shared_engine: Engine, number: signal.Signals, status: int
) -> None:
    building.send_signal(number)
    assert building.wait(timeout=60) == status
    assert containers(shared_engine, building) == []


def test_after_kill_the_next_run_sweeps_and_works(
    building: subprocess.Popen[bytes],
    shared_engine: Engine,
    run: Run,
    spring: Path,
    tmp_path: Path,
) -> None:
    os.kill(building.pid, signal.SIGKILL)
    building.wait(timeout=60)
    assert containers(shared_engine, building), "a killed process cannot have removed its container"
    output = tmp_path / "out"
    done = run("build", spring, "--image=debian", "--python=cp313", "--output-dir", output)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "left by a run that was killed" in done.stdout
    assert [path.name.split("-")[2] for path in output.glob("*.whl")] == ["cp313"]
    assert containers(shared_engine, building) == []
