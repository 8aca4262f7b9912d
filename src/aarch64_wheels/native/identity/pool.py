"""Runs steps of a build in forked processes, as if they had run one after the other.

What a step prints is held back until all before it have printed theirs, and the first error in
the steps' order is the one that is raised. Forks rather than threads, because distutils and its
subclasses keep what they do in attributes.
"""

from __future__ import annotations

import os
import pickle
import select
import sys
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Step = Callable[[], object]


class Slots:
    """How many more processes may work, shared by all forks of a build (as make's job server is).

    Every process has one slot without asking; there are `count` in all.
    """

    def __init__(self, count: int) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        for _ in range(count - 1):
            self.give()

    @property
    def reader(self) -> int:
        """Becomes readable when a slot is free."""
        return self._reader

    def take(self) -> bool:
        """Take a slot if one is free."""
        try:
            return bool(os.read(self._reader, 1))
        except BlockingIOError:
            return False

    def give(self) -> None:
        """Give a slot back."""
        os.write(self._writer, b"+")


class Unsaid(Exception):  # noqa: N818 - nobody but this package ever sees it
    """A step has failed, with an error that cannot be told to another process."""


class _Child:
    """A forked step: its process, what it prints, and the pipe that tells how it ended."""

    def __init__(self, step: Step) -> None:
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 - it outlives this function
        self.reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.reader)
            self._work(step, writer)
        os.close(writer)
        self.error: BaseException | None = None
        self.is_done = False

    def _work(self, step: Step, writer: int) -> None:
        """Run the step and leave: nothing of the parent's clean-up is this process's business."""
        status = 1
        try:
            os.dup2(self.output.fileno(), 1)
            os.dup2(self.output.fileno(), 2)
            with open(writer, "wb") as answer:
                answer.write(_outcome(step))
            status = 0
        finally:
            os._exit(status)

    def finish(self) -> None:
        """Learn how it ended; to be called when `reader` is readable."""
        with open(self.reader, "rb") as answer:  # noqa: PTH123
            told = answer.read()
        _, status = os.waitpid(self.pid, 0)
        if told:
            self.error = pickle.loads(told)  # noqa: S301 - from our own fork
        else:
            self.error = ChildProcessError(f"a step of the build ended with status {status}")
        self.is_done = True

    def replay(self) -> None:
        """Print what it has printed, and forget it."""
        self.output.seek(0)
        with self.output:
            data = self.output.read()
        while data:
            data = data[os.write(1, data) :]


def _outcome(step: Step) -> bytes:
    """Run a step; gives its error, or None, for the parent."""
    error: BaseException | None = None
    try:
        step()
    except BaseException as raised:  # noqa: BLE001 - the parent raises it
        error = raised
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        told = pickle.dumps(error)
        pickle.loads(told)  # noqa: S301 - it is ours
    except Exception:  # noqa: BLE001 - whatever an error's own pickling raises
        return pickle.dumps(Unsaid())
    return told


class Run:
    """One round of steps, none of which needs another.

    Args:
        steps: what to do.
        slots: limits how many work at once.
        show_failed: print what the steps that failed have printed, too.
    """

    def __init__(self, steps: Sequence[Step], slots: Slots, *, show_failed: bool = True) -> None:
        self._waiting = list(steps)
        self._slots = slots
        self._show_failed = show_failed
        self._started: list[_Child] = []
        self._shown = 0

    def errors(self) -> list[BaseException | None]:
        """Run them; after a failure none is started any more.

        Returns:
            The error, or None, of each step that was started, in the steps' order.
        """
        sys.stdout.flush()
        sys.stderr.flush()
        while self._running or self._may_start():
            while self._may_start() and (not self._running or self._slots.take()):
                self._started.append(_Child(self._waiting.pop(0)))
            self._wait()
            self._show()
        return [child.error for child in self._started]

    @property
    def _running(self) -> list[_Child]:
        return [child for child in self._started if not child.is_done]

    def _may_start(self) -> bool:
        return bool(self._waiting) and not any(child.error for child in self._started)

    def _wait(self) -> None:
        running = self._running
        wanted = [child.reader for child in running]
        if self._may_start():
            wanted.append(self._slots.reader)
        ready, _, _ = select.select(wanted, [], [])
        for child in running:
            if child.reader in ready:
                child.finish()
                if self._running:  # the last one has worked in this process's own slot
                    self._slots.give()

    def _show(self) -> None:
        """Print the output of all that are done, up to the first that is not."""
        while self._shown < len(self._started) and self._started[self._shown].is_done:
            child = self._started[self._shown]
            if self._show_failed or not child.error:
                child.replay()
            self._shown += 1
