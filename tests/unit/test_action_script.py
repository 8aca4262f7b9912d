"""The script of action.yml, run by bash as the runner does, with a stand-in for the program."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
#: The steps' scripts: building, publishing.
RUN = re.findall(r"^ +run: (.*)$", (ROOT / "action.yml").read_text(encoding="utf-8"), re.MULTILINE)

_FILES = (
    "scripts/start.sh",
    "scripts/bootstrap.py",
    "requirements/run.txt",
    "requirements/uv.txt",
)

STAND_IN = """
import os, sys, time
from aarch64_wheels import signals

signals.install()
try:
    print("ready", os.getpid(), sys.argv[0], flush=True)
    time.sleep(60)
except KeyboardInterrupt as stop:
    print("told", type(stop).__name__, flush=True)
    sys.exit(7)
"""


@pytest.fixture
def action_path(tmp_path: Path) -> Path:
    """The Action with a stand-in for its program, and its private environment ready made."""
    path = tmp_path / "an action"
    for name in _FILES:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, path / name)
    package = path / "src" / "aarch64_wheels"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "action.py").write_text(STAND_IN)
    shutil.copy(ROOT / "src" / "aarch64_wheels" / "signals.py", package)
    code = (
        "import sys, runpy; from pathlib import Path;"
        "print(runpy.run_path(sys.argv[1])['environment_key'](Path(sys.argv[2])))"
    )
    argv = [sys.executable, "-c", code, "scripts/bootstrap.py", "requirements/run.txt"]
    key = subprocess.run(argv, cwd=path, capture_output=True, text=True, check=True).stdout.strip()
    environment = tmp_path / "tools" / "aarch64-wheels" / key
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    (environment / ".complete").write_text(key)
    return path


@pytest.fixture
def step(action_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The step as the runner starts it: in a checkout that holds modules of the same names."""
    tmp_path = action_path.parent
    script = tmp_path / "step.sh"
    script.write_text(RUN[0])
    for module in ("aarch64_wheels", "argparse", "venv", "pip"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('the checkout was imported')\n")
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GITHUB_ACTION_PATH": str(action_path),
        "RUNNER_TOOL_CACHE": str(tmp_path / "tools"),
    }
    argv = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        argv, cwd=tmp_path, env=environ, stdout=pipe, stderr=pipe, text=True
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("number", "told"),
    [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "Terminated")],
    ids=["int", "term"],
)
def test_cancelling_reaches_the_program_through_the_shell(
    step: subprocess.Popen[str], number: signal.Signals, told: str
) -> None:
    assert step.stdout is not None
    word, pid, place = step.stdout.readline().split(" ", 2)
    assert (word, int(pid)) == ("ready", step.pid)
    assert place.endswith("an action/src/aarch64_wheels/action.py\n")
    step.send_signal(number)
    output, errors = step.communicate(timeout=20)
    assert (step.returncode, output, errors) == (7, f"told {told}\n", "")
