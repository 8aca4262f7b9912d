"""Who may use Docker's socket. Whoever may is as good as root, so it is opened to few."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.errors import CommandError, UnfitError
from aarch64_wheels.host import as_root, call

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import LineSink
    from aarch64_wheels.host import Which

SOCKET = Path("/var/run/docker.sock")


def is_denied(path: Path = SOCKET) -> bool:
    """Tell whether Docker's socket is there and this user may not use it."""
    try:
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect(str(path))
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def denied_error(found: str) -> UnfitError:
    """Make the error for a user who may not use Docker's socket."""
    return UnfitError(
        f"the user {user_name()} may not use Docker",
        found=found,
        hint=f"`sudo usermod -aG docker {user_name()}`, then log in again; or run this as root",
    )


def grant(sink: LineSink, *, path: Path = SOCKET, which: Which = shutil.which) -> None:
    """Open Docker's socket to this user and nobody else, until the service starts again.

    Joining the group `docker` would only count from the next login on.

    Raises:
        UnfitError: it could not be done.
    """
    user = str(os.geteuid())
    lists = [["setfacl", "-m", f"u:{user}:rw", str(path)]] if which("setfacl") else []
    # Its group stays as it is, and root needs no owner's rights.
    words = ""
    for argv in [*lists, ["chown", user, str(path)]]:
        sink(f"opening {path} to the user {user_name()} until Docker restarts: {' '.join(argv)}")
        try:
            return call(as_root(argv, which=which), sink=sink)
        except CommandError as error:
            words = error.tail or error.what
    raise denied_error(words)


def own_group() -> str | None:
    """Name the primary group of this user, None for root, who needs none."""
    if os.geteuid() == 0:
        return None
    try:
        return grp.getgrgid(os.getgid()).gr_name
    except KeyError:  # a user of a container, or of a directory that does not answer
        return str(os.getgid())


def user_name() -> str:
    """Name this user."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
