"""Wheels for several targets, failures that stop others, and what earlier runs have done."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.errors import CommandError
from aarch64_wheels.plan import Interpreter, Plan, Target
from aarch64_wheels.report.model import Basis, Stage, Status, TargetRecord
from aarch64_wheels.settings.schema import BuildOptions
from tests.unit.audit_samples import GOOD_NAME, elf
from tests.unit.backend_samples import HOOK
from tests.unit.pipeline_samples import Listener, Refusal, make_pipeline, sessions_of
from tests.unit.report_samples import BAD, DEBIAN, GOOD, OK_TARGET, plan
from tests.unit.stage_samples import breaks_the_build, fails, good_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from aarch64_wheels.stages.test import Bench
    from tests.unit.fake_session import FakeSession

pytestmark = pytest.mark.usefixtures("_judged")

STABLE = GOOD_NAME.replace("cp313-cp313", "cp39-abi3")


def _plan(*names: str, libcs: str = "", **fields: Any) -> Plan:
    """Targets called `a`, `b`, ..., of which those in `libcs` are of musl."""
    row = Interpreter(tag="cp313", version="3.13", directory="cp313-cp313")
    images = {True: replace(DEBIAN, libc="musl"), False: DEBIAN}
    targets = tuple(
        Target(identifier=name, interpreter=row, image=images[name in libcs]) for name in names
    )
    return replace(plan(), **fields).with_targets(targets)


def _begun(tmp_path: Path, sample: Plan) -> list[str]:
    """Run targets that all fail; gives what begins and ends, in order."""
    told: list[str] = []
    lock = threading.Lock()

    class Telling(Listener):
        def target_finished(self, target: Any) -> None:
            with lock:
                told.append(f"-{target.identifier}")

    pipeline = make_pipeline(tmp_path, lambda: Refusal(int), Telling(), sample)
    original = pipeline.rooms.room

    def room(job: Any) -> Any:
        with lock:
            told.append(f"+{job.target.identifier}")
        return original(job)

    object.__setattr__(pipeline.rooms, "room", room)
    pipeline.run()
    return told


def test_the_first_goes_ahead_alone_where_its_wheel_may_serve_all(tmp_path: Path) -> None:
    told = _begun(tmp_path, _plan("a", "b", "c", jobs=3, may_share=True))
    assert told[:2] == ["+a", "-a"]
    assert sorted(told[2:]) == ["+b", "+c", "-b", "-c"]


def test_the_first_of_each_c_library_does(tmp_path: Path) -> None:
    """A compiled wheel of one serves no target of the other."""
    told = _begun(tmp_path, _plan("a", "m", "n", "o", libcs="mno", jobs=4, may_share=True))
    assert told[:4] == ["+a", "-a", "+m", "-m"]


def test_otherwise_nobody_waits(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=10)
    sample = _plan("a", "b", jobs=2, may_share=False)
    records = make_pipeline(tmp_path, lambda: Refusal(both.wait), Listener(), sample).run()
    assert [record.error for record in records] == ["enough", "enough"]


def test_fail_fast_begins_no_other(tmp_path: Path) -> None:
    listener, sample = Listener(), _plan("a", "b", "c", jobs=1, fail_fast=True)
    first, *rest = make_pipeline(tmp_path, lambda: Refusal(int), listener, sample).run()
    assert (first.status, first.error) == (Status.FAILED, "enough")
    assert {row.status for row in rest} == {Status.NOT_RUN}
    assert all("`--fail-fast`" in row.error for row in rest)
    assert [words[0] for words in listener.told if "done" in words] == ["a"]
    assert len(_records(tmp_path)) == 1  # a resumed run has the others to do


def test_without_it_all_are_tried(tmp_path: Path) -> None:
    sample = _plan("a", "b", "c", jobs=1)
    records = make_pipeline(tmp_path, lambda: Refusal(int), Listener(), sample).run()
    assert {row.status for row in records} == {Status.FAILED}
    assert len(_records(tmp_path)) == 3


def _records(tmp_path: Path) -> list[dict[str, Any]]:
    text = (tmp_path / "wheelhouse/logs/finished.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    done = replace(OK_TARGET, resumed=True)
    session = good_session(tmp_path, GOOD_NAME.replace("cp313-cp313", "cp39-cp39"))
    pipeline = make_pipeline(tmp_path, sessions_of(session), Listener())
    basis = Basis(source="1", settings="2", image="3")
    pipeline = replace(pipeline, done={GOOD: done}, bases={BAD: basis})
    first, second = pipeline.run()
    assert first is done
    assert second.identifier == BAD
    (recorded,) = _records(tmp_path)
    assert (recorded["identifier"], recorded["basis"]["source"]) == (BAD, "1")


def test_a_failure_does_not_stop_what_is_done(tmp_path: Path) -> None:
    sample = replace(plan(), jobs=1, fail_fast=True)
    pipeline = make_pipeline(tmp_path, lambda: Refusal(int), Listener(), sample)
    done = replace(OK_TARGET, identifier=BAD)
    failed, kept = replace(pipeline, done={BAD: done}).run()
    assert (failed.status, kept) == (Status.FAILED, done)


def _tested(command: str = "pytest", **fields: Any) -> Plan:
    options = BuildOptions(test_command=command)
    targets = tuple(replace(row, options=options) for row in plan().targets)
    return replace(plan(), jobs=1, **fields).with_targets(targets)


def _effects(session: FakeSession, **effects: Callable[[FakeSession], str]) -> FakeSession:
    session.effects = {**effects, **session.effects}
    return session


def _stages(record: TargetRecord) -> dict[Stage, Status]:
    return {row.stage: row.status for row in record.stages}


def test_a_failing_test_leaves_no_wheel(tmp_path: Path) -> None:
    session = _effects(good_session(tmp_path), **{"sh -c pytest": fails(1, "1 failed")})
    sample = _tested()
    sample = sample.with_targets(sample.targets[:1])
    (record,) = make_pipeline(tmp_path, lambda: session, Listener(), sample).run()
    assert (record.status, record.wheel) == (Status.FAILED, None)
    assert "1 failed" in record.error
    assert _stages(record)[Stage.AUDIT] is Status.OK
    assert _stages(record)[Stage.TEST] is Status.FAILED
    assert not list((tmp_path / "wheelhouse").glob("*.whl"))


def test_a_test_that_passes_is_a_stage_of_its_own(tmp_path: Path) -> None:
    session, sample = good_session(tmp_path), _tested()
    sample = sample.with_targets(sample.targets[:1])
    (record,) = make_pipeline(tmp_path, lambda: session, Listener(), sample).run()
    assert (record.error, record.status) == ("", Status.OK)
    assert session.stages == list(Stage)
    assert set(_stages(record).values()) == {Status.OK}


def _with_bench(pipeline: Any, session: FakeSession) -> Any:
    """Have a room with a new container for a wheel that was built elsewhere."""
    usual = pipeline.rooms.bench

    def bench(job: Any, own: FakeSession | None) -> AbstractContextManager[Bench]:
        made: AbstractContextManager[Bench] = usual(job, own or session)
        return made

    object.__setattr__(pipeline.rooms, "bench", bench)
    return pipeline


@pytest.fixture
def built(tmp_path: Path) -> Iterator[FakeSession]:
    return iter([good_session(tmp_path, STABLE, {"fast.abi3.so": elf()})])


def test_a_shared_wheel_is_tested_for_each_target(
    tmp_path: Path, built: Iterator[FakeSession]
) -> None:
    other = type(good_session(tmp_path))()
    pipeline = make_pipeline(tmp_path, lambda: next(built), Listener(), _tested())
    first, second = _with_bench(pipeline, other).run()
    assert (first.error, second.error) == ("", "")
    assert (second.status, second.shared, second.wheel) == (Status.OK, True, first.wheel)
    assert _stages(second) == {
        **dict.fromkeys(Stage, Status.NOT_RUN),
        Stage.TEST: Status.OK,
    }
    assert other.stages == [Stage.TEST]
    assert other.copied[0][0] == tmp_path / "wheelhouse" / STABLE


def test_a_shared_wheel_that_fails_is_that_targets_failure(
    tmp_path: Path, built: Iterator[FakeSession]
) -> None:
    other = _effects(type(good_session(tmp_path))(), **{"sh -c": fails(1, "boom")})
    pipeline = make_pipeline(tmp_path, lambda: next(built), Listener(), _tested())
    first, second = _with_bench(pipeline, other).run()
    assert first.status is Status.OK
    assert (second.status, second.wheel, second.shared) == (Status.FAILED, None, True)
    assert "boom" in second.error
    assert (tmp_path / "wheelhouse" / STABLE).is_file()  # it is the first target's


def test_a_leader_that_fails_leaves_the_work_to_the_next(tmp_path: Path) -> None:
    broken, whole = good_session(tmp_path), good_session(tmp_path, STABLE, {"a.abi3.so": elf()})
    broken.effects = {**broken.effects, HOOK: breaks_the_build(1, "no such header")}
    sample = replace(plan(), jobs=2, may_share=True)
    first, second = make_pipeline(tmp_path, sessions_of(broken, whole), Listener(), sample).run()
    assert (first.status, second.status, second.shared) == (Status.FAILED, Status.OK, False)


def test_a_container_that_cannot_be_removed_costs_no_wheel(tmp_path: Path) -> None:
    class Stuck:
        def __init__(self, session: FakeSession) -> None:
            self.session = session

        def __enter__(self) -> FakeSession:
            return self.session

        def __exit__(self, *_error: object) -> None:
            raise CommandError(("docker",), 1, "stuck")

    sample = plan().with_targets(plan().targets[:1])
    stuck = Stuck(good_session(tmp_path))
    (record,) = make_pipeline(tmp_path, lambda: stuck, Listener(), sample).run()
    assert record.status is Status.OK
    assert "stuck" in record.error
