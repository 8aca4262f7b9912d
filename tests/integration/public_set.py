"""The pinned public packages, built by native clang, and by GCC for comparison.

Both ways have the native backend, so that the compilers are what differs, and a test's time is
bearable: GCC runs under QEMU.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aarch64_wheels.settings.schema import Compiler
from tests.integration.elf_interface import WheelInterface, read_wheel_interface

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.sources import Source

    from tests.integration.conftest import Run

#: The emulated GCC takes many minutes for these. What the project itself has published stands in
#: for it: a newer GCC, on a newer system, has made it. `AARCH64_WHEELS_TEST_HEAVY=1` builds them.
_HEAVY = frozenset({"contourpy", "levenshtein"})


@dataclass(frozen=True, kw_only=True)
class BuiltWheel:
    """A wheel, what can be seen of it, and its target's record if this command has made it."""

    path: Path
    interface: WheelInterface
    record: Mapping[str, Any]

    @property
    def compilers(self) -> set[str]:
        """Name what compiled the package's own code, by the report."""
        rows = self.record["wheel"]["objects"]
        own = [row for row in rows if row["path"] in self.interface.own]
        return {name.split()[0] for row in own for name in row["compilers"]}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One source, built by clang and by GCC.

    `published`: the latter is not ours, but what the project has published.
    """

    source: Source
    clang: BuiltWheel
    gcc: BuiltWheel
    published: bool


def make_pair(run: Run, source: Source, directory: Path) -> Pair:
    """Have one source both ways."""
    published = source.name in _HEAVY and "AARCH64_WHEELS_TEST_HEAVY" not in os.environ
    clang = build_wheel(run, source, Compiler.NATIVE_ONLY, directory / "clang")
    if published:
        gcc = download_wheel(source, directory / "published")
    else:
        gcc = build_wheel(run, source, Compiler.GCC, directory / "gcc")
    return Pair(source=source, clang=clang, gcc=gcc, published=published)


def download_wheel(source: Source, directory: Path) -> BuiltWheel:
    """Fetch what the project has published for CPython 3.13 on aarch64."""
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in (17, 28)]
    words = ["--quiet", "--no-deps", "--only-binary=:all:", "--python-version=313", *platforms]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", *words, "-d", directory, source.requirement],
        check=True,
    )
    (path,) = directory.glob("*.whl")
    return BuiltWheel(path=path, interface=read_wheel_interface(path), record={})


def build_wheel(run: Run, source: Source, compiler: Compiler, output: Path) -> BuiltWheel:
    """Build one source for CPython 3.13, the backend native, as a user does."""
    words = ["--image=debian", "--python=cp313", "--mode=accelerated", "--backend=native"]
    done = run("build", source.requirement, *words, "--compiler", compiler, "--output-dir", output)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = output.glob("*.whl")
    (record,) = json.loads((output / "report.json").read_text(encoding="utf-8"))["targets"]
    return BuiltWheel(path=path, interface=read_wheel_interface(path), record=record)
