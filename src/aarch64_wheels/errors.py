"""The errors a user can meet, and the exit code each of them ends with.

Every error says what was tried, what was found and what to do next; `cli.main`
is the only place that catches them (exit codes: the table in README.md).
"""

from __future__ import annotations

import enum
from typing import ClassVar

from aarch64_wheels.crash import CRASHES, describe_ending, signal_of
from aarch64_wheels.redaction import redact_logins
from aarch64_wheels.text import indented, one_line


class ExitCode(enum.IntEnum):
    """What the command's exit status means."""

    OK = 0
    TARGET_FAILED = 1
    USAGE = 2
    UNFIT = 3
    PUBLISH = 4


class AarchWheelsError(Exception):
    """Base of every error that is told to the user without a traceback.

    It gets into logs and reports, and commands and what they print may hold a login of an index:
    in all of its texts, URLs lose theirs.

    Args:
        what: what was tried and how it ended, one line.
        found: the evidence (a tool's own words, a list of what there is), may be empty; of
            several lines, all but the first are shown indented.
        hint: the next step for the user, one line.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.TARGET_FAILED

    def __init__(self, what: str, *, found: str = "", hint: str = "") -> None:
        self.what, self.found, self.hint = map(redact_logins, (what, found, hint))
        super().__init__(self.what)

    def __str__(self) -> str:
        # Parts of it come from sources and servers: none may pass for a line of ours, or
        # for a workflow command.
        lines = [one_line(self.what)]
        if self.found:
            lines.append(f"found: {indented(self.found)}")
        if self.hint:
            lines.append(f"next: {one_line(self.hint)}")
        return "\n".join(lines)


class UsageError(AarchWheelsError):
    """Bad usage or configuration: a value, a selector, a source that is not one."""

    exit_code = ExitCode.USAGE


class UnfitError(AarchWheelsError):
    """The environment cannot do the work: engine, QEMU, image, disk, output directory."""

    exit_code = ExitCode.UNFIT


class PublishError(AarchWheelsError):
    """Files could not be published, or must not be as they are."""

    exit_code = ExitCode.PUBLISH


class StageError(AarchWheelsError):
    """One stage of one target failed; the other targets go on."""

    exit_code = ExitCode.TARGET_FAILED


class TimedOutError(StageError):
    """A stage took too long, or said nothing for too long; nothing of it runs any more."""


class CommandError(StageError):
    """A command in a container ended with a status other than 0.

    Args:
        argv: the command as it was run, logins and all.
        status: its exit status (128 + N after signal N).
        tail: the last lines it printed.
        emulated: it ran under QEMU, which may itself be why it crashed.
    """

    def __init__(
        self, argv: tuple[str, ...], status: int, tail: str, *, emulated: bool = False
    ) -> None:
        ending, hint = describe_ending(status, emulated=emulated)
        super().__init__(f"`{' '.join(argv)}` {ending}", found=tail, hint=hint)
        self.argv = argv
        self.status = status
        self.emulated = emulated

    @property
    def tail(self) -> str:
        """The last lines it printed, without logins."""
        return self.found

    @property
    def signal(self) -> str:
        """The signal that ended it (`SIGSEGV`), empty if none did; see `crash.signal_of`."""
        return signal_of(self.status)


def is_crash(error: BaseException) -> bool:
    """Tell whether an emulated command crashed: QEMU's doing, maybe, and worth another try."""
    return isinstance(error, CommandError) and error.emulated and error.signal in CRASHES
