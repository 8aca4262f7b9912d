"""Makes x86-64 programs and libraries find their loader and each other below /native.

A library's own DT_RUNPATH hides the program's DT_RPATH from what it loads, so whatever has one
gets a DT_RPATH instead; and DT_RPATH goes before LD_LIBRARY_PATH, which names aarch64
directories in manylinux images.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.native.places import LIBRARIES, LOADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aarch64_wheels.processes import Processes

_MAGIC = b"\x7fELF"


@dataclass(frozen=True, kw_only=True)
class Dynamic:
    """What the dynamic linker reads of an x86-64 file.

    `search` are the directories of DT_RUNPATH or else DT_RPATH, as written.
    """

    needed: tuple[str, ...] = ()
    search: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a file; None if it is no 64-bit x86-64 ELF file with dynamic linking."""
        with path.open("rb") as stream:
            if stream.read(4) != _MAGIC:
                return None
            stream.seek(0)
            try:
                return cls._of(ELFFile(stream))
            # pyelftools lets these through on headers that point outside the file.
            except (ELFError, KeyError, IndexError, TypeError, OverflowError, UnicodeError):
                return None

    @classmethod
    def _of(cls, elf: ELFFile) -> Self | None:
        tables: list[Any] = [row for row in elf.iter_segments() if isinstance(row, DynamicSegment)]
        if elf.header["e_machine"] != "EM_X86_64" or elf.elfclass != 64 or not tables:  # noqa: PLR2004
            return None
        tags = list(tables[0].iter_tags())
        by_name = {tag.entry.d_tag: tag for tag in tags}
        runpath = by_name.get("DT_RUNPATH")
        rpath = by_name.get("DT_RPATH")
        search = runpath.runpath if runpath else rpath.rpath if rpath else ""
        return cls(
            needed=tuple(tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"),
            search=tuple(word for word in search.split(":") if word),
        )


@dataclass(frozen=True, kw_only=True)
class Libraries:
    """Where shared libraries are on this host.

    Attributes:
        directories: searched in this order, after a file's own DT_RPATH or DT_RUNPATH.
        root: what absolute links and search paths are relative to.
        read: what `Dynamic.read` says, asked once for each file, for reading ELF is slow.
    """

    directories: tuple[Path, ...]
    root: Path = Path("/")
    read: Callable[[Path], Dynamic | None] = field(
        default_factory=lambda: cache(Dynamic.read), repr=False, compare=False
    )

    def find(self, name: str, extra: Iterable[Path] = ()) -> Path | None:
        """Find a library by its DT_NEEDED name; the file, links followed."""
        for directory in (*extra, *self.directories):
            path = self.resolve(directory / name)
            if path is not None and self.read(path) is not None:
                return path
        return None

    def resolve(self, path: Path) -> Path | None:
        """Follow links as if `root` were the file system's; None if they lead to no file."""
        for _ in range(16):
            if not path.is_symlink():
                break
            aim = path.readlink()
            inside = self.root / str(aim).lstrip("/")
            path = inside if aim.is_absolute() else path.parent / aim
        return path if path.is_file() else None

    def closure(
        self, start: Iterable[Path], loaded_by: Path | None = None
    ) -> dict[str, Path | None]:
        """Find all that some files need, and what that needs; None for what is not there.

        Args:
            start: programs and libraries; they are no part of the result.
            loaded_by: the program that loads them: its search path counts, too.
        """
        found: dict[str, Path | None] = {}
        outer = self._own_directories(loaded_by) if loaded_by else ()
        queue: list[tuple[Path, tuple[Path, ...]]] = [(path, outer) for path in start]
        while queue:
            path, inherited = queue.pop()
            own = (*self._own_directories(path), *inherited)
            for name in (self.read(path) or Dynamic()).needed:
                if name not in found:
                    found[name] = self.find(name, own)
                    if library := found[name]:
                        queue.append((library, own))
        return found

    def _own_directories(self, path: Path) -> tuple[Path, ...]:
        places = []
        for word in (self.read(path) or Dynamic()).search:
            if word.startswith(("$ORIGIN", "${ORIGIN}")):
                rest = word.removeprefix("$ORIGIN").removeprefix("${ORIGIN}")
                places.append(Path(os.path.normpath(f"{path.parent}/{rest}")))
            else:
                places.append(self.root / word.lstrip("/"))
        return tuple(places)


def copy_libraries(found: Mapping[str, Path | None], into: Path) -> None:
    """Copy libraries under the names by which they are asked for; what is None is left out."""
    into.mkdir(parents=True, exist_ok=True)
    for name, path in sorted(found.items()):
        if path is not None:
            shutil.copyfile(path, into / name)
            (into / name).chmod(0o755)


@dataclass(frozen=True, kw_only=True)
class Relocator:
    """Rewrites loader and search path of what lies below a directory that becomes a prefix."""

    patchelf: Path
    processes: Processes

    def program(self, path: Path) -> None:
        """Let a program in a `bin` directory find the native loader and libraries."""
        self._patch(path, f"$ORIGIN/../lib:{LIBRARIES}", "--set-interpreter", str(LOADER))

    def libraries(self, paths: Iterable[Path], directory: Path) -> None:
        """Let libraries that have a search path of their own look in `directory` as well.

        One that has none is served by the DT_RPATH of the program that loads it.
        """
        for path in paths:
            dynamic = Dynamic.read(path)
            if dynamic is not None and dynamic.search:
                up = os.path.relpath(directory, path.parent)
                place = "$ORIGIN" if up == "." else f"$ORIGIN/{up}"
                self._patch(path, f"{place}:{LIBRARIES}")

    def _patch(self, path: Path, rpath: str, *options: str) -> None:
        path.chmod(0o755)
        argv: list[str | Path] = [
            self.patchelf,
            *options,
            "--force-rpath",
            "--set-rpath",
            rpath,
            path,
        ]
        result = self.processes.run(argv)
        if result.returncode != 0:
            raise UnfitError(
                f"patchelf cannot prepare {path.name} (status {result.returncode})",
                found=(result.stdout + result.stderr).strip()[-300:],
                hint="free some disk space in the cache directory; else please report it",
            )
