"""Stand-ins for the interpreters of this host, and for the uv that knows them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.native.host_interpreters import HostInterpreters
from aarch64_wheels.processes import Processes
from tests.unit.native_system_samples import write_elf

if TYPE_CHECKING:
    import pytest


UV = """#!/bin/sh
echo "$2 $*" >> "{log}"
echo "$PWD ${{UV_CONFIG_FILE-none}} $*" >> "{log}.places"
case "$2" in
list)
  old=$IFS; IFS=:
  for directory in ${{UV_PYTHON_INSTALL_DIR:-}} $PATH; do
    for program in "$directory"/python3*; do
      [ -x "$program" ] && rows="$rows${{rows:+,}}{{\\"path\\": \\"$program\\"}}"
    done
  done
  echo "[$rows]" ;;
install)
  {install} ;;
esac
"""


def _answer(**changes: object) -> dict[str, Any]:
    row: dict[str, Any] = {"implementation": "cpython", "version": "3.13", "platlibdir": "lib"}
    return {**row, **changes}


def write_python(directory: Path, status: int = 0, **changes: object) -> Path:
    """Write an "interpreter" that answers the question, and the ELF file it says it is."""
    program = write_elf(directory / "real")
    answer = _answer(program=str(program), library=str(directory / "library"), extensions=[])
    text = json.dumps({**answer, **changes})
    script = directory / "python3.13"
    write_script(script, f"#!/bin/sh\nprintf '%s' {shlex.quote(text)}\nexit {status}\n")
    return script


def refuse_downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a uv in the way that cannot fetch; gives the file in which its calls are noted."""
    stub_uv(tmp_path, monkeypatch, "echo '  cause: name not known' >&2; exit 1")
    return tmp_path / "uv.log"


def stub_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, install: str) -> None:
    """Put a uv in the way that lists what is on PATH, and does `install` where it is to fetch."""
    write_script(tmp_path / "uv", UV.format(log=tmp_path / "uv.log", install=install))
    monkeypatch.setattr("uv.find_uv_bin", lambda: str(tmp_path / "uv"))


def host_interpreters(
    tmp_path: Path, path: tuple[Path, ...] = (), own: Path = Path("/none")
) -> HostInterpreters:
    environ = {"PATH": ":".join([*map(str, path), "/none"])}
    return HostInterpreters(environ=environ, home=tmp_path / "home", own=own, processes=Processes())
