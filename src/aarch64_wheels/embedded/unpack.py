"""Unpacks .deb files into a directory: no root rights, no maintainer scripts."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from aarch64_wheels.embedded.fetch import require_program
from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aarch64_wheels.processes import Processes

#: What a build image has no use for. Licences (usr/share/doc/*/copyright) stay.
_LEFT_OUT = (
    "./usr/share/doc/*/changelog*",
    "./usr/share/doc/*/NEWS*",
    "./usr/share/doc/*/README*",
    "./usr/share/info/*",
    "./usr/share/lintian/*",
    "./usr/share/locale/*",
    "./usr/share/man/*",
    "./usr/share/bug/*",
    "./usr/bin/*-lto-dump-*",
    # A manylinux image has no libpython to link with either (PEP 513).
    "./usr/lib/python3*/config-*/libpython*.a",
    "./usr/lib/*/libpython3*.a",
    "./usr/lib/*/libpython3*.so",
    # The interpreters are ours to install into, not a distribution's (PEP 668).
    "./usr/lib/python3*/EXTERNALLY-MANAGED",
)


def prepare_root(root: Path) -> None:
    """Make the directories of a merged-usr system, which the unpacked files then follow."""
    for name in ("bin", "sbin", "lib"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        link = root / name
        if not link.is_symlink():
            link.symlink_to(f"usr/{name}")


def unpack(debs: Iterable[Path], root: Path, processes: Processes) -> None:
    """Unpack packages into `root`; links to directories that are there already stay.

    Raises:
        UnfitError: a file is not a whole .deb, the disk is full, or dpkg-deb is missing.
    """
    require_program("dpkg-deb")
    root.mkdir(parents=True, exist_ok=True)
    for deb in debs:
        _unpack_one(deb, root, processes)


def _unpack_one(deb: Path, root: Path, processes: Processes) -> None:
    with (
        tempfile.TemporaryFile() as words,
        processes.started(["dpkg-deb", "--fsys-tarfile", deb], stderr=words) as data,
    ):
        result = processes.run(_tar(root), stdin=data.stdout)
        if data.stdout:  # or dpkg-deb would wait for ever for a tar that ended early
            data.stdout.close()
        status = data.wait()
        words.seek(0)
        said = words.read().decode(errors="replace") + result.stderr
    if result.returncode or status:
        raise UnfitError(
            f"cannot unpack {deb.name}",
            found=said.strip()[-300:],
            hint="free some disk space, or run again with --no-cache to fetch it anew",
        )


def _tar(root: Path) -> list[str]:
    return [
        "tar",
        "--extract",
        "--file=-",
        f"--directory={root}",
        "--keep-directory-symlink",
        "--preserve-permissions",
        "--no-same-owner",
        "--delay-directory-restore",
        *(f"--exclude={pattern}" for pattern in _LEFT_OUT),
    ]
