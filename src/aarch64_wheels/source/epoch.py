"""When a source was made, and from which commit: its time, or that of an sdist's newest file."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from calendar import timegm
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.gitfiles import GIT
from aarch64_wheels.processes import Processes
from aarch64_wheels.source.git import without_local

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Nothing is asked of a server for a commit that is not there, whatever the repository says.
_ALONE = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
#: In a container the project often belongs to another user, which git refuses ("dubious ownership")
#: for what it might run there; to read an object it runs nothing.
_ANYONES = ("-c", "safe.directory=*")
_NAME = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
#: Of a commit's header; the message comes after an empty line.
_COMMITTER = re.compile(r"^committer [^\n]*> (\d{1,19}) [+-]\d{4}$", re.MULTILINE)


def commit_epoch(root: Path, environ: Mapping[str, str]) -> int | None:
    """Say when the commit that a repository is at was made; None if that cannot be known.

    Args:
        root: the project. It may be hostile: git only reads one object, and runs nothing for it.
        environ: the process's variables.
    """
    header, _, _ = _asked(root, environ, "cat-file", "commit", "HEAD").partition("\n\n")
    found = _COMMITTER.search(header)
    return int(found[1]) if found else None


def commit_name(root: Path, environ: Mapping[str, str]) -> str:
    """Give the full name of the commit that a repository is at; empty if that cannot be known.

    Args:
        root: the project; see `commit_epoch`.
        environ: the process's variables.
    """
    found = _asked(root, environ, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()
    return found if _NAME.fullmatch(found) else ""


def _asked(root: Path, environ: Mapping[str, str], *words: str) -> str:
    """Give what git says of the project's own repository; empty if there is none."""
    if not os.path.lexists(root / GIT):
        return ""
    # Where what is there is no repository, git must not take one around it.
    ceiling = {"GIT_CEILING_DIRECTORIES": str(root.resolve().parent)}
    variables = {**without_local(environ), **_ALONE, **ceiling}
    with Processes() as processes:
        done = processes.run(["git", *_ANYONES, *words], env=variables, cwd=root)
    return done.stdout if done.returncode == 0 else ""


def sdist_epoch(file: Path, root: Path) -> int | None:
    """Say when the newest file of an sdist was made; None if there is none with a time.

    Args:
        file: the sdist.
        root: what was unpacked from it, with the times that a tar has.
    """
    times = _zip_times(file) if file.name.lower().endswith(".zip") else _times_below(root)
    return max(times, default=None)


def _zip_times(file: Path) -> Iterator[int]:
    """Give a zip's times, which have no time zone: all hosts must take them for the same."""
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            with suppress(ValueError):  # the zeros of a program that knows no time
                yield timegm((*member.date_time, 0, 0, 0))


def _times_below(root: Path) -> Iterator[int]:
    for top, _, names in os.walk(root):
        for status in (Path(top, name).lstat() for name in names):
            if stat.S_ISREG(status.st_mode):
                yield int(status.st_mtime)
