"""Native libraries of this host, and CPythons found on it or fetched by uv."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from auditwheel.lddtree import load_ld_paths
from auditwheel.libc import Libc

from aarch64_wheels.hashing import sha256_of
from aarch64_wheels.native.interpreter_copy import Copier, Original
from aarch64_wheels.native.kept import Kept
from aarch64_wheels.native.relocation import Libraries, Relocator
from aarch64_wheels.native.shared_libraries import LOADER_NAME, copy_shared, shared_libraries
from aarch64_wheels.native.system import NoInterpreter, code_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aarch64_wheels.native.host_interpreters import HostInterpreters

#: Seconds for which a download that failed is not tried again.
_PATIENCE = 3600


@dataclass(frozen=True, kw_only=True)
class HostSystem:
    """What this host has itself.

    Attributes:
        libraries: where its shared libraries are.
        interpreters: its CPythons. cache_dir: fetched ones are kept below it.
        relocator: makes copies run below /native.
        own_version: minor version of the CPython that runs this program.
        digest: hashes a file, each once, so that a run sees one state of this host.
    """

    libraries: Libraries
    interpreters: HostInterpreters
    cache_dir: Path
    relocator: Relocator
    own_version: str
    digest: Callable[[Path], str] = field(
        default_factory=lambda: cache(file_digest), repr=False, compare=False
    )

    @property
    def key(self) -> str:
        """Changes with the host's shared libraries, and the code that lays them out."""
        total = hashlib.sha256(code_digest())
        for name, path in sorted(shared_libraries(self.libraries).items()):
            total.update(f"{name}\0{self.digest(path)}\n".encode())
        total.update(self.own_version.encode())
        return f"host-{total.hexdigest()[:16]}"

    def interpreter_key(self, version: str, note: Callable[[str], None]) -> str:
        """Hash what a CPython of this host is copied from (see `NativeSystem`)."""
        original = self._found(version, note)
        extensions = sorted(original.extensions.glob("*.so"))
        total = hashlib.sha256(f"{self.key}\n{original}\n".encode())
        # CPython's build, with its date, is written into the program or its libpython, so
        # these tell of the standard library, too.
        total.update(self.digest(original.program).encode())
        for path in (original.standard_library, *extensions):
            total.update(f"{path.name} {_stamp(path)}\n".encode())
        for path in self._needed(original, extensions, total.hexdigest()[:16], note):
            total.update(f"{path}\0{self.digest(path)}\n".encode())
        return f"{original.name}-{total.hexdigest()[:16]}"

    @property
    def tools_version(self) -> str:
        """The CPython that runs the native tools: the one that runs this program."""
        return self.own_version

    def lay_libraries(self, into: Path) -> None:
        """Fill a new directory with the loader and shared libraries (see `NativeSystem`)."""
        copy_shared(shared_libraries(self.libraries), into, self.relocator)

    def lay_interpreter(self, version: str, into: Path) -> None:
        """Fill a new directory with one CPython (see `NativeSystem`)."""
        original = self._found(version, lambda _text: None)
        Copier(
            relocator=self.relocator,
            libraries=self.libraries,
            shared=shared_libraries(self.libraries),
            starter=self._starter(into),
        ).copy(original, into)

    def _starter(self, into: Path) -> tuple[str, ...]:
        loader = self.libraries.find(LOADER_NAME)
        return (str(loader), "--library-path", str(into / "lib"))

    def _needed(
        self,
        original: Original,
        extensions: Sequence[Path],
        key: str,
        note: Callable[[str], None],
    ) -> list[Path]:
        """List the libraries of an interpreter; reading 80 ELF files is slow, so this is kept."""

        def make(directory: Path) -> None:
            files = (original.program, *extensions)
            found = self.libraries.closure(files, loaded_by=original.program)
            # By the name it is asked for: an upgrade may lead that to another file.
            named = ((path.parent / name, path) for name, path in found.items() if path)
            places = sorted(str(link if link.is_file() else path) for link, path in named)
            (directory / "libraries").write_text("\n".join(places), encoding="utf-8")

        kept = Kept(parent=self.cache_dir / "native", name=f"needs-{key}")
        text = (kept.ensure(make, note) / "libraries").read_text(encoding="utf-8")
        return [Path(line) for line in text.splitlines()]

    def _found(self, version: str, note: Callable[[str], None]) -> Original:
        kept = self.cache_dir / "pythons"
        found = self.interpreters.find(version, kept)
        if found is None:
            self._fetch(version, kept, note)
            found = self.interpreters.find(version, kept)
        if found is None:
            raise NoInterpreter(version, "what uv has fetched does not run here")
        return found

    def _fetch(self, version: str, kept: Path, note: Callable[[str], None]) -> None:
        """Let uv fetch an interpreter, but do not ask in vain in every run."""
        failed = kept / f"{version}.failed"
        if failed.is_file() and time.time() - failed.stat().st_mtime < _PATIENCE:
            raise NoInterpreter(version, failed.read_text(encoding="utf-8"))
        note(f"fetching a native CPython {version}")
        if reason := self.interpreters.install(version, kept):
            words = f"none on this machine, and uv cannot fetch one: {reason}"
            kept.mkdir(parents=True, exist_ok=True)
            failed.write_text(words, encoding="utf-8")
            raise NoInterpreter(version, words)
        failed.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """Hash a file; "none" if it is not there."""
    try:
        return sha256_of(path)
    except FileNotFoundError:
        return "none"


def _stamp(path: Path) -> str:
    """Give what changes when a file is replaced; "none" if it is not there."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return "none"
    return f"{found.st_size} {found.st_mtime_ns}"


def host_libraries() -> Libraries:
    """Find this host's libraries: beside those that this process uses, and by ld.so.conf."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    configured: Iterable[str] = load_ld_paths(Libc.GLIBC)["conf"]
    places = (*loaded_from(maps), *(Path(word) for word in configured))
    return Libraries(directories=tuple(dict.fromkeys(path.resolve() for path in places)))


def loaded_from(maps: str) -> tuple[Path, ...]:
    """Give the directories that hold the C library and loader in `/proc/<pid>/maps`."""
    paths = [Path(line.split(maxsplit=5)[-1]) for line in maps.splitlines() if "/" in line]
    known = (LOADER_NAME, "libc.so.6")
    return tuple(dict.fromkeys(path.parent for path in paths if path.name in known))


def own_version() -> str:
    """Give the minor version of the CPython that runs this, with a `t` if free-threaded."""
    free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    return f"{sys.version_info.major}.{sys.version_info.minor}{free}"


def own_program() -> Path:
    """Give the interpreter that runs this, not the environment's link to it."""
    return Path(getattr(sys, "_base_executable", sys.executable))
