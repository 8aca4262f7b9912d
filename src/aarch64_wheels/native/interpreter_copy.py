"""Copies a CPython of this machine to where it can run below /native."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.native.places import INTERPRETERS
from aarch64_wheels.native.relocation import Libraries, Relocator, copy_libraries
from aarch64_wheels.native.shared_libraries import own_libraries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Parts of a standard library that no build needs; the image's own has them for tests.
_LEFT_OUT = frozenset(
    {"test", "tests", "idlelib", "idle_test", "tkinter", "turtledemo", "_bundled", "__pycache__"}
)
#: Likewise, of the top directory only: other people's packages, and files to embed CPython.
_LEFT_OUT_AT_TOP = ("site-packages", "dist-packages", "config-*", "turtle.py", "sitecustomize.py")

#: `nis` would bring Kerberos along.
_EXTENSIONS_LEFT_OUT = ("_test*", "_xxtestfuzz*", "xx*", "_ctypes_test*", "_tkinter*", "nis.*")


@dataclass(frozen=True, kw_only=True)
class Original:
    """A CPython of this machine.

    Attributes:
        name: what its files are called after, such as `python3.13` or `python3.14t`.
        program: its executable. standard_library: `lib/python3.13`.
        extensions: `lib-dynload`. platlibdir: where it looks for them (`sys.platlibdir`).
    """

    name: str
    program: Path
    standard_library: Path
    extensions: Path
    platlibdir: str = "lib"


@dataclass(frozen=True, kw_only=True)
class Copier:
    """Lays out interpreters.

    Attributes:
        relocator: rewrites their programs and libraries.
        libraries: where what they need is found.
        shared: what /native/lib is made of, which is not copied again.
        starter: words before a program's path that start it on this host (a loader).
    """

    relocator: Relocator
    libraries: Libraries
    shared: Mapping[str, Path]
    starter: Sequence[str]

    def copy(self, original: Original, into: Path) -> None:
        """Copy an interpreter; `into`'s name is that below /native/python.

        Raises:
            UnfitError: the disk is full, or a program that does a part of it fails.
        """
        try:
            self._copy(original, into)
        except BaseException as error:
            shutil.rmtree(into, ignore_errors=True)
            if isinstance(error, OSError | shutil.Error):
                raise UnfitError(
                    f"cannot copy {original.program} to the native tools",
                    found=str(error)[-300:],
                    hint="free some disk space in the cache directory (--cache-dir)",
                ) from error
            raise

    def _copy(self, original: Original, into: Path) -> None:
        program = into / "bin" / original.name
        library = into / "lib" / original.name
        copy_standard_library(original.standard_library, library)
        found = self._copy_extensions(original, library / "lib-dynload")
        copy_libraries(own_libraries(found, self.shared), into / "lib")
        program.parent.mkdir(parents=True)
        shutil.copyfile(original.program, program)
        for name in ("python3", "python"):
            (program.parent / name).symlink_to(original.name)
        self.relocator.program(program)
        objects = [*library.rglob("*.so"), *(into / "lib").glob("*.so*")]
        self.relocator.libraries(objects, into / "lib")
        if original.platlibdir != "lib":
            (into / original.platlibdir).symlink_to("lib")
        self._compile(program, library, INTERPRETERS / into.name / "lib" / original.name)

    def _copy_extensions(self, original: Original, into: Path) -> dict[str, Path | None]:
        """Copy the extensions whose libraries are all there; returns those libraries."""
        found = self.libraries.closure([original.program])
        into.mkdir(parents=True, exist_ok=True)
        for path in sorted(original.extensions.glob("*.so")):
            if any(path.match(pattern) for pattern in _EXTENSIONS_LEFT_OUT):
                continue
            needed = self.libraries.closure([path], loaded_by=original.program)
            if None not in needed.values():
                shutil.copyfile(path, into / path.name)
                found |= needed
        return found

    def _compile(self, program: Path, library: Path, finally_at: PurePath) -> None:
        """Make bytecode that never looks at its source: the directory will be read-only."""
        argv: list[str | Path] = [*self.starter, program, "-sS", "-m", "compileall", "-q", "-j1"]
        argv += ["--invalidation-mode", "unchecked-hash"]
        argv += ["-s", library, "-p", str(finally_at), library]
        # The order of sets is written into the bytecode: the same for every copy.
        result = self.relocator.processes.run(argv, env={"PYTHONHASHSEED": "0"}, cwd=library)
        if result.returncode != 0:
            raise UnfitError(
                f"cannot make the bytecode of {program.name} (status {result.returncode})",
                found=(result.stdout + result.stderr).strip()[-300:],
                hint="free some disk space, or run again with --no-cache; else please report it",
            )


def copy_standard_library(source: Path, into: Path) -> None:
    """Copy a standard library without what no build needs; links become files."""

    def left_out(directory: str, names: list[str]) -> set[str]:
        here = Path(directory)
        patterns = _LEFT_OUT_AT_TOP if here == source else ()
        return {
            name
            for name in names
            if name in _LEFT_OUT
            or any(Path(name).match(pattern) for pattern in patterns)
            or (here == source and name == "lib-dynload")
            or not (here / name).exists()
        }

    shutil.copytree(source, into, ignore=left_out)
