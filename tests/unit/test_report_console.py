from __future__ import annotations

import io
import threading
from dataclasses import replace

import pytest
from rich.console import Console

from aarch64_wheels.errors import CommandError
from aarch64_wheels.report.console import ConsoleObserver, make_console
from aarch64_wheels.report.github import GitHubObserver
from aarch64_wheels.report.model import Stage
from aarch64_wheels.report.observer import Observer, make_observer
from tests.unit.report_samples import (
    BAD,
    BROKEN,
    BUILT,
    FAILED_TARGET,
    GOOD,
    OK_TARGET,
    WHEEL,
    plan,
    report,
)


def run(observer: Observer) -> None:
    """A build of two targets, one of which fails."""
    observer.note("image debian is ready")
    observer.started(plan())
    for identifier in (GOOD, BAD):
        observer.stage_started(identifier, Stage.BUILD)
    observer.output(GOOD, Stage.BUILD, "\x1b[31mcompiling\x1b[0m [bold]a.cpp[/bold]\r\n")
    for number in range(30):
        observer.output(BAD, Stage.BUILD, f"line {number}")
    observer.stage_finished(GOOD, BUILT)
    observer.target_finished(OK_TARGET)
    observer.stage_finished(BAD, BROKEN)
    observer.target_finished(FAILED_TARGET)
    observer.finished(report(OK_TARGET, FAILED_TARGET))


def plain(*, verbose: bool = False) -> tuple[ConsoleObserver, io.StringIO]:
    stream = io.StringIO()
    console = make_console(stream, {})
    return ConsoleObserver(console, verbose=verbose, stamp=lambda: "12:00:00"), stream


def test_without_a_terminal_each_event_is_a_line() -> None:
    observer, stream = plain()
    run(observer)
    lines = stream.getvalue().splitlines()
    assert lines[:7] == [
        "12:00:00 image debian is ready",
        "12:00:00 building spring 1.0 for cp313, cp39 in debian (emulated)",
        "12:00:00 [cp313] build: started",
        "12:00:00 [cp39] build: started",
        "12:00:00 [cp313] build: ok in 1 min 23 s",
        f"12:00:00 [cp313] {WHEEL} in 1 min 24 s",
        "12:00:00 [cp39] build: failed in 3.4 s",
    ]
    assert not {"\r", "\x1b"} & set(stream.getvalue())


def test_the_closing_table_holds_wheel_times_result_and_log() -> None:
    observer, stream = plain()
    run(observer)
    lines = stream.getvalue().splitlines()
    header = next(line for line in lines if "wheel" in line and "result" in line)
    assert header.split() == ["wheel", *map(str, report().stages), "total", "result", "log"]
    row = next(line for line in lines if line.strip().startswith(WHEEL) and "ok" in line)
    assert row.split("  ")[0].strip() == WHEEL
    assert "1.2 s" in row
    assert f"logs/{GOOD}.log" in row
    assert lines[-1] == "spring 1.0: 1 of 2 wheels in 1 min 40 s (emulated, debian)"


def test_a_failed_target_shows_its_error_its_last_lines_and_its_log() -> None:
    observer, stream = plain()
    run(observer)
    output = stream.getvalue()
    assert "  `gcc` ended with status 1\n  found: no such header\n" in output
    assert "  line 10\n" in output
    assert "  line 29\n" in output
    assert "  line 9\n" not in output
    assert f"  log: logs/{BAD}.log\n" in output


def test_an_errors_lines_are_not_told_twice() -> None:
    observer, stream = plain()
    for line in ("gcc -c a.c", "a.c:1: error", "  int x", "      ^"):
        observer.output(BAD, Stage.BUILD, line)
    error = CommandError(("gcc", "-c"), 1, "a.c:1: error\n  int x\n      ^")
    target = replace(FAILED_TARGET, error=str(error))
    observer.target_finished(target)
    observer.finished(report(target))
    shown = stream.getvalue().partition(f"{BAD}: failed\n")[2].partition("  log:")[0]
    assert shown.splitlines() == [
        "  `gcc -c` ended with status 1",
        "  found: a.c:1: error",
        "      int x",
        "          ^",
        "  gcc -c a.c",
    ]


def test_verbose_shows_output_without_its_colours_and_markup() -> None:
    observer, stream = plain(verbose=True)
    run(observer)
    assert "[cp313] compiling [bold]a.cpp[/bold]\n" in stream.getvalue()


def test_a_long_line_stays_one_line() -> None:
    observer, stream = plain(verbose=True)
    observer.output(GOOD, Stage.BUILD, "x" * 5000)
    assert stream.getvalue() == f"[cp313] {'x' * 5000}\n"


def live(width: int) -> tuple[ConsoleObserver, io.StringIO]:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, highlight=False, markup=False)
    return ConsoleObserver(console, stamp=lambda: "12:00:00"), stream


def test_in_a_terminal_a_running_target_has_a_line_with_its_stage_and_last_output() -> None:
    observer, stream = live(100)
    observer.started(plan())
    observer.stage_started(GOOD, Stage.BUILD)
    observer.output(GOOD, Stage.BUILD, "compiling a.cpp")
    observer.note("still here")  # draws the live lines anew
    observer.close()
    assert "compiling a.cpp" in stream.getvalue()
    assert "cp313" in stream.getvalue()


def test_a_narrow_terminal_gets_a_table_that_fits() -> None:
    observer, stream = live(80)
    run(observer)
    after = stream.getvalue().partition("target")[2]
    assert f"\n{WHEEL}\n" in after


def test_close_gives_the_cursor_back_and_can_be_repeated() -> None:
    observer, stream = live(80)
    observer.started(plan())
    observer.close()
    observer.close()
    hide, show = "\x1b[?25l", "\x1b[?25h"
    assert stream.getvalue().count(hide) == stream.getvalue().count(show) == 1


def test_threads_can_tell_at_the_same_time() -> None:
    observer, _ = live(80)
    observer.started(plan())

    def work(name: str) -> None:
        observer.stage_started(name, Stage.BUILD)
        for number in range(200):
            observer.output(name, Stage.BUILD, f"line {number}")
            if number % 20 == 0:
                observer.note(f"{name} {number}")

    threads = [threading.Thread(target=work, args=(f"cp3{n}-x",), daemon=True) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert not any(thread.is_alive() for thread in threads)
    observer.close()


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        pytest.param({}, ConsoleObserver, id="a-shell"),
        pytest.param({"CI": "true"}, ConsoleObserver, id="another-ci"),
        pytest.param({"GITHUB_ACTIONS": "true"}, GitHubObserver, id="github"),
    ],
)
def test_the_environment_picks_the_observer(environ: dict[str, str], kind: type) -> None:
    assert isinstance(make_observer(environ, verbose=False), kind)
