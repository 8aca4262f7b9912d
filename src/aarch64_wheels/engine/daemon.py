"""Installing and starting an engine where there is none (`doctor --fix`)."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.engine import access
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
PAUSE = 0.5
_TAIL_LINES = 8


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The engine that is to answer: which, the process's variables, our own dockerd's log."""

    name: EngineName
    environ: Mapping[str, str]
    log: Path


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
        if access.is_denied():
            raise access.denied_error(error.found) from None
    if shutil.which("dockerd") is None:
        apt_install([PACKAGE], sink)
    return start_engine(Wanted(name=name, environ=environ, log=cache_dir / "dockerd.log"), sink)


def start_engine(wanted: Wanted, sink: LineSink) -> Engine:
    """Start Docker: by systemd where it runs, else as a process that outlives this one.

    Raises:
        UnfitError: it does not answer in time.
    """
    if SYSTEMD.is_dir():
        _start_unit(sink)
        if access.is_denied():
            access.grant(sink)
        return _wait(wanted, None)
    return _wait(wanted, _start_process(wanted.log, sink))


def _start_process(log: Path, sink: LineSink) -> subprocess.Popen[bytes]:
    group = access.own_group()
    opened = f" (the group {group} may use it)" if group else ""
    sink(f"starting dockerd{opened}, its log is {log}")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            as_root(["dockerd", *(["--group", group] if group else [])]),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # It outlives us; if it ends before, it is buried.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


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


def _wait(wanted: Wanted, process: subprocess.Popen[bytes] | None) -> Engine:
    """Wait until an engine answers. One that the package has started by itself is fine too."""
    end = time.monotonic() + PATIENCE
    was_denied = False
    while True:
        try:
            return connect(wanted.name, wanted.environ)
        except UnfitError as error:
            denied = access.is_denied()
            if denied and was_denied:  # once: dockerd opens its socket a moment after making it
                raise access.denied_error(error.found) from None
            was_denied = denied
            if process is not None and process.poll() is not None:
                # A second dockerd gives way to the first, which may still be starting.
                end = min(end, time.monotonic() + 5)
                process = None
            if time.monotonic() > end:
                raise _silent(wanted.log, error) from None
        time.sleep(PAUSE)


def _silent(log: Path, error: UnfitError) -> UnfitError:
    return UnfitError(
        "the engine was started and does not answer",
        found=tail(log) or error.found,
        hint=f"see {log}" if log.exists() else "see the engine's own log",
    )


def tail(log: Path) -> str:
    """Give the last lines of a log, empty if there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
    except OSError:
        return ""
