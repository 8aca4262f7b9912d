"""A run goes on after failures, and nothing of this machine gets into its results."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from bench.model import Measurement, Results, Way
from bench.native import write_clang
from bench.run import Run, Tools
from bench.schedule import Task
from bench.sources import load_catalogue
from bench.workplace import REPOSITORY, Workplace

from aarch64_wheels.errors import CommandError, UnfitError
from tests.unit.bench_samples import CHERRY, KIWI, measured, results

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """A workplace without an engine."""
    for name in ("scratch", "logs", "cache"):
        (tmp_path / name).mkdir()
    return Workplace(
        scratch=tmp_path / "scratch",
        logs=tmp_path / "logs",
        cache_dir=tmp_path / "cache",
        host=cast("Any", None),
        engine=cast("Any", None),
        image="debian",
    )


@pytest.fixture
def written() -> list[Results]:
    return []


@pytest.fixture
def run(place: Workplace, written: list[Results]) -> Run:
    return Run(
        place=place,
        catalogue=load_catalogue(),
        tools=Tools(),
        results=results(),
        write=written.append,
    )


def one(run: Run, way: Way, build: Callable[[Task, Path], Measurement]) -> Measurement:
    return run.one(Task(source=KIWI, way=way, round=1), "1/1", build)


def succeed(task: Task, _log: Path) -> Measurement:
    return measured(1.0, source=task.source.name, way=task.way, number=task.round)


@pytest.mark.parametrize(
    "error",
    [
        CommandError(("uv", "build"), 2, "compiling\nx.c:1: error: no such thing\nbye"),
        UnfitError("no clang"),
        FileNotFoundError("report.json"),
        StopIteration(),
        KeyError("stages"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_build_raises_is_its_result(run: Run, error: Exception) -> None:
    def fail(_task: Task, _log: Path) -> Measurement:
        raise error

    found = one(run, Way.GCC, fail)
    assert not found.ok
    assert found.wall == 0.0


def test_an_interrupt_is_no_result(run: Run) -> None:
    def interrupt(_task: Task, _log: Path) -> Measurement:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        one(run, Way.GCC, interrupt)


def test_each_measurement_is_written_at_once(run: Run, written: list[Results]) -> None:
    run.add(measured(1.0))
    run.add(measured(2.0, number=2))
    assert [len(row.measurements) for row in written] == [1, 2]


@pytest.mark.parametrize(
    ("before", "way", "cold"),
    [
        pytest.param(None, Way.ACCELERATED, True, id="first accelerated"),
        pytest.param(Way.ACCELERATED, Way.ACCELERATED, False, id="second accelerated"),
        pytest.param(Way.ACCELERATED, Way.NATIVE_ONLY, True, id="native only after accelerated"),
        pytest.param(Way.ACCELERATED, Way.EMULATED, True, id="first emulated"),
        pytest.param(Way.ACCELERATED, Way.FIVE, True, id="five after one"),
        pytest.param(None, Way.GCC, False, id="x86-64 keeps none"),
        pytest.param(None, Way.CIBUILDWHEEL, False, id="cibuildwheel keeps none"),
    ],
)
def test_a_first_build_is_cold(run: Run, before: Way | None, way: Way, *, cold: bool) -> None:
    if before:
        run.add(measured(1.0, way=before, number=0))
    assert one(run, way, succeed).cold is cold


def test_another_source_s_build_warms_nothing(run: Run) -> None:
    run.add(measured(1.0, source=CHERRY.name, number=0))
    assert one(run, Way.ACCELERATED, succeed).cold


def test_after_the_deadline_nothing_starts_and_what_is_left_out_is_told(
    run: Run, written: list[Results], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workplace, "forget_environments", lambda _place: None)
    run.deadline = time.monotonic() - 1
    run.all((CHERRY,), quick=True)
    assert not written[-1].measurements
    assert "left out, for there was no time: cherry accelerated, " in written[-1].notes[-1]


@pytest.mark.parametrize("way", [Way.CLANG, Way.CIBUILDWHEEL_ACCELERATED])
def test_what_could_not_be_set_up_costs_its_own_way_only(
    run: Run, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workplace, "unpacked", lambda *_: Path("nowhere"))
    assert "could not be set up" in one(run, way, run.build).error


def test_a_reason_has_no_path_of_this_machine(place: Workplace) -> None:
    words = ("/opt/python/bin/python", "-m", "cibuildwheel", ".")
    tail = f"building\n{place.scratch}/x.c:1: error: see {REPOSITORY}/bench and {Path.home()}/y"
    assert place.reason(CommandError(words, 3, tail)) == (
        "cibuildwheel ended with status 3: "
        "<scratch>/x.c:1: error: see <checkout>/bench and <home>/y"
    )


def test_a_reason_is_one_short_line(place: Workplace) -> None:
    reason = place.reason(ValueError("two\nlines " + "x" * 999))
    assert reason.startswith("ValueError: two lines xxx")
    assert len(reason) < 250


def test_a_program_s_output_goes_to_the_log_and_its_end_into_the_error(place: Workplace) -> None:
    log = place.logs / "x.log"
    with pytest.raises(CommandError) as caught:
        place.call([sys.executable, "-c", "print('bad news'); raise SystemExit(4)"], log)
    assert (caught.value.status, caught.value.found) == (4, "bad news")
    assert log.read_text() == "bad news\n"


def test_variables_that_change_builds_do_not_reach_them(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CFLAGS", "-O0")
    monkeypatch.setenv("CIBW_BUILD", "*")
    log = place.logs / "x.log"
    place.call(["env"], log, env={"CC": "gcc"})
    names = [line.partition("=")[0] for line in log.read_text().splitlines()]
    assert not {"CFLAGS", "CIBW_BUILD"} & set(names)
    assert "CC" in names


def test_clang_s_additions_never_show_in_a_probe(tmp_path: Path) -> None:
    (tmp_path / "a tool").mkdir()
    zig = tmp_path / "a tool" / "zig"
    zig.write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    zig.chmod(0o755)
    compilers = write_clang(zig, tmp_path, "x86_64-linux-gnu")
    lines: list[str] = []
    from aarch64_wheels.host import call

    call([compilers.cxx, "-c", "my file.cpp"], sink=lines.append)
    start, end = (
        lines.index("--start-no-unused-arguments"),
        lines.index("--end-no-unused-arguments"),
    )
    assert lines[:3] == ["clang", "--driver-mode=g++", "--target=x86_64-linux-gnu"]
    assert lines[start + 1 : end] == [
        "-resource-dir",
        f"{zig.parent}/lib",
        f"--ld-path={tmp_path}/ld.lld",
    ]
    assert lines[end + 1 :] == ["-c", "my file.cpp"]
