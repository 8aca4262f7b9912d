"""The bootstrap as a process: what takes its place, and what a signal does to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "bootstrap.py"
RUN_LOCK = ROOT / "requirements" / "run.txt"


def test_the_environments_python_takes_the_scripts_place(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    environment = tmp_path / "env"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    (environment / ".complete").write_text(runpy.run_path(str(SCRIPT))["environment_key"](RUN_LOCK))
    argv = [sys.executable, "-I", str(SCRIPT), "--requirements", str(RUN_LOCK)]
    code = "import os, sys; print(os.getpid(), sys.argv[1:]); sys.exit(5)"
    argv += ["--venv", str(environment), "--", "-P", "-c", code, "--venv", "x y"]
    with subprocess.Popen(argv) as process:
        pass
    assert process.returncode == 5
    assert capfd.readouterr() == (f"{process.pid} ['--venv', 'x y']\n", "")


SCRIPT_START = f"import runpy; boot = runpy.run_path({str(SCRIPT)!r}, run_name='boot')\n"
RUNNING = (
    SCRIPT_START
    + """
import os, sys
boot["end_on_signals"]()
child = "import os, time; print(os.getpid(), file=open('pid', 'w'), flush=True); time.sleep(60)"
boot["run"]([sys.executable, "-c", child], os.environ)
"""
)
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.mark.parametrize(("number", "status"), SIGNALS, ids=["int", "term"])
def test_a_signal_ends_what_is_run_too(tmp_path: Path, number: signal.Signals, status: int) -> None:
    argv = [sys.executable, "-c", RUNNING]
    with subprocess.Popen(argv, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        file = tmp_path / "pid"
        limit = time.monotonic() + 20
        while not (file.exists() and file.read_text()) and time.monotonic() < limit:
            time.sleep(0.02)
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (status, "")
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize(("number", "status"), SIGNALS, ids=["int", "term"])
def test_a_signal_ends_the_wait_for_another_process(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    argv = [sys.executable, "-I", str(SCRIPT), "--requirements", str(RUN_LOCK)]
    argv += ["--venv", str(tmp_path / "env")]
    with (
        locked(tmp_path / "env.lock"),
        subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr is not None
        assert process.stderr.readline().startswith("waiting for another process")
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (status, "")
