"""Telling a build in a GitHub Actions log: groups, annotations, plain lines in between.

One object owns all workflow commands. What a build prints is put between `stop-commands`
and a random token, so that a line such as `::set-output …` in it stays a line.
"""

from __future__ import annotations

import contextlib
import secrets
import sys
import threading
import time
from typing import TYPE_CHECKING

from actions_toolkit import core
from actions_toolkit.command import issue

from aarch64_wheels.audit.model import Level
from aarch64_wheels.report import audits, compiled, wording
from aarch64_wheels.report.advice import advice
from aarch64_wheels.report.model import Status
from aarch64_wheels.text import clean, inert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from aarch64_wheels.audit.groups import Audited
    from aarch64_wheels.plan import Plan
    from aarch64_wheels.report.model import Report, Stage, StageRecord, TargetRecord

#: How much of an error an annotation shows; GitHub cuts the end off longer ones.
_MAX_ANNOTATION = 4000


class GitHubObserver:
    """Tells a build through workflow commands on standard output.

    Targets run in parallel and groups can't be nested, so a target's whole output is
    printed as one group when it ends; until then plain lines tell where it is.

    Args:
        verbose: print each line of output as it comes, too.
        stamp: the time of day, for lines.
    """

    def __init__(
        self,
        *,
        verbose: bool = False,
        stamp: Callable[[], str] = lambda: time.strftime("%H:%M:%S"),
    ) -> None:
        self._verbose = verbose
        self._stamp = stamp
        self._lock = threading.Lock()
        self._output: dict[str, list[str]] = {}

    def started(self, plan: Plan) -> None:
        """Say what will be built."""
        name = f"{plan.project} {plan.version}".strip()
        targets = ", ".join(wording.short(target.identifier) for target in plan.targets)
        self.note(f"building {name} for {targets} in {wording.places(plan)} ({plan.mode})")

    def note(self, text: str) -> None:
        """Print a line that belongs to no target."""
        with self._lock:
            self._say(text)

    def stage_started(self, target_id: str, stage: Stage) -> None:
        """Print which stage the target has come to."""
        with self._lock:
            self._say(f"[{wording.short(target_id)}] {stage}: started")
            self._output.setdefault(target_id, []).append(f"--- {stage} ---")

    def output(self, target_id: str, stage: Stage, line: str) -> None:  # noqa: ARG002  # protocol
        """Keep the line for the target's group."""
        with self._lock:
            self._output.setdefault(target_id, []).append(line)
            if self._verbose:
                self._say(f"[{wording.short(target_id)}] {line}")

    def stage_finished(self, target_id: str, record: StageRecord) -> None:
        """Print how the stage ended."""
        took = wording.seconds(record.seconds)
        with self._lock:
            self._say(f"[{wording.short(target_id)}] {record.stage}: {record.status} in {took}")

    def target_finished(self, target: TargetRecord) -> None:
        """Print the target's output as a group, and annotate a failure."""
        took = wording.seconds(target.seconds)
        with self._lock:
            core.start_group(f"{target.identifier}: {target.status} in {took}")
            _inert(self._output.pop(target.identifier, []))
            core.end_group()
            if target.status is Status.FAILED:
                message = wording.shorten(target.error, _MAX_ANNOTATION) or "the build failed"
                core.error(message, title=f"aarch64-wheels: {target.identifier} failed")
            sys.stdout.flush()

    def finished(self, report: Report) -> None:
        """Print each wheel, what fell back in one notice, and the closing line."""
        with self._lock:
            for wheel in report.wheels:
                self._say(f"{wheel.filename} ({wording.size(wheel.size)}, {wheel.policy})")
            if lines := [clean(line) for line in compiled.fallbacks(report)]:
                message = wording.shorten("\n".join(lines), _MAX_ANNOTATION)
                core.notice(message, title="aarch64-wheels: done by emulated programs")
            _annotate(audits.audited(report), errors=len(report.failed))
            if line := advice(report):
                self._say(line)
            core.notice(wording.headline(report), title="aarch64-wheels")
            sys.stdout.flush()

    @contextlib.contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold what is printed meanwhile; nothing else may be told in the meantime."""
        core.start_group(title)
        sys.stdout.flush()
        try:
            yield
        finally:
            core.end_group()
            sys.stdout.flush()

    def audited(self, rows: Sequence[Audited]) -> None:
        """Annotate the step with what audits have found."""
        with self._lock:
            _annotate(rows)
            sys.stdout.flush()

    def fail(self, message: str, *, title: str) -> None:
        """Annotate the step with an error that belongs to no target."""
        with self._lock:
            core.error(wording.shorten(message, _MAX_ANNOTATION), title=title)
            sys.stdout.flush()

    def close(self) -> None:
        """Print what is left of targets that were cut short."""
        with self._lock:
            for target_id, lines in self._output.items():
                core.start_group(f"{target_id}: not finished")
                _inert(lines)
                core.end_group()
            self._output.clear()
            sys.stdout.flush()

    def _say(self, line: str) -> None:
        """Print one line that is no workflow command."""
        sys.stdout.write(f"{self._stamp()} {inert(clean(line))}\n")
        sys.stdout.flush()


def _annotate(rows: Sequence[Audited], *, errors: int = 0) -> None:
    for found in audits.make_annotations(rows, errors=errors):
        tell = core.error if found.level is Level.ERROR else core.warning
        tell(wording.shorten(found.message, _MAX_ANNOTATION), title=found.title)


def _inert(lines: Iterable[str]) -> None:
    """Print lines in which the runner looks for no workflow commands."""
    token = secrets.token_hex(16)
    issue("stop-commands", token)
    for line in lines:
        # A lone carriage return would begin a new line for the runner.
        sys.stdout.write(line.rstrip("\r\n").replace("\r", "\n") + "\n")
    issue(token)
