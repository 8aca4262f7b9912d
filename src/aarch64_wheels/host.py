"""Processes of the host: one `call`, root rights, and the distribution's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from aarch64_wheels.errors import CommandError, UnfitError
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.engine.api import LineSink

TAIL_LINES = 30
Which = Callable[[str], str | None]


def call(
    argv: Sequence[str | Path],
    *,
    sink: LineSink,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
) -> None:
    """Run a program of the host, giving each line of its output to `sink`.

    An exception of `sink` or an interrupt ends the program and all that it has started.

    Args:
        argv: the program and its arguments; no shell looks at them.
        sink: takes the lines of stdout and stderr.
        cwd: the directory to run in.
        env: variables on top of the process's own.
        stdin: what it reads from its standard input (a few KiB at most).

    Raises:
        CommandError: it ended with a status other than 0, or could not be started (127).
    """
    words = tuple(str(word) for word in argv)
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with ExitStack() as stack:
        start = Processes().started(
            words,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            stdin=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            child = stack.enter_context(start)
        except OSError as error:
            raise CommandError(words, 127, str(error)) from None
        _feed(child, stdin)
        _follow(child, sink, tail)
    if child.returncode:
        raise CommandError(words, child.returncode, "\n".join(tail))


def _feed(child: subprocess.Popen[bytes], data: bytes) -> None:
    if child.stdin is None:  # cannot be: it is a pipe
        return
    # A child need not read what it is given: its status says whether that is well.
    with suppress(BrokenPipeError):
        child.stdin.write(data)
    with suppress(BrokenPipeError):
        child.stdin.close()


def _follow(child: subprocess.Popen[bytes], sink: LineSink, tail: deque[str]) -> None:
    for raw in child.stdout or ():
        line = raw.decode(errors="replace").rstrip("\r\n").rpartition("\r")[2]
        tail.append(line)
        sink(line)


def as_root(
    argv: Sequence[str], *, euid: int | None = None, which: Which = shutil.which
) -> list[str]:
    """Give the command as root runs it: as it is for root, behind `sudo -n` for anybody else.

    Raises:
        UnfitError: neither root nor sudo; says what to run.
    """
    if (os.geteuid() if euid is None else euid) == 0:
        return list(argv)
    if which("sudo") is None:
        raise UnfitError(
            "root rights are needed, and there is no sudo",
            hint=f"run as root: {' '.join(argv)}",
        )
    return ["sudo", "-n", *argv]


def write_as_root(path: Path, content: bytes) -> None:
    """Write to a file of the kernel or the system, as root.

    Raises:
        OSError, CommandError: it did not work. UnfitError: neither root nor sudo.
    """
    if os.geteuid() == 0:
        path.write_bytes(content)
    else:
        call(as_root(["tee", str(path)]), sink=lambda _line: None, stdin=content)


def apt_has(packages: Sequence[str]) -> bool:
    """Tell whether all these packages can be installed, as far as apt's present lists say."""
    try:
        call(["apt-cache", "show", "--quiet", *packages], sink=lambda _line: None)
    except CommandError:
        return False
    return True


def apt_install(packages: Sequence[str], sink: LineSink, *, which: Which = shutil.which) -> None:
    """Install packages of Debian or Ubuntu, without what they only recommend.

    Raises:
        UnfitError: no apt here, no root rights, or apt's last words.
    """
    names = " ".join(packages)
    if which("apt-get") is None:
        raise UnfitError(
            f"cannot install {names}: only apt systems (Debian, Ubuntu) are supported",
            hint="install the same programs with the system's own package manager",
        )
    sink(f"installing with apt: {names}")
    options = ["-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
    # Through `env`, for sudo does not pass variables on.
    prefix = ["env", "DEBIAN_FRONTEND=noninteractive"]
    try:
        call(as_root([*prefix, "apt-get", "update", "--quiet"]), sink=sink)
        call(as_root([*prefix, "apt-get", "install", *options, *packages]), sink=sink)
    except CommandError as error:
        raise UnfitError(
            f"cannot install {names}",
            found=error.tail.splitlines()[-1] if error.tail else error.what,
            hint=f"install it by hand: apt-get install {names}",
        ) from None
