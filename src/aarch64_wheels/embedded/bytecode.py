"""Makes the image's bytecode with interpreters of the same versions that run on this host.

Bytecode depends on the CPython version only (PEP 3147), so a native interpreter makes it in
seconds where an emulated one takes minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aarch64_wheels.embedded.host_programs import HostPrograms
    from aarch64_wheels.processes import Processes

#: Parts of a standard library that no build imports.
_SKIPPED = r"/(test|tests|idlelib|tkinter|turtledemo|lib2to3/tests)/"


def compile_trees(
    programs: HostPrograms,
    version: str,
    root: Path,
    directories: Sequence[str],
    processes: Processes,
) -> None:
    """Compile the modules below some directories of an image's root.

    Args:
        programs: native interpreters, among others.
        version: CPython version, such as `3.13`.
        root: the image's root on this host; code objects name paths without it.
        directories: directories in the image, such as `/usr/lib/python3.13`.
        processes: runs the interpreter, so that an interrupt ends it.

    Raises:
        UnfitError: the interpreter did not run, or a module did not compile.
    """
    argv = [*programs.argv(f"python{version}"), "-sS", "-m", "compileall", "-q", "-x", _SKIPPED]
    # Files of a layer keep their times, but not on every engine: never look at the source.
    argv += ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/"]
    argv += [f"{root}{directory}" for directory in directories]
    # The order of sets is written into the bytecode: the same for every assembly.
    result = processes.run(argv, env={"PYTHONHASHSEED": "0"}, cwd=programs.root)
    if result.returncode != 0:
        raise UnfitError(
            f"cannot make the bytecode of CPython {version} (status {result.returncode})",
            found=(result.stdout + result.stderr).strip()[-300:],
            hint="free some disk space, or run again with --no-cache; else please report it",
        )
