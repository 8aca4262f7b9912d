"""Makes the image's bytecode with interpreters of the same versions that run on this host.

Bytecode depends on the CPython version only (PEP 3147), so a native interpreter makes it in
seconds where an emulated one takes minutes.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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
        loader = next(iter(sorted(self.root.glob("usr/lib*/ld-linux-*.so.*"))), None) or next(
            iter(sorted(self.root.glob("usr/lib/*/ld-linux-*.so.*")))
        )
        libraries = f"{loader.parent}:{self.root}/usr/lib/{_multiarch()}"
        python = self.root / "usr/bin" / f"python{version}"
        return [str(loader), "--library-path", libraries, str(python)]


def _multiarch() -> str:
    return f"{os.uname().machine}-linux-gnu"


def compile_trees(
    interpreters: HostInterpreters, version: str, root: Path, directories: Sequence[str]
) -> None:
    """Compile the modules below some directories of an image's root.

    Args:
        interpreters: where native interpreters are.
        version: CPython version, such as `3.13`.
        root: the image's root on this host; code objects name paths without it.
        directories: directories in the image, such as `/usr/lib/python3.13`.

    Raises:
        UnfitError: the interpreter did not run. A module that does not compile is not an
            error: standard libraries hold some on purpose.
    """
    argv = [*interpreters.argv(version), "-sS", "-m", "compileall", "-q", "-x", _SKIPPED]
    # Files of a layer keep their times, but not on every engine: never look at the source.
    argv += ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/"]
    argv += [f"{root}{directory}" for directory in directories]
    result = subprocess.run(
        argv,
        # The order of sets is written into the bytecode: the same for every assembly.
        env={"PYTHONHASHSEED": "0"},
        cwd=interpreters.root,
        capture_output=True,
        text=True,
        check=False,
    )
    compiled = root / directories[0].lstrip("/") / "__pycache__"
    if not compiled.is_dir():
        raise UnfitError(
            f"cannot make the bytecode of CPython {version}",
            found=(result.stderr or result.stdout).strip()[-300:],
            hint="run again with --no-cache; if it fails again, please report it",
        )
