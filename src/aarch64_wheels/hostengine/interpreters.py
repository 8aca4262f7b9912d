"""Finds the host's interpreters that targets are built for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.hostengine.environment import search_path
from aarch64_wheels.wheels import run_uv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aarch64_wheels.plan import Interpreter
    from aarch64_wheels.processes import Processes

#: Where manylinux-style images have their interpreters: this may be a job inside of one.
OPT_PYTHON = Path("/opt/python")

#: Asked of an interpreter by itself: no environment variable, no current directory. A virtual
#: environment's stands for the one it was made from; its own packages are somebody else's.
_QUESTION = """
import json, os, sys, sysconfig
free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
program = sys.executable
if sys.prefix != sys.base_prefix:
    program = getattr(sys, "_base_executable", "") or os.path.realpath(program)
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": "%d.%d" % sys.version_info[:2] + ("t" if free else ""),
    "platform": sysconfig.get_platform(),
    "program": program,
    "headers": os.path.isfile(os.path.join(sysconfig.get_path("include"), "Python.h")),
}))
"""
_IMPLEMENTATIONS = {"cp": "cpython", "pp": "pypy", "gp": "graalpy"}


@dataclass(frozen=True, kw_only=True)
class HostInterpreter:
    """An interpreter of this host: its program, and whether C code can be compiled for it."""

    program: Path
    has_headers: bool


@dataclass(frozen=True, kw_only=True)
class Finder:
    """Finds interpreters.

    Attributes:
        environ: this process's variables. processes: runs uv and the interpreters.
        opt_python: see `OPT_PYTHON`.
        platform: how an interpreter names the system that is built for, as `sysconfig` has it. A
            32-bit system may run on an arm64 kernel.
    """

    environ: Mapping[str, str]
    processes: Processes
    opt_python: Path = OPT_PYTHON
    platform: str = "linux-aarch64"

    def find(self, interpreter: Interpreter) -> HostInterpreter | None:
        """Find one: as images have it, on PATH, or else what uv knows of.

        One that comes without its headers is taken only where there is no other.
        """
        without = None
        for program in self._candidates(interpreter):
            found = self._inspect(program, interpreter)
            if found is not None and found.has_headers:
                return found
            without = without or found
        return without

    def _candidates(self, interpreter: Interpreter) -> Iterator[Path]:
        yield self.opt_python / interpreter.directory / "bin/python"
        directories = list(self._directories(interpreter.version))
        yield from (directory / interpreter.program for directory in directories)
        words = ["python", "find", "--system", "--no-python-downloads", _request(interpreter)]
        environ = {**self.environ, "PATH": ":".join(map(str, directories))}
        result = run_uv(words, environ, self.processes)
        if result.returncode == 0 and result.stdout.strip():
            yield Path(result.stdout.strip().splitlines()[-1])

    def _directories(self, version: str) -> Iterator[Path]:
        """List PATH, and where Travis CI, pyenv and GitHub's runners keep others, newest first."""
        # pyenv's stand-ins on PATH are scripts that fail for every version but the chosen one.
        yield from (path for path in search_path(self.environ) if path.name != "shims")
        home = Path(self.environ.get("HOME") or "/nonexistent")
        cache = Path(self.environ.get("RUNNER_TOOL_CACHE") or "/nonexistent")
        aside = [
            *self.opt_python.glob(f"{version}.*/bin"),
            *Path(self.environ.get("PYENV_ROOT") or home / ".pyenv").glob(
                f"versions/{version}.*/bin"
            ),
            *cache.glob(f"Python/{version}.*/arm64*/bin"),
        ]
        yield from sorted(aside, key=_release, reverse=True)

    def _inspect(self, program: Path, interpreter: Interpreter) -> HostInterpreter | None:
        """Ask a program what it is; None if it is not what is looked for."""
        if not program.is_file():
            return None
        # Not where this was called: pyenv and its like obey files of a project.
        argv: list[str | Path] = [program, "-I", "-c", _QUESTION]
        result = self.processes.run(argv, env=dict(self.environ), cwd=Path("/"))
        try:
            answer = json.loads(result.stdout) if result.returncode == 0 else {}
        except ValueError:
            return None
        wanted = (_IMPLEMENTATIONS[interpreter.tag[:2]], _version(interpreter), self.platform)
        if tuple(answer.get(key) for key in ("implementation", "version", "platform")) != wanted:
            return None
        return HostInterpreter(program=Path(answer["program"]), has_headers=answer["headers"])


def no_headers(program: Path) -> str:
    """Say why no C code can be compiled for an interpreter."""
    return f"{program} came without Python.h: install its development package"


def _release(directory: Path) -> list[int]:
    """Give the number in `.../3.13.2/arm64/bin` and `.../3.13.2/bin`."""
    found = re.findall(r"/(\d+\.\d+\.\d+)", str(directory))
    return [int(part) for part in found[-1].split(".")] if found else []


def _version(interpreter: Interpreter) -> str:
    return interpreter.version + ("t" if interpreter.tag.endswith("t") else "")


def _request(interpreter: Interpreter) -> str:
    """Write it as uv does: `cpython-3.14t`, `pypy-3.11`."""
    return f"{_IMPLEMENTATIONS[interpreter.tag[:2]]}-{_version(interpreter)}"
