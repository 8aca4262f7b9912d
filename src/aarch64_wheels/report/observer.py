"""Who is told what happens during a build, and which teller fits where the program runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.plan import Plan
    from aarch64_wheels.report.model import Report, Stage, StageRecord, TargetRecord


class Observer(Protocol):
    """Told of everything that happens, by several threads at a time."""

    def started(self, plan: Plan) -> None:
        """Take note that the targets of the plan are about to be built."""

    def note(self, text: str) -> None:
        """Tell something that belongs to no target: the image, the engine, the source."""

    def stage_started(self, target_id: str, stage: Stage) -> None:
        """Take note that a target has come to a stage."""

    def output(self, target_id: str, stage: Stage, line: str) -> None:
        """Take one line that a stage's command printed, as it was printed."""

    def stage_finished(self, target_id: str, record: StageRecord) -> None:
        """Take note of how a stage ended."""

    def target_finished(self, target: TargetRecord) -> None:
        """Take note of how a target ended."""

    def finished(self, report: Report) -> None:
        """Show the outcome of the run."""

    def close(self) -> None:
        """Leave the terminal as it was. Safe to call twice, and after a failure."""


def make_observer(environ: Mapping[str, str], *, verbose: bool) -> Observer:
    """Pick the observer for where the program runs.

    Args:
        environ: the process's environment; GitHub Actions and others of its kind
            (act, Gitea, Forgejo) set GITHUB_ACTIONS.
        verbose: show each line of output as it comes.
    """
    # Imported here: each of the two brings a library that the other does not need.
    if environ.get("GITHUB_ACTIONS") == "true":
        from aarch64_wheels.report.github import GitHubObserver

        return GitHubObserver(verbose=verbose)
    from aarch64_wheels.report.console import ConsoleObserver, make_console

    return ConsoleObserver(make_console(sys.stdout, environ), verbose=verbose)
