"""Fetches the verified .deb files that the embedded image is made of.

mmdebstrap is used for what it knows (a suite's mirror, its keyring, apt's configuration for
another architecture); no root rights are needed, since nothing is installed by it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.locking import exclusive

if TYPE_CHECKING:
    from aarch64_wheels.embedded.recipe import PackageSet
    from aarch64_wheels.processes import Processes

_DONE = "release"
_SOURCE = "source"


def host_architecture() -> str:
    """Debian's name for this host's architecture."""
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def fetch_set(packages: PackageSet, directory: Path, processes: Processes) -> tuple[Path, ...]:
    """Fetch the packages of one set, or reuse what an earlier run has fetched completely.

    Args:
        packages: the set.
        directory: the set's own directory; gets the .deb files, a file `release` with the
            SHA-256 of the suite's release files, and a file `source` with apt's line for the suite.
            Other processes may ask for the same set.
        processes: runs mmdebstrap, so that an interrupt ends it.

    Raises:
        UnfitError: mmdebstrap or apt failed; the log stays at `<directory>.log`.
    """
    with exclusive(directory.with_name(f"{directory.name}.lock"), lambda _text: None):
        if not is_fetched(directory):
            draft = directory.with_name(f"{directory.name}.partial")
            for path in (directory, draft):
                shutil.rmtree(path, ignore_errors=True)
            _run_mmdebstrap(packages, draft, processes)
            draft.replace(directory)
    return tuple(sorted(directory.glob("*.deb")))


def is_fetched(directory: Path) -> bool:
    """Tell whether a set was fetched completely."""
    return (directory / _DONE).is_file()


def release_of(directory: Path) -> str:
    """Give the hash of the release files that a fetched set came with."""
    # As `sha256sum` writes it: the hash, and the name of what it read.
    return (directory / _DONE).read_text(encoding="ascii").partition(" ")[0].strip()


def source_of(directory: Path) -> tuple[str, str]:
    """Give the mirror and the suite that a fetched set came from, as apt's sources name them.

    Raises:
        UnfitError: the set was fetched by a version that did not keep them.
    """
    path = directory / _SOURCE
    words = re.sub(r"\[[^]]*]", "", path.read_text("utf-8") if path.is_file() else "").split()
    if words[:1] != ["deb"] or not words[2:]:
        raise UnfitError(
            "cannot tell which mirror the Debian packages of the embedded image came from",
            found=" ".join(words) or f"no file {path}",
            hint="run again with --no-cache to fetch them anew",
        )
    return words[1], words[2]


def current_release(packages: PackageSet, cache_dir: Path, processes: Processes) -> str:
    """Ask for the hash of the release files of a set's suite as the mirror has them now.

    Raises:
        UnfitError: they cannot be fetched.
    """
    nothing = replace(packages, closure=(), alone=())
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="release-", dir=cache_dir) as scratch:
        directory = Path(scratch) / packages.name
        _run_mmdebstrap(nothing, directory, processes)
        return release_of(directory)


def _run_mmdebstrap(packages: PackageSet, directory: Path, processes: Processes) -> None:
    require_program("mmdebstrap")
    directory.parent.mkdir(parents=True, exist_ok=True)
    log = directory.with_name(directory.name.removesuffix(".partial") + ".log")
    environ = {**os.environ, **_hook_environment(packages, directory)}
    with log.open("wb") as output:
        result = processes.run(_mmdebstrap(packages), env=environ, stdout=output)
    if result.returncode != 0:
        raise _fetch_error(packages, log)


def _mmdebstrap(packages: PackageSet) -> list[str]:
    is_host = packages.architecture == "host"
    architecture = host_architecture() if is_host else packages.architecture
    return [
        "mmdebstrap",
        "--mode=chrootless",
        "--variant=extract",
        f"--architectures={architecture}",
        "--format=null",
        # A suite's release file may be past its date: testing between two runs, old suites always.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--aptopt=Acquire::Retries "3"',
        '--extract-hook=sh "$DEBS_HOOK" "$1"',
        packages.suite,
        "-",
    ]


def _hook_environment(packages: PackageSet, directory: Path) -> dict[str, str]:
    """Tell the hook what to fetch, without a shell splitting the names of directories."""
    return {
        "DEBS_HOOK": str(resources.files("aarch64_wheels.data") / "fetch-debs.sh"),
        "DEBS_INTO": str(directory),
        "DEBS_CLOSURE": " ".join(packages.closure),
        "DEBS_ALONE": " ".join(packages.alone),
    }


def require_program(name: str) -> None:
    """See that a program that assembles the image is there.

    Raises:
        UnfitError: it is not; says how to get it.
    """
    if shutil.which(name) is None:
        raise UnfitError(
            f"the embedded image needs `{name}`, which is not installed",
            hint="`aarch64-wheels doctor --fix` installs it (a package of Debian and Ubuntu)",
        )


def _fetch_error(packages: PackageSet, log: Path) -> UnfitError:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines if line.startswith(("E:", "Err:"))] or lines
    return UnfitError(
        f"cannot fetch the Debian packages of set {packages.name!r} ({packages.suite})",
        found="; ".join(errors[-3:]),
        hint=f"check the network and proxy settings; the whole log is {log}",
    )
