"""Child processes that end when this one is interrupted, whichever thread started them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

#: Seconds a child has to end by itself after SIGTERM, before SIGKILL.
GRACE = 5.0


class Processes:
    """The children that some threads run, so that another thread can end them all.

    A thread that waits for its child sees no signal, only the main thread does. Leave this
    before the pool, for leaving the pool waits for its threads:

        with ThreadPoolExecutor() as pool, Processes() as processes:
            list(pool.map(partial(work, processes), things))
    """

    def __init__(self) -> None:
        # Re-entrant: a signal's exception may be handled in the thread that holds it.
        self._lock = threading.RLock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill_all()

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, in any thread, as `subprocess.run` with `check=False`.

        Args:
            argv: the program and its arguments; no shell looks at them.
            env: all of its variables; this process's own if None.
            cwd: the directory to run in.
            stdin: a file or pipe it reads from; empty if None.
            stdout: a file for both its stdout and its stderr; if None, they are captured apart.

        Returns:
            The status (-N after signal N, 127 if it could not be started: stderr says why).

        Raises:
            CancelledError: `kill_all` was called before.
        """
        words = [str(word) for word in argv]
        other = subprocess.PIPE if stdout is None else subprocess.STDOUT
        try:
            with self.started(
                words, env=env, cwd=cwd, stdin=stdin, stdout=stdout, stderr=other
            ) as child:
                texts = [_text(data) for data in child.communicate()]
        except OSError as error:
            return subprocess.CompletedProcess(words, 127, "", str(error))
        return subprocess.CompletedProcess(words, child.returncode, *texts)

    @contextmanager
    def started(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: IO[bytes] | int | None = None,
        stdout: IO[bytes] | int | None = None,
        stderr: IO[bytes] | int | None = None,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a program in a process group of its own; its end is waited for on leaving.

        An exception, and so an interrupt, ends the whole group first. `stdin` is empty and
        `stdout` a pipe if None, `stderr` goes where this process's goes.

        Raises:
            CancelledError: `kill_all` was called before. OSError: it could not be started.
        """
        with self._lock:
            if self._over:
                raise CancelledError("the run was interrupted")
            child = subprocess.Popen(
                [str(word) for word in argv],
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE if stdout is None else stdout,
                stderr=stderr,
                process_group=0,
            )
            self._running.add(child)
        try:
            with child:
                try:
                    yield child
                except BaseException:
                    _end([child])
                    raise
        finally:
            with self._lock:
                self._running.discard(child)

    def kill_all(self) -> None:
        """End every child with all it has started, and let none start from now on."""
        with self._lock:
            self._over = True
            running = tuple(self._running)
        _end(running)


def _end(children: Iterable[subprocess.Popen[bytes]]) -> None:
    """Ask the process groups to end; kill what has not after `GRACE` seconds."""
    running = [child for child in children if child.poll() is None]
    for child in running:
        _signal_group(child.pid, signal.SIGTERM)
    patience = time.monotonic() + GRACE
    try:
        while any(child.poll() is None for child in running) and time.monotonic() < patience:
            time.sleep(0.02)
    finally:  # a second interrupt is impatience
        for child in running:
            # Also where the leader has ended: others of its group may hold its pipes open.
            _signal_group(child.pid, signal.SIGKILL)


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return
    except PermissionError:  # it is behind sudo, so sudo has to ask it
        argv = ["sudo", "-n", "kill", "-s", number.name.removeprefix("SIG"), "--", f"-{group}"]
        with suppress(OSError):
            subprocess.run(argv, capture_output=True, check=False)


def _text(data: bytes | None) -> str:
    return (data or b"").decode(errors="replace")
