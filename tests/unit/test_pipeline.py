"""The pipeline: parallel targets, each apart from the others, and what is known of each."""

from __future__ import annotations

import signal
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.errors import StageError
from aarch64_wheels.hashing import sha256_of
from aarch64_wheels.plan import Interpreter, Plan, Target
from aarch64_wheels.report.model import Stage, Status
from tests.unit.audit_samples import GOOD_NAME, elf
from tests.unit.backend_samples import HOOK
from tests.unit.pipeline_samples import Listener, Refusal, make_pipeline, sessions_of
from tests.unit.report_samples import BAD, DEBIAN, GOOD, plan
from tests.unit.stage_samples import breaks_the_build, full_logs, good_session, says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.fake_session import FakeSession

pytestmark = pytest.mark.usefixtures("_judged")

#: Seconds after which a test that waits for another thread gives up.
WAIT = 10.0

UNTESTED = [stage for stage in Stage if stage is not Stage.TEST]


def _only(*tags: str, jobs: int) -> Plan:
    rows = [Interpreter(tag=tag, version="3.13", directory="cp313-cp313") for tag in tags]
    targets = tuple(Target(identifier=row.tag, interpreter=row, image=DEBIAN) for row in rows)
    return replace(plan(), jobs=jobs).with_targets(targets)


def test_a_target_goes_through_all_stages(tmp_path: Path) -> None:
    listener, session = Listener(), good_session(tmp_path)
    sample = plan().with_targets(plan().targets[:1])
    (record,) = make_pipeline(tmp_path, lambda: session, listener, sample).run()
    assert (record.identifier, record.status, record.error) == (GOOD, Status.OK, "")
    assert [(row.stage, row.status) for row in record.stages] == [(s, Status.OK) for s in UNTESTED]
    assert record.wheel is not None
    assert (tmp_path / "wheelhouse" / record.wheel.filename).is_file()
    assert not session.open
    assert session.stages == UNTESTED


def test_a_wheel_is_audited_for_what_it_was_repaired_to(tmp_path: Path) -> None:
    """The project's variables may ask for a newer system than the image's policy does."""
    newer = "manylinux_2_28_aarch64"
    session = good_session(tmp_path, f"fast-1.0-cp313-cp313-{newer}.whl")
    session.effects = {**session.effects, "bash": says(f"AUDITWHEEL_PLAT={newer}\0")}
    first = plan().targets[0]
    target = replace(first, options=replace(first.options, environment="A=1"))
    sample = plan().with_targets((target,))
    (record,) = make_pipeline(tmp_path, lambda: session, Listener(), sample).run()
    assert (record.status, record.error) == (Status.OK, "")


def test_the_observer_is_told_in_order(tmp_path: Path) -> None:
    listener = Listener()
    sample = plan().with_targets(plan().targets[:1])
    make_pipeline(tmp_path, lambda: good_session(tmp_path), listener, sample).run()
    stages = [words for words in listener.of(GOOD) if words[0] != "output"]
    expected = [(what, s) for s in UNTESTED for what in ("started", "finished")]
    assert [words[:2] for words in stages[:-1]] == expected
    assert stages[-1] == ("done", Status.OK)
    assert ("output", Stage.BUILD, "building") in listener.of(GOOD)


def test_the_log_holds_every_line_under_its_stage(tmp_path: Path) -> None:
    sample = plan().with_targets(plan().targets[:1])
    (record,) = make_pipeline(tmp_path, lambda: good_session(tmp_path), Listener(), sample).run()
    log = (tmp_path / "wheelhouse" / record.log).read_text(encoding="utf-8")
    assert log == ("== environment ==\n== build ==\nbuilding\n== repair ==\n== audit ==\n")


def test_a_failed_target_does_not_stop_the_next(tmp_path: Path) -> None:
    """The plan's first target (cp313) fails; the second gets a wheel for any Python."""
    broken, whole = good_session(tmp_path), _any_python_session(tmp_path)
    broken.effects = {**broken.effects, HOOK: breaks_the_build(2, "fatal error: fast.h")}
    failed, built = make_pipeline(tmp_path, sessions_of(broken, whole), Listener()).run()
    assert (failed.identifier, failed.status, failed.wheel) == (GOOD, Status.FAILED, None)
    assert "fatal error: fast.h" in failed.error
    assert [row.status for row in failed.stages] == [
        *(Status.OK, Status.FAILED),
        *(Status.NOT_RUN, Status.NOT_RUN),
    ]
    assert [row.stage for row in failed.stages] == UNTESTED
    assert "fatal error: fast.h" in (tmp_path / "wheelhouse" / failed.log).read_text()
    assert (built.identifier, built.status) == (BAD, Status.OK)
    assert not broken.open


def _any_python_session(tmp_path: Path) -> FakeSession:
    return good_session(tmp_path, GOOD_NAME.replace("cp313-cp313", "py3-none"))


def test_one_wheel_for_both_targets_is_built_once(tmp_path: Path) -> None:
    """Of the second target's container there is no need: nothing is tested."""
    name = GOOD_NAME.replace("cp313-cp313", "cp39-abi3")
    one = good_session(tmp_path, name, {"fast.abi3.so": elf()})
    first, second = make_pipeline(tmp_path, sessions_of(one), Listener()).run()
    assert (first.error, second.error) == ("", "")
    assert (first.shared, second.shared) == (False, True)
    assert first.wheel is not None
    assert first.wheel == second.wheel
    assert {row.status for row in second.stages} == {Status.NOT_RUN}
    assert "serves this one, too" in (tmp_path / "wheelhouse" / second.log).read_text()


@pytest.mark.parametrize("earlier", [GOOD, BAD])
def test_one_wheel_made_twice_is_that_of_the_plans_first_target(
    tmp_path: Path, earlier: str
) -> None:
    """Whichever of two that are built at the same time ends earlier; all records tell of it."""
    name, files = GOOD_NAME.replace("cp313-cp313", "cp39-abi3"), {"fast.abi3.so": elf()}
    sessions = {
        GOOD: good_session(tmp_path, name, files),
        BAD: good_session(tmp_path, name, {**files, "extra.py": b"1\n"}),
    }
    both, one_done = threading.Barrier(2, timeout=WAIT), threading.Event()

    class Waiting(Listener):
        def stage_started(self, target_id: str, stage: Stage) -> None:
            if stage is Stage.BUILD:
                both.wait()
            if stage is Stage.AUDIT and target_id != earlier:
                assert one_done.wait(WAIT)

        def target_finished(self, _target: Any) -> None:
            one_done.set()

    pipeline = make_pipeline(tmp_path, list, Waiting(), replace(plan(), jobs=2))
    start = lambda target, _environment: sessions[target.identifier]  # noqa: E731
    object.__setattr__(pipeline.rooms, "start", start)
    first, second = pipeline.run()
    assert first.wheel is not None
    assert first.wheel == second.wheel
    kept = tmp_path / "wheelhouse" / name
    assert sha256_of(kept) == first.wheel.sha256
    with zipfile.ZipFile(kept) as archive:
        assert "extra.py" not in archive.namelist()
    recorded = pipeline.wheelhouse.earlier()
    assert [recorded[row].wheel for row in (GOOD, BAD)] == [first.wheel] * 2


def test_a_log_on_a_full_disk_costs_no_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_logs(monkeypatch)
    listener, sample = Listener(), plan().with_targets(plan().targets[:1])
    (record,) = make_pipeline(tmp_path, lambda: good_session(tmp_path), listener, sample).run()
    assert (record.status, record.error) == (Status.OK, "")
    (note,) = listener.notes
    assert note == f"{tmp_path}/wheelhouse/{record.log} is not whole: No space left on device"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(StageError("no such image"), "no such image", id="told"),
        pytest.param(KeyError("tag"), "internal error: KeyError: 'tag'", id="bug"),
    ],
)
def test_a_container_that_does_not_start_fails_its_target_only(
    tmp_path: Path, error: Exception, said: str
) -> None:
    sessions: list[FakeSession | None] = [None, _any_python_session(tmp_path)]

    def start() -> FakeSession:
        session = sessions.pop(0)
        if session is None:
            raise error
        return session

    failed, built = make_pipeline(tmp_path, start, Listener()).run()
    assert (failed.status, failed.error.partition("\n")[0]) == (Status.FAILED, said)
    assert {row.status for row in failed.stages} == {Status.NOT_RUN}
    assert said.rpartition(" ")[2] in (tmp_path / "wheelhouse" / failed.log).read_text()
    assert (failed.seconds, built.status) == (0.0, Status.OK)


def test_targets_run_side_by_side_and_come_back_in_the_plans_order(tmp_path: Path) -> None:
    """Each waits for the other to start, and one of them for the other to be done."""
    both, one_done = threading.Barrier(2, timeout=WAIT), threading.Event()

    class Waiting(Listener):
        def target_finished(self, target: Any) -> None:
            super().target_finished(target)
            one_done.set()

    def work() -> None:
        if both.wait() == 0:
            assert one_done.wait(WAIT)

    pipeline = make_pipeline(tmp_path, lambda: Refusal(work), Waiting(), _only("a", "b", jobs=2))
    records = pipeline.run()
    assert [(record.identifier, record.error) for record in records] == [
        ("a", "enough"),
        ("b", "enough"),
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_more_targets_at_once_than_jobs(tmp_path: Path, jobs: int) -> None:
    lock, running, most = threading.Lock(), 0, 0

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1

    sample = _only("a", "b", "c", "d", jobs=jobs)
    make_pipeline(tmp_path, lambda: Refusal(work), Listener(), sample).run()
    assert most == jobs


@pytest.mark.parametrize(("targets", "cores", "expected"), [(5, 2, 2), (1, 8, 1)])
def test_without_a_number_of_jobs_the_cores_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, targets: int, cores: int, expected: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: range(cores))
    seen: list[int | None] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, max_workers: int | None = None) -> None:
            seen.append(max_workers)
            super().__init__(max_workers)

    monkeypatch.setattr("aarch64_wheels.pipeline.ThreadPoolExecutor", Pool)
    sample = _only(*"abcdefgh"[:targets], jobs=0)
    make_pipeline(tmp_path, lambda: Refusal(int), Listener(), sample).run()
    assert seen == [expected]


@contextmanager
def _signal_raises_interrupt() -> Iterator[None]:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGUSR1, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, old)


def test_an_interrupt_starts_nothing_more_and_is_told_nobody(tmp_path: Path) -> None:
    release, started, main = threading.Event(), list[str](), threading.main_thread().ident
    assert main is not None

    def work() -> None:
        started.append("one")
        if len(started) == 1:
            time.sleep(0.05)  # by then the pipeline waits for results
            signal.pthread_kill(main, signal.SIGUSR1)
        assert release.wait(WAIT)

    listener, before = Listener(), set(threading.enumerate())
    sample = _only("a", "b", "c", jobs=1)
    with _signal_raises_interrupt(), pytest.raises(KeyboardInterrupt):
        make_pipeline(tmp_path, lambda: Refusal(work), listener, sample).run()
    release.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(WAIT)
    assert (started, listener.told) == (["one"], [])
