"""Makes the image's bytecode with interpreters of the same versions that run on this host.

Bytecode depends on the CPython version only (PEP 3147), so a native interpreter makes it in
seconds where an emulated one takes minutes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aarch64_wheels.processes import Processes

#: Parts of a standard library that no build imports.
_SKIPPED = r"/(test|tests|idlelib|tkinter|turtledemo|lib2to3/tests)/"


@dataclass(frozen=True, kw_only=True)
class HostInterpreters:
    """Interpreters unpacked from packages of this host's architecture, with their own loader.

    The host's C library may be older than theirs, so they never meet it.
    """

    root: Path

    def argv(self, version: str) -> list[str]:
        """How to start CPython `version` (such as `3.13`) on this host."""
        loaders = [*self.root.glob("usr/lib*/ld-linux-*"), *self.root.glob("usr/lib/*/ld-linux-*")]
        if not loaders:
            raise UnfitError(
                "the packages of this host's architecture hold no dynamic loader",
                hint="run again with --no-cache; if it fails again, please report it",
            )
        loader = min(loaders)
        libraries = f"{loader.parent}:{self.root}/usr/lib/{_multiarch()}"
        python = self.root / "usr/bin" / f"python{version}"
        return [str(loader), "--library-path", libraries, str(python)]


def _multiarch() -> str:
    return f"{os.uname().machine}-linux-gnu"


def compile_trees(
    interpreters: HostInterpreters,
    version: str,
    root: Path,
    directories: Sequence[str],
    processes: Processes,
) -> None:
    """Compile the modules below some directories of an image's root.

    Args:
        interpreters: where native interpreters are.
        version: CPython version, such as `3.13`.
        root: the image's root on this host; code objects name paths without it.
        directories: directories in the image, such as `/usr/lib/python3.13`.
        processes: runs the interpreter, so that an interrupt ends it.

    Raises:
        UnfitError: the interpreter did not run, or a module did not compile.
    """
    argv = [*interpreters.argv(version), "-sS", "-m", "compileall", "-q", "-x", _SKIPPED]
    # Files of a layer keep their times, but not on every engine: never look at the source.
    argv += ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/"]
    argv += [f"{root}{directory}" for directory in directories]
    # The order of sets is written into the bytecode: the same for every assembly.
    result = processes.run(argv, env={"PYTHONHASHSEED": "0"}, cwd=interpreters.root)
    if result.returncode != 0:
        raise UnfitError(
            f"cannot make the bytecode of CPython {version} (status {result.returncode})",
            found=(result.stdout + result.stderr).strip()[-300:],
            hint="free some disk space, or run again with --no-cache; else please report it",
        )
