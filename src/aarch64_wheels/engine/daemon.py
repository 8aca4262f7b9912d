"""Installing and starting an engine where there is none (`doctor --fix`)."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.errors import CommandError, UnfitError
from aarch64_wheels.host import apt_install, as_root, call
from aarch64_wheels.settings.schema import EngineName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.engine.api import LineSink

PACKAGE = "docker.io"
#: There if and only if systemd runs as the init system (sd_booted(3)).
SYSTEMD = Path("/run/systemd/system")
#: Seconds for a first start, which sets up the engine's storage.
PATIENCE = 90
_TAIL_LINES = 8


def provide_engine(
    name: EngineName, environ: Mapping[str, str], cache_dir: Path, sink: LineSink
) -> Engine:
    """Give the engine that answers; install Docker and start it if none does.

    Raises:
        UnfitError: an engine is there but this user may not use it; nothing can be
            installed; the engine does not start (with the end of its log).
    """
    try:
        return connect(name, environ)
    except UnfitError as error:
        # Installing another engine would not help against these.
        if name is EngineName.PODMAN or environ.get("DOCKER_HOST"):
            raise
        if "permission denied" in error.found:
            raise UnfitError(
                error.what,
                found=error.found,
                hint="add the user to the group `docker` and log in again, or use sudo",
            ) from None
    if shutil.which("dockerd") is None:
        apt_install([PACKAGE], sink)
    return start_engine(name, environ, cache_dir / "dockerd.log", sink)


def start_engine(name: EngineName, environ: Mapping[str, str], log: Path, sink: LineSink) -> Engine:
    """Start Docker: by systemd where it runs, else as a process that outlives this one.

    Raises:
        UnfitError: it does not answer in time.
    """
    if SYSTEMD.is_dir():
        _start_unit(sink)
        return _wait(name, environ, None, log)
    sink(f"starting dockerd, its log is {log}")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            as_root(["dockerd"]),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # It outlives us; if it ends before, it is buried.
    threading.Thread(target=process.wait, daemon=True).start()
    return _wait(name, environ, process, log)


def _start_unit(sink: LineSink) -> None:
    sink("starting the service docker")
    try:
        call(as_root(["systemctl", "start", "docker"]), sink=sink)
    except CommandError as error:
        raise UnfitError(
            "the service docker does not start",
            found=error.tail,
            hint="its log: journalctl -u docker",
        ) from None


def _wait(
    name: EngineName,
    environ: Mapping[str, str],
    process: subprocess.Popen[bytes] | None,
    log: Path,
) -> Engine:
    """Wait until an engine answers. One that the package has started by itself is fine too."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return connect(name, environ)
        except UnfitError as error:
            ended = process is not None and process.poll() is not None
            if ended:  # a second dockerd gives way to the first, which may still be starting
                end = min(end, time.monotonic() + 5)
                process = None
            if time.monotonic() > end:
                raise UnfitError(
                    "the engine was started and does not answer",
                    found=tail(log) or error.found,
                    hint=f"see {log}" if log.exists() else "see the engine's own log",
                ) from None
        time.sleep(0.5)


def tail(log: Path) -> str:
    """Give the last lines of a log, empty if there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
    except OSError:
        return ""
