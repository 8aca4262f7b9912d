"""The command as a process: how it starts, and how it ends where its reader has gone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from aarch64_wheels import __version__

PRINTER = """
import sys
from aarch64_wheels.cli import guard
sys.exit(guard(lambda: print("a short answer") or 0, debug=False))
"""


def _run_python(words: list[str], stdout: int) -> subprocess.CompletedProcess[str]:
    """Run this interpreter as a user's shell does: its output is buffered."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    argv = [sys.executable, *words]
    return subprocess.run(
        argv, env=environ, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
    )


GONE = {
    "a-command": ["-c", PRINTER],
    "help": ["-m", "aarch64_wheels", "--help"],
    "a-commands-help": ["-m", "aarch64_wheels", "build", "--help"],
    "version": ["-m", "aarch64_wheels", "--version"],
    "a-table": ["-m", "aarch64_wheels", "image", "list"],
    "json": ["-m", "aarch64_wheels", "image", "list", "--json"],
}


@pytest.mark.parametrize("words", GONE.values(), ids=GONE.keys())
def test_a_reader_that_has_gone_ends_it_like_sigpipe(words: list[str]) -> None:
    """As with `| head -1`: no message, and the status of any other program."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = _run_python(words, writer)
    finally:
        os.close(writer)
    assert (result.returncode, result.stderr) == (141, "")


def test_bad_usage_is_2_also_where_the_reader_has_gone() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = _run_python(["-m", "aarch64_wheels", "bild"], writer)
    finally:
        os.close(writer)
    assert result.returncode == 2


def test_it_runs_as_a_module() -> None:
    result = _run_python(["-m", "aarch64_wheels", "--version"], subprocess.PIPE)
    assert (result.returncode, result.stdout) == (0, f"aarch64-wheels {__version__}\n")


def test_parsing_needs_no_engine_library() -> None:
    code = "import sys, aarch64_wheels.cli as c; c.make_parser(); print('docker' in sys.modules)"
    assert _run_python(["-c", code], subprocess.PIPE).stdout == "False\n"
