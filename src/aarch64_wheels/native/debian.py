"""Native libraries and CPythons from the amd64 packages that the embedded image's recipe names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.embedded.assemble import debs_directory
from aarch64_wheels.embedded.fetch import fetch_set
from aarch64_wheels.embedded.recipe import HOST, PackageSet, load_recipe
from aarch64_wheels.embedded.unpack import prepare_root, unpack
from aarch64_wheels.native.interpreter_copy import Copier, Original
from aarch64_wheels.native.kept import Kept
from aarch64_wheels.native.relocation import Libraries, Relocator
from aarch64_wheels.native.shared_libraries import LOADER_NAME, copy_shared, shared_libraries
from aarch64_wheels.native.system import NoInterpreter, code_digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aarch64_wheels.processes import Processes


@dataclass(frozen=True, kw_only=True)
class DebianSystem:
    """Debian's amd64 packages, fetched once for the image's bytecode and for this.

    Attributes:
        sets: packages of this host's architecture. cache_dir: downloads are kept below it.
        patchelf: the program. processes: runs it, and what fetches and unpacks.
    """

    sets: tuple[PackageSet, ...]
    cache_dir: Path
    patchelf: Path
    processes: Processes

    @classmethod
    def of_this_version(cls, cache_dir: Path, patchelf: Path, processes: Processes) -> DebianSystem:
        """Give the system that this version's recipe describes."""
        sets = tuple(row for row in load_recipe().sets if row.into == HOST)
        return cls(sets=sets, cache_dir=cache_dir, patchelf=patchelf, processes=processes)

    @property
    def key(self) -> str:
        """Changes with the packages' names and the code that lays them out."""
        digest = hashlib.sha256(code_digest())
        for row in self.sets:
            digest.update(row.key.encode())
        return f"debian-{digest.hexdigest()[:16]}"

    def interpreter_key(self, version: str, note: Callable[[str], None]) -> str:  # noqa: ARG002
        """Give the same key: the packages decide about interpreters, too."""
        return self.key

    @property
    def tools_version(self) -> str:
        """The CPython that runs the native tools."""
        return "3.13"

    def lay_libraries(self, into: Path) -> None:
        """Fill a new directory with the loader and shared libraries (see `NativeSystem`)."""
        copy_shared(shared_libraries(self._libraries()), into, self._relocator())

    def lay_interpreter(self, version: str, into: Path) -> None:
        """Fill a new directory with one CPython (see `NativeSystem`)."""
        name, libraries = f"python{version}", self._libraries()
        usr = libraries.root / "usr"
        if not (usr / "bin" / name).is_file():
            raise NoInterpreter(version, f"the embedded image's Debian suites have no {name}")
        original = Original(
            name=name,
            program=usr / "bin" / name,
            standard_library=usr / "lib" / name,
            extensions=usr / "lib" / name / "lib-dynload",
        )
        self._copier(libraries).copy(original, into)

    def _copier(self, libraries: Libraries) -> Copier:
        (directory,) = libraries.directories
        return Copier(
            relocator=self._relocator(),
            libraries=libraries,
            shared=shared_libraries(libraries),
            # The host's C library may be older than theirs, so they never meet it.
            starter=(str(directory / LOADER_NAME), "--library-path", str(directory)),
        )

    def _relocator(self) -> Relocator:
        return Relocator(patchelf=self.patchelf, processes=self.processes)

    def _libraries(self) -> Libraries:
        root = self._unpacked()
        return Libraries(directories=(root / "usr/lib/x86_64-linux-gnu",), root=root)

    def _unpacked(self) -> Path:
        """Unpack the packages, once for all interpreters and processes."""
        keys = "".join(row.key for row in self.sets)
        name = f"packages-{hashlib.sha256(keys.encode()).hexdigest()[:16]}"
        kept = Kept(parent=self.cache_dir / "native", name=name)
        return kept.ensure(self._unpack, lambda _text: None)

    def _unpack(self, root: Path) -> None:
        prepare_root(root)
        for row in self.sets:
            directory = debs_directory(self.cache_dir, row)
            unpack(fetch_set(row, directory, self.processes), root, self.processes)
