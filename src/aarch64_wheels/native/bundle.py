"""Assembles the native tools (see `places`) on this host, and keeps them."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from aarch64_wheels import __version__
from aarch64_wheels.catalogue import interpreters
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.native.components import COMPONENTS, LINKS
from aarch64_wheels.native.kept import Kept
from aarch64_wheels.native.launchers import REPAIRER, lay_launchers
from aarch64_wheels.native.manifest import Entry, digest, write_manifest
from aarch64_wheels.native.places import NATIVE, TOOLS, TOOLS_PYTHON
from aarch64_wheels.native.relocation import Relocator
from aarch64_wheels.native.shim_build import build_shim
from aarch64_wheels.native.wheels import lay_wheels, read_lock
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aarch64_wheels.hostindex import IndexSettings
    from aarch64_wheels.native.system import NativeSystem

#: Files of this package that an accelerated image's making runs with the native Python.
_SCRIPTS = ("configure.py", "gcc_answers.py", "installer.py", "loader.py")
#: Other files of this package that decide what the bundle holds, beside the shim's sources.
_CODE = (
    *("bundle.py", "components.py", "launchers.py", "relocation.py", REPAIRER, "shim_build.py"),
    "wheels.py",
)


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A directory of native files for containers.

    Attributes:
        directory: on this host, read-only. key: changes whenever its content does.
    """

    directory: Path
    key: str

    @property
    def volume(self) -> str:
        """The name of the engine's volume that holds the same."""
        return f"aarch64-wheels-native-{self.key}"


def ensure_bundle(
    system: NativeSystem, cache_dir: Path, index: IndexSettings, note: Callable[[str], None]
) -> Bundle:
    """Have the native tools, without a native interpreter of any target.

    Args:
        system: lays out loader, libraries and the Python that runs the tools.
        cache_dir: the bundle is kept below it; nothing is fetched or made while it is there.
        index: where the wheels come from.
        note: told each step as it starts.

    Raises:
        UnfitError: something cannot be fetched or made.
    """
    key = bundle_key(system, note)

    def make(directory: Path) -> None:
        note("assembling the native tools")
        _assemble(directory, system, index, key)

    kept = Kept(parent=cache_dir / "native", name=key)
    return Bundle(directory=kept.ensure(make, note), key=key)


def ensure_interpreter(
    system: NativeSystem,
    version: str,
    tag: str,
    cache_dir: Path,
    note: Callable[[str], None],
) -> Bundle:
    """Have the native interpreter that goes to /native/python/TAG.

    Args:
        system: lays it out.
        version: as `NativeSystem.lay_interpreter` takes it: `3.13`, `3.14t`.
        tag: the target's, such as `cp313`.
        cache_dir: it is kept below it.
        note: told if it must be fetched or laid out.

    Raises:
        NoInterpreter: there is none of this version. UnfitError: the disk is full.
    """
    identity = f"{system.interpreter_key(version, note)}\n{version}\n{tag}"
    key = f"{tag}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"

    def make(directory: Path) -> None:
        note(f"preparing a native CPython {version}")
        system.lay_interpreter(version, directory / tag)

    kept = Kept(parent=cache_dir / "native", name=key)
    return Bundle(directory=kept.ensure(make, note) / tag, key=key)


def bundle_key(system: NativeSystem, note: Callable[[str], None]) -> str:
    """Give the key of the bundle that this version makes with a system.

    `note` is told if the Python that runs the tools must be fetched.
    """
    total = hashlib.sha256(system.key.encode())
    total.update(system.interpreter_key(system.tools_version, note).encode())
    lock = read_lock()
    for name in sorted(lock):
        total.update(lock[name].text.encode())
    for name, content in sources():
        total.update(f"{name}\0".encode())
        total.update(content)
    total.update(" ".join(_tags()).encode())
    return total.hexdigest()[:16]


def sources() -> Iterator[tuple[str, bytes]]:
    """Give this package's files that decide what the bundle holds."""
    with resources.as_file(resources.files("aarch64_wheels.native")) as package:
        shim = (path for path in package.rglob("*") if path.suffix in {".c", ".h", ".S"})
        for path in sorted([*shim, *(package / name for name in (*_CODE, *_SCRIPTS))]):
            yield str(path.relative_to(package)), path.read_bytes()


def _tags() -> tuple[str, ...]:
    return tuple(row.tag for row in interpreters())


def _assemble(root: Path, system: NativeSystem, index: IndexSettings, key: str) -> None:
    with ThreadPoolExecutor(1) as pool, Processes() as processes:
        fetching = pool.submit(lay_wheels, root, COMPONENTS, index, processes)
        system.lay_libraries(root / "lib")
        system.lay_interpreter(system.tools_version, root / "python/tools")
        fetching.result()
        _finish(root, processes)
        clang = _clang_version(root / "zig/zig", processes)
    write_manifest(root, key, _entries(root, system, clang))


def _finish(root: Path, processes: Processes) -> None:
    relocator = Relocator(patchelf=root / "bin/patchelf", processes=processes)
    for component in COMPONENTS:
        for program in component.programs:
            relocator.program(root / program)
    build_shim(root / "zig/zig", root / "shim", processes)
    for name, aim in LINKS.items():
        (root / name).symlink_to(aim)
    lay_launchers(root)
    for name, content in sources():
        if name in _SCRIPTS:
            (root / name).write_bytes(content)
    for tag in _tags():
        # The native interpreter of the tag is mounted here: in a read-only place, it must exist.
        (root / "python" / tag).mkdir()
    _compile_tools(root, processes)


def _compile_tools(root: Path, processes: Processes) -> None:
    """Make the bytecode of the tools, which their Python could not keep in a read-only place."""
    libraries = f"{root}/lib:{root}/python/tools/lib"
    python = root / TOOLS_PYTHON.relative_to(NATIVE)
    # Through its loader: where the program looks for it, there is nothing on this host.
    argv: list[str | Path] = [
        root / "lib/ld-linux-x86-64.so.2",
        "--library-path",
        libraries,
        python,
        "-IS",
    ]
    argv += ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    argv += ["-s", str(root), "-p", str(NATIVE), root / TOOLS.relative_to(NATIVE)]
    result = processes.run(argv, env={"PYTHONHASHSEED": "0"}, cwd=root)
    if result.returncode != 0:
        raise UnfitError(
            f"the native Python does not run on this host (status {result.returncode})",
            found=(result.stdout + result.stderr).strip()[-300:],
            hint="--mode emulated needs none; please report it",
        )


def _clang_version(zig: Path, processes: Processes) -> str:
    """Ask zig's clang, whose version does not follow from zig's; empty if it does not say."""
    said = processes.run([zig, "clang", "--version"]).stdout
    found = re.search(r"\bclang version (\d+(?:\.\d+)+)", said)
    return found[1] if found else ""


def _entries(root: Path, system: NativeSystem, clang: str) -> list[Entry]:
    pins = read_lock()
    entries = [
        _entry(root, row.name, pins[row.name].version, *(_laid(root, *pair) for pair in row.files))
        for row in COMPONENTS
    ]
    entries.append(_entry(root, "clang", clang, ["zig/zig"]))
    entries.append(_entry(root, "shim", __version__, ["shim"]))
    entries.append(_entry(root, "libraries", system.key, ["lib"]))
    entries.append(_entry(root, "python", system.tools_version, ["python/tools"]))
    return entries


def _entry(root: Path, name: str, version: str, *parts: list[str]) -> Entry:
    found = [part for group in parts for part in group]
    return Entry(name=name, version=version, sha256=digest(root, found))


def _laid(root: Path, pattern: str, place: str) -> list[str]:
    """Name what of a component's files is below `root`."""
    found = (root / place).glob(PurePath(pattern).name)
    return [str(path.relative_to(root)) for path in found]
