"""Telling a build in a terminal, live, or line by line where there is none."""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from aarch64_wheels.report import audits, compiled, table, wording
from aarch64_wheels.report.advice import advice
from aarch64_wheels.report.model import Stage, Status
from aarch64_wheels.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aarch64_wheels.plan import Plan
    from aarch64_wheels.report.model import Report, StageRecord, TargetRecord

#: How many of a failed target's last lines are shown.
TAIL = 20
#: Wide enough for a wheel's name and every stage; a file or a CI log has no width of its own.
_WIDTH_WITHOUT_TERMINAL = 300


class _Console(Console):
    """A console that leaves the end of its reader (`| head`) to `cli.guard`."""

    def on_broken_pipe(self) -> None:
        """Raise the BrokenPipeError again, in whose handler this is called; rich exits with 1."""
        raise  # noqa: PLE0704


def make_console(stream: IO[str], environ: Mapping[str, str]) -> Console:
    """Make a console that never breaks lines where there is no terminal to fit them to."""
    width = None if stream.isatty() or "COLUMNS" in environ else _WIDTH_WITHOUT_TERMINAL
    return _Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


@dataclass
class _Running:
    """A target under way."""

    since: float
    stage: Stage = Stage.ENVIRONMENT
    stage_since: float = 0.0
    last: str = ""
    spinner: Spinner = field(default_factory=lambda: Spinner("dots"))


class ConsoleObserver:
    """Tells a build on a rich console.

    In a terminal each running target has one line: its stage, the time, the last line of
    output. Elsewhere there is a line with a time stamp for each thing that happens.

    Args:
        console: where to write; decides by itself whether it is a terminal.
        verbose: show each line of output as it comes.
        clock: seconds that only grow, for durations.
        stamp: the time of day, for lines.
    """

    def __init__(
        self,
        console: Console,
        *,
        verbose: bool = False,
        clock: Callable[[], float] = time.monotonic,
        stamp: Callable[[], str] = lambda: time.strftime("%H:%M:%S"),
    ) -> None:
        self._console = console
        self._verbose = verbose
        self._clock = clock
        self._stamp = stamp
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._tails: dict[str, deque[str]] = {}
        self._live: Live | None = None

    def started(self, plan: Plan) -> None:
        """Begin the live lines, or say what will be built."""
        name = f"{plan.project} {plan.version}".strip()
        targets = ", ".join(wording.short(target.identifier) for target in plan.targets)
        self.note(f"building {name} for {targets} in {wording.places(plan)} ({plan.mode})")
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._lines,
                console=self._console,
                transient=True,
                refresh_per_second=8,
            )
            atexit.register(self.close)
            self._live.start()

    def note(self, text: str) -> None:
        """Print a line that belongs to no target."""
        self._say(clean(text))

    def stage_started(self, target_id: str, stage: Stage) -> None:
        """Move the target's line on to the stage."""
        now = self._clock()
        with self._lock:
            running = self._running.setdefault(target_id, _Running(since=now))
            running.stage, running.stage_since, running.last = stage, now, ""
        if not self._live:
            self._say(f"[{wording.short(target_id)}] {stage}: started")

    def output(self, target_id: str, stage: Stage, line: str) -> None:  # noqa: ARG002  # protocol
        """Keep the line as the target's last one, and print it when verbose."""
        plain = clean(line)
        with self._lock:
            self._tails.setdefault(target_id, deque(maxlen=TAIL)).append(plain)
            if target_id in self._running and plain.strip():
                self._running[target_id].last = plain
        if self._verbose:
            self._print(Text(f"[{wording.short(target_id)}] {plain}"))

    def stage_finished(self, target_id: str, record: StageRecord) -> None:
        """Print how the stage ended where there are no live lines."""
        if not self._live:
            took = wording.seconds(record.seconds)
            self._say(f"[{wording.short(target_id)}] {record.stage}: {record.status} in {took}")

    def target_finished(self, target: TargetRecord) -> None:
        """Replace the target's live line by a lasting one."""
        with self._lock:
            self._running.pop(target.identifier, None)
        outcome = target.wheel.filename if target.wheel else str(target.status)
        took = wording.seconds(target.seconds)
        style = "" if target.status is Status.OK else "red"
        self._say(f"[{wording.short(target.identifier)}] {outcome} in {took}", style)

    def finished(self, report: Report) -> None:
        """Print failures, what fell back, the audit's warnings, the table, one closing line."""
        self.close()
        for target in report.failed:
            self._tell_failure(target)
        for line in compiled.fallbacks(report):
            self._print(Text(clean(line)))
        for line in audits.lines(report.wheels):
            self._print(Text(line, style="yellow"))
        self._tell_table(report)
        if line := advice(report):
            self._print(Text(clean(line)))
        self._print(Text(wording.headline(report), style="red" if report.failed else "green"))

    def _tell_table(self, report: Report) -> None:
        """Print the largest form of the table that fits, and below it what it left out."""
        lines = []
        drawn = table.outcome(report, wide=True)
        if not self._fits(drawn):
            drawn, lines = table.outcome(report, wide=False), table.files(report)
            if not self._fits(drawn):
                drawn = table.outcome(report, wide=False, how=False)
                lines = [*map(clean, compiled.lines(report)), *lines]
        self._print(drawn)
        for line in lines:
            self._print(Text(line))

    def _fits(self, whole: Table) -> bool:
        unlimited = self._console.options.update(max_width=10_000)
        return self._console.measure(whole, options=unlimited).maximum <= self._console.width

    def close(self) -> None:
        """Take the live lines away."""
        with self._lock:
            live, self._live = self._live, None
        if live:
            live.stop()
            atexit.unregister(self.close)

    def _tell_failure(self, target: TargetRecord) -> None:
        self._print(Text(f"{target.identifier}: {target.status}", style="bold red"))
        error = [clean(line) for line in target.error.splitlines()]
        told = {line.removeprefix("found:").strip() for line in error}
        tails = self._tails.get(target.identifier, ())
        tail = [line for line in tails if line.strip() not in told]
        for line in [*error, *tail]:
            self._print(Text(f"  {line}"))
        if target.log:
            self._print(Text(f"  log: {clean(target.log)}"))

    def _say(self, line: str, style: str = "") -> None:
        self._print(Text(f"{self._stamp()} {line}", style=style))

    def _print(self, what: Text | Table) -> None:
        # Not under our lock: rich's own thread asks for the live lines while it holds its
        # lock, and the two would wait for each other. A console is safe to share as it is.
        # Without a terminal a long line stays one line.
        self._console.print(what, soft_wrap=isinstance(what, Text))

    def _lines(self) -> Table:
        now = self._clock()
        lines = Table.grid(padding=(0, 1), expand=True)
        for width in (None, None, None, None):
            lines.add_column(no_wrap=True, width=width)
        lines.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
        with self._lock:
            for target_id, running in self._running.items():
                took = wording.seconds(now - running.stage_since)
                lines.add_row(
                    running.spinner,
                    Text(wording.short(target_id), style="bold"),
                    Text(str(running.stage)),
                    Text(took, style="cyan"),
                    Text(running.last, style="dim"),
                )
        return lines
