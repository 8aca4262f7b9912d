"""Facts of the machine that figures depend on; none that tells whose it is or where."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels import __version__
from aarch64_wheels.engine.spec import QEMU_CPU
from bench.workplace import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.workplace import Workplace

_GIB = 1 << 30


def machine_facts(place: Workplace, python: Path | None) -> dict[str, str]:
    """Collect CPU, memory, kernel, engine, QEMU and the versions of all that is compared."""
    uv = Path(sys.executable).with_name("uv")
    facts = {
        "CPU": cpu_model(_read(Path("/proc/cpuinfo"))),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / _GIB:.0f} GiB",
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", ""),
        "engine": f"{place.engine.name} {place.engine.version}",
        "QEMU": f"{qemu_version()}, QEMU_CPU={QEMU_CPU}",
        "image": place.image,
        "aarch64-wheels": f"{__version__} {_commit()}".strip(),
        "cibuildwheel": version("cibuildwheel"),
        "auditwheel": version("auditwheel"),
        "uv": _first([uv, "--version"]),
        "gcc": _first(["gcc", "--version"]),
        "native CPython": _first([python, "--version"]) if python else "",
    }
    return {name: fact for name, fact in facts.items() if fact}


def cpu_model(cpuinfo: str) -> str:
    """Find the CPU's name in /proc/cpuinfo."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1] if found else platform.machine()


def clang_version(command: str) -> str:
    """Ask a compiler for its first line."""
    return _first([command, "--version"])


def qemu_version() -> str:
    """Ask the interpreter that the kernel has for aarch64 programs, where it is on this host."""
    registered = _read(Path("/proc/sys/fs/binfmt_misc/qemu-aarch64"))
    found = re.search(r"^interpreter (\S+)$", registered, re.MULTILINE)
    interpreters = [found[1]] if found else []
    for program in (*interpreters, "qemu-aarch64-static", "qemu-aarch64"):
        said = _first([program, "--version"])
        if match := re.search(r"qemu\S* version (\S+)", said):
            return match[1]
    return "of unknown version"


def _commit() -> str:
    return _first(["git", "-C", REPOSITORY, "rev-parse", "--short=12", "HEAD"])


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _first(argv: Sequence[str | Path]) -> str:
    """Give the first line a program prints; nothing if it can't be run."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.partition("\n")[0].strip() if done.returncode == 0 else ""
