"""How long commands may take: the arithmetic, and a reader that keeps to it."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.engine.container import ContainerSession
from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.engine.watch import Limits, Overran, Overrun, Watch, span, timed_out
from aarch64_wheels.errors import ExitCode, StageError, TimedOutError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Clock:
    """Time that passes when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_minutes_become_seconds() -> None:
    assert Limits.of_minutes(time=2, silence=60) == Limits(time=120.0, silence=3600.0)


def test_without_limits_the_wait_has_no_end() -> None:
    clock = Clock()
    with Watch(Limits(), clock).command() as patience:
        clock.now += 1e9
        assert patience.left() is None


def test_silence_is_counted_from_the_last_sign_of_life() -> None:
    clock = Clock()
    with Watch(Limits(silence=60), clock).command() as patience:
        for _ in range(100):
            assert patience.left() == 60
            clock.now += 59
        patience.left()
        clock.now += 60
        found = patience.overran().overrun
    assert (found.setting, found.limit, found.silent, found.ran) == ("silence-limit", 60, 60, 5960)


def test_commands_of_a_stage_share_its_time() -> None:
    clock = Clock()
    watch = Watch(Limits(time=100), clock)
    watch.begin("build")
    with watch.command() as first:
        assert first.left() == 100
        clock.now += 70
        assert first.left() == 30
    clock.now += 500  # between commands nothing is counted
    with watch.command() as second:
        assert second.left() == 30
        clock.now += 30
        with pytest.raises(Overran) as caught:
            second.left()
    assert caught.value.overrun == Overrun(
        stage="build", setting="time-limit", limit=100, ran=100, silent=0
    )


def test_what_comes_before_the_stages_may_only_not_be_silent() -> None:
    clock = Clock()
    with Watch(Limits(time=10, silence=60), clock).command() as patience:
        clock.now += 1000
        assert patience.left() == 60


def test_each_stage_has_its_own_time() -> None:
    clock = Clock()
    watch = Watch(Limits(time=100), clock)
    for stage in ("environment", "build", "test"):
        watch.begin(stage)
        with watch.command() as patience:
            clock.now += 99
            assert patience.left() == 1


@pytest.mark.parametrize(
    ("limits", "ran", "setting"),
    [
        (Limits(time=100, silence=60), 0, "silence-limit"),
        (Limits(time=100, silence=60), 50, "time-limit"),
        (Limits(time=30, silence=60), 0, "time-limit"),
    ],
)
def test_the_nearer_limit_counts(limits: Limits, ran: float, setting: str) -> None:
    clock = Clock()
    watch = Watch(limits, clock)
    watch.begin("build")
    with watch.command() as patience:
        clock.now += ran
        clock.now += patience.left() or 0
        assert patience.overran().overrun.setting == setting


SPANS = {
    0.4: "0 s",
    12: "12 s",
    60: "1 min",
    185: "3 min 05 s",
    3600: "1 h",
    3599.9: "1 h",
    4800: "1 h 20 min",
}


@pytest.mark.parametrize(("seconds", "text"), SPANS.items(), ids=str)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_the_error_for_silence() -> None:
    overrun = Overrun(stage="build", setting="silence-limit", limit=3600, ran=4000, silent=3600)
    error = timed_out(overrun, ["1 h: cc1plus -quiet big.cc"], ["[7/9] big.cc"])
    assert isinstance(error, StageError)
    assert error.exit_code is ExitCode.TARGET_FAILED
    assert str(error).splitlines() == [
        "the stage build was ended: it said nothing for 1 h",
        "found: its commands ran for 1 h 06 min, the last 1 h without output",
        "  running then, the deepest and busiest first:",
        "    1 h: cc1plus -quiet big.cc",
        "  the last lines of its output:",
        "    [7/9] big.cc",
        "next: if that is too little time for it, raise --silence-limit (minutes, 0: no limit)",
    ]


def test_the_error_for_time_of_a_command_that_talks() -> None:
    overrun = Overrun(stage="test", setting="time-limit", limit=90, ran=90, silent=0.1)
    assert str(timed_out(overrun, [], [])).splitlines() == [
        "the stage test was ended: it took longer than 1 min 30 s",
        "found: its commands ran for 1 min 30 s, with output to the end",
        "next: if that is too little time for it, raise --time-limit (minutes, 0: no limit)",
    ]


def test_the_error_for_silence_before_any_stage() -> None:
    overrun = Overrun(stage="", setting="silence-limit", limit=60, ran=60, silent=60)
    assert timed_out(overrun, [], []).what.startswith("the preparation of the container was ended")


def frame(data: bytes, stream: int = 1) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


class FakeApi:
    """An engine whose command says what is sent to it, and that knows one process."""

    def __init__(self, output: socket.socket) -> None:
        self.reader: Any = output.makefile("rb")
        self.asked: list[str] = []

    def exec_create(self, _container: str, argv: list[str], **_options: Any) -> dict[str, str]:
        self.asked.append(" ".join(argv))
        return {"Id": "1"}

    def exec_start(self, _exec: str, *, stream: bool) -> Any:
        assert stream
        raw = SimpleNamespace(_fp=SimpleNamespace(fp=self.reader))
        return SimpleNamespace(_response=SimpleNamespace(raw=raw, close=self.reader.close))

    def _get_raw_response_socket(self, _response: Any) -> Any:
        return self.reader.raw

    def exec_inspect(self, _exec: str) -> dict[str, int]:
        return {"ExitCode": 0}

    def inspect_container(self, _name: str) -> dict[str, Any]:
        return {"State": {"Pid": 7}}

    def top(self, _name: str, **_options: str) -> dict[str, Any]:
        self.asked.append("top")
        return {"Titles": ["PID", "ELAPSED", "CMD"], "Processes": [["9", "5", "make -j2"]]}

    def kill(self, _name: str) -> None:
        self.asked.append("kill")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A session with limits, and the end at which its command speaks."""

    session: ContainerSession
    command: socket.socket
    api: FakeApi


@contextmanager
def bench(limits: Limits) -> Iterator[Bench]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        api, registry = FakeApi(ours), SimpleNamespace(closed=False)
        client, spec = SimpleNamespace(api=api), ContainerSpec(limits=limits)
        session = ContainerSession(client, "image", spec, registry)  # type: ignore[arg-type]
        session.begin("build")
        yield Bench(session=session, command=theirs, api=api)


def test_a_silent_command_is_ended_with_its_container() -> None:
    lines: list[str] = []
    with bench(Limits(silence=0.2)) as here:
        here.command.sendall(frame(b"compiling\nand th"))
        with pytest.raises(TimedOutError) as caught:
            here.session.run(["make"], sink=lines.append)
    assert lines == ["compiling", "and th"]
    assert here.api.asked == ["make", "top", "kill"]
    assert "5 s: make -j2" in caught.value.found
    assert caught.value.found.endswith("  compiling\n  and th")


def test_half_a_frame_ends_as_well() -> None:
    with bench(Limits(silence=0.2)) as here:
        here.command.sendall(frame(b"x" * 100)[:50])
        with pytest.raises(TimedOutError, match="said nothing"):
            here.session.run(["make"], sink=print)


def test_capture_keeps_to_limits_and_quotes_what_it_has() -> None:
    with bench(Limits(silence=0.2)) as here:
        here.command.sendall(frame(b"part"))
        with pytest.raises(TimedOutError) as caught:
            here.session.capture(["make"])
    assert caught.value.found.endswith("the last lines of its output:\n  part")


def test_output_does_not_save_a_command_from_the_limit_of_time() -> None:
    with bench(Limits(time=0.3, silence=30)) as here:

        def again(_line: str) -> None:
            time.sleep(0.01)
            here.command.sendall(frame(b"more\n"))

        here.command.sendall(frame(b"more\n"))
        with pytest.raises(TimedOutError, match="took longer than"):
            here.session.run(["make"], sink=again)


def test_after_it_no_command_runs() -> None:
    with bench(Limits(silence=0.1)) as here:
        with pytest.raises(TimedOutError) as first:
            here.session.run(["make"], sink=print)
        here.session.begin("repair")
        with pytest.raises(TimedOutError) as second:
            here.session.capture(["next"])
    assert second.value is first.value
    assert here.api.asked == ["make", "top", "kill"]


def test_a_command_in_time_is_left_alone() -> None:
    with bench(Limits(time=30, silence=30)) as here:
        here.command.sendall(frame(b"done\n"))
        here.command.close()
        assert here.session.capture(["make"]) == "done\n"
    assert here.api.asked == ["make"]
