"""A target's two attempts: natively, and under emulation in a container of its own."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.native.places import CALLS
from aarch64_wheels.report.model import Stage, Status
from aarch64_wheels.settings.schema import Backend, Compiler, Mode
from tests.unit.backend_samples import HOOK
from tests.unit.pipeline_samples import Listener, Refusal, make_pipeline, sessions_of
from tests.unit.report_samples import GOOD, plan
from tests.unit.stage_samples import breaks_the_build, fails, good_session

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.plan import Plan
    from tests.unit.fake_session import FakeSession

pytestmark = pytest.mark.usefixtures("_judged")

NATIVE = PurePosixPath("/native/python/cp313/bin/python3.13")
CALL = b"fallback\tcc\t0\t9\topenmp\t0\t/p\ta.o\ta.c\n"


def _accelerated(backend: Backend = Backend.AUTO, compiler: Compiler = Compiler.AUTO) -> Plan:
    sample = replace(
        plan(), mode=Mode.ACCELERATED, backend=backend, compiler=compiler, build_requires=()
    )
    return sample.with_targets(sample.targets[:1])


def _refusing(session: FakeSession) -> FakeSession:
    """A container whose backend does not do natively, after it has done what it likes."""
    session.effects = {**session.effects, HOOK: breaks_the_build(1, "ImportError: _fast")}
    return _calling(session, 5)


def _calling(session: FakeSession, times: int = 1) -> FakeSession:
    """A container whose backend calls compilers; what was called before it does not count."""
    hook = session.effects[HOOK]

    def effect(session: FakeSession) -> str:
        session.files[CALLS] = CALL * times
        return hook(session)

    session.effects = {**session.effects, HOOK: effect}
    session.files[CALLS] = CALL * 9
    return session


def test_the_second_attempt_is_in_a_container_of_its_own(tmp_path: Path) -> None:
    """The project's code was root in the first one."""
    first, second = _refusing(good_session(tmp_path)), _calling(good_session(tmp_path))
    left, listener = [first, second], Listener()

    def start() -> FakeSession:
        assert not first.open
        return left.pop(0)

    (record,) = make_pipeline(tmp_path, start, listener, _accelerated(), NATIVE).run()
    assert (record.status, record.error, record.backend) == (Status.OK, "", "emulated")
    assert record.backend_reason == "it failed natively: ImportError: _fast"
    assert record.calls is not None
    assert record.calls.fallback == 1
    assert "keep" not in _after_hook(first)
    hooks = [one for one in second.commands if str(one).startswith(HOOK)]
    assert len(hooks) == 2
    assert not any("AARCH64_WHEELS_IDENTITY" in hook.env for hook in hooks)
    assert not second.open
    assert any(
        "in a new container" in note and "ImportError: _fast" in note for note in listener.notes
    )
    assert "in a new container" in (tmp_path / "wheelhouse" / record.log).read_text(
        encoding="utf-8"
    )


def _after_hook(session: FakeSession) -> list[str]:
    """What happened once code of the project had run."""
    started = [number for number, event in enumerate(session.events) if event.startswith(HOOK)]
    return session.events[started[0] :]


def test_the_times_of_both_attempts_are_added_up(tmp_path: Path) -> None:
    first = _refusing(good_session(tmp_path))
    refuse = first.effects[HOOK]

    def slow(session: FakeSession) -> str:
        time.sleep(0.05)
        return refuse(session)

    first.effects = {**first.effects, HOOK: slow}
    listener = Listener()
    sessions = sessions_of(first, good_session(tmp_path))
    (record,) = make_pipeline(tmp_path, sessions, listener, _accelerated(), NATIVE).run()
    assert [(row.stage, row.status) for row in record.stages] == [
        (stage, Status.OK) for stage in Stage if stage is not Stage.TEST
    ]
    assert record.stages[0].seconds >= 0.05
    assert record.stages[1].seconds >= 0.05
    told = [words for words in listener.of(GOOD) if words[0] == "finished"]
    assert [words[1:] for words in told[:3]] == [
        (Stage.ENVIRONMENT, Status.OK),
        (Stage.BUILD, Status.FAILED),
        (Stage.ENVIRONMENT, Status.OK),
    ]


def test_a_second_attempt_that_fails_says_that_it_was_emulated(tmp_path: Path) -> None:
    second = good_session(tmp_path)
    second.effects = {**second.effects, HOOK: fails(1, "fatal error: fast.h")}
    sessions = sessions_of(_refusing(good_session(tmp_path)), second)
    (record,) = make_pipeline(tmp_path, sessions, Listener(), _accelerated(), NATIVE).run()
    assert (record.status, record.backend) == (Status.FAILED, "emulated")
    assert record.backend_reason == "it failed natively: ImportError: _fast"
    assert "fatal error: fast.h" in record.error
    assert [row.status for row in record.stages] == [Status.FAILED, *[Status.NOT_RUN] * 3]
    assert record.calls is None


def test_a_second_container_that_does_not_start(tmp_path: Path) -> None:
    left: list[Any] = [_refusing(good_session(tmp_path)), Refusal(int)]
    pipeline = make_pipeline(tmp_path, lambda: left.pop(0), Listener(), _accelerated(), NATIVE)
    (record,) = pipeline.run()
    assert (record.error, record.backend) == ("enough", "emulated")
    assert {row.status for row in record.stages} == {Status.NOT_RUN}


def test_native_and_nothing_else_has_one_attempt(tmp_path: Path) -> None:
    sessions = sessions_of(_refusing(good_session(tmp_path)))
    sample = _accelerated(Backend.NATIVE)
    (record,) = make_pipeline(tmp_path, sessions, Listener(), sample, NATIVE).run()
    assert (record.status, record.backend) == (Status.FAILED, "native")
    assert "found: it failed natively: ImportError: _fast" in record.error
    assert record.calls is not None
    assert record.calls.fallback == 5


@pytest.mark.parametrize(
    ("compiler", "expected"),
    [(Compiler.AUTO, ("unknown",)), (Compiler.GCC, ("gcc",))],
    ids=["unreadable-record", "no-shim"],
)
def test_objects_without_a_record_of_calls(
    tmp_path: Path, compiler: Compiler, expected: tuple[str, ...]
) -> None:
    """A build can remove the record: that must not say that the image's compiler did it all."""
    sample = _accelerated(Backend.EMULATED, compiler)
    sessions = sessions_of(good_session(tmp_path))
    (record,) = make_pipeline(tmp_path, sessions, Listener(), sample).run()
    assert record.wheel is not None
    assert {row.compilers for row in record.wheel.objects} == {expected}
