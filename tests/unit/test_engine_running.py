"""What runs in a container, from the tables of several engines."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest

from aarch64_wheels.engine.running import (
    MOST,
    WIDTH,
    Process,
    describe,
    emulated_program,
    processes,
    running_in,
    without_own,
)

BINFMT = "/usr/libexec/qemu-binfmt/aarch64-binfmt-P"
#: Docker's, with the columns that it is asked for.
DOCKER = {
    "Titles": ["PID", "PPID", "ELAPSED", "%CPU", "COMMAND"],
    "Processes": [
        ["700", "690", "100", "0.0", "/sbin/docker-init -- sleep infinity"],
        ["710", "700", "100", "0.0", f"{BINFMT} /usr/bin/sleep sleep infinity"],
        ["720", "690", "95", "0.3", "/native/bin/python call_hook.py"],
        ["730", "720", "90", "0.1", "ninja -j2"],
        ["740", "730", "62", "12.5", f"{BINFMT} /usr/bin/cc1plus cc1plus a.cc"],
        ["750", "730", "61", "99.8", f"{BINFMT} /usr/bin/cc1plus cc1plus b.cc"],
        ["760", "720", "5", "0.0", "[sh] <defunct>"],
        ["770", "700", "80", "0.0", f"{BINFMT} /usr/bin/gpg-agent gpg-agent --daemon"],
    ],
}
DOCKER_USUAL = {
    "Titles": ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
    "Processes": [
        ["root", "700", "690", "0", "23:48", "?", "00:00:00", "sleep infinity"],
        ["root", "720", "690", "3", "23:48", "?", "00:00:01", "make"],
    ],
}
PODMAN = {
    "Titles": ["USER", "PID", "PPID", "%CPU", "ELAPSED", "TTY", "TIME", "COMMAND"],
    "Processes": [
        ["root", "1", "0", "0.000", "1m2.53s", "?", "0s", "/run/podman-init -- sleep infinity"],
        ["root", "2", "1", "0.000", "1m2.53s", "?", "0s", "sleep infinity"],
        ["root", "9", "0", "98.100", "1h0m2s", "?", "4s", "make all"],
    ],
}


class Api:
    """An engine with a table, or a sequence of troubles and tables."""

    def __init__(self, *answers: Any, pid: int = 700) -> None:
        self._answers, self._pid = list(answers), pid

    def inspect_container(self, _name: str) -> Any:
        return {"State": {"Pid": self._pid}}

    def top(self, _name: str, **_options: str) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ask(*answers: Any, pid: int = 700) -> tuple[str, ...]:
    return running_in(SimpleNamespace(api=Api(*answers, pid=pid)), "container")


def test_the_deepest_and_busiest_come_first_and_ours_are_left_out() -> None:
    assert ask(DOCKER) == (
        "1 min 01 s: /usr/bin/cc1plus b.cc",
        "1 min 02 s: /usr/bin/cc1plus a.cc",
        "1 min 30 s: ninja -j2",
        "1 min 35 s: /native/bin/python call_hook.py",
        "1 min 20 s: /usr/bin/gpg-agent --daemon",
    )


def test_an_engine_that_refuses_the_columns_is_asked_in_its_own_way() -> None:
    refusal = docker.errors.APIError("ps: error: unknown user-defined format specifier")
    assert ask(refusal, DOCKER_USUAL) == ("make",)


def test_podman_s_numbers_are_those_of_the_container() -> None:
    assert ask(PODMAN, pid=4711) == ("1 h: make all",)


TROUBLES: dict[str, tuple[Any, ...]] = {
    "gone": (docker.errors.NotFound("gone"), docker.errors.NotFound("gone")),
    "nothing": ({"Titles": None, "Processes": None},),
    "no titles": ({"Processes": [["1", "make"]]},),
    "other titles": ({"Titles": ["A", "B"], "Processes": [["1", "make"]]},),
    "short rows": ({"Titles": ["PID", "CMD"], "Processes": [["1"], []]},),
    "no list": ({"Titles": 5},),
}


@pytest.mark.parametrize("answers", TROUBLES.values(), ids=TROUBLES.keys())
def test_what_cannot_be_told_is_left_out(answers: tuple[Any, ...]) -> None:
    assert ask(*answers) == ()


AGES = {
    "5": 5.0,
    "01:05": 65.0,
    "2:00:00": 7200.0,
    "1-00:00:01": 86401.0,
    "1h2m3.5s": 3723.5,
    "15.25s": 15.25,
    "Nov22": None,
    "": None,
}


@pytest.mark.parametrize(("text", "age"), AGES.items(), ids=AGES.keys())
def test_ages(text: str, age: float | None) -> None:
    table = {"Titles": ["PID", "ETIME", "ARGS"], "Processes": [["1", text, "make"]]}
    assert [row.age for row in processes(table)] == [age]


COMMANDS = {
    "/usr/bin/qemu-aarch64-static /usr/bin/cc1plus -quiet a.cc": "/usr/bin/cc1plus -quiet a.cc",
    f"{BINFMT} /usr/bin/python3.13 python -c pass": "/usr/bin/python3.13 -c pass",
    f"{BINFMT} /usr/bin/sh sh -c exit": "/usr/bin/sh -c exit",
    "/usr/bin/qemu-aarch64 /bin/sh sh -c exit": "/bin/sh -c exit",
    "/usr/bin/qemu-aarch64-static /bin/true": "/bin/true",
    "qemu-aarch64-static -L /sysroot ./test": "qemu-aarch64-static -L /sysroot ./test",
    "/usr/bin/qemu-aarch64-static": "/usr/bin/qemu-aarch64-static",
    "/usr/bin/qemu-img create x": "/usr/bin/qemu-img create x",
    "ninja -v": "ninja -v",
}


@pytest.mark.parametrize(("command", "shown"), COMMANDS.items(), ids=COMMANDS.keys())
def test_the_program_is_shown_and_not_its_emulator(command: str, shown: str) -> None:
    assert emulated_program(command) == shown


def row(pid: int, parent: int = 0, command: str = "make") -> Process:
    return Process(pid=pid, parent=parent, age=1.0, busy=0.0, command=command)


def test_a_long_list_is_cut() -> None:
    lines = describe([row(n) for n in range(2, MOST + 7)])
    assert len(lines) == MOST + 1
    assert lines[-1] == "and 5 more"


def test_a_long_command_is_cut() -> None:
    (line,) = describe([row(2, command="x" * 1000)])
    assert line == "1 s: " + "x" * WIDTH + "…"


def test_a_login_is_left_out_before_a_long_command_is_cut() -> None:
    words = "x" * (WIDTH - len("pip  https://h.exa"))
    (line,) = describe([row(2, command=f"pip {words} https://u:{'S3CRET' * 9}@h.example/")])
    assert line == f"1 s: pip {words} https://h.exa…"


def test_a_circle_of_parents_ends() -> None:
    assert len(describe([row(2, 3), row(3, 2), row(4, 4)])) == 3


def test_a_project_s_own_sleep_is_shown() -> None:
    found = [row(700), row(710, 700, "sleep infinity"), row(730, 720, "sleep infinity")]
    assert [each.pid for each in without_own(found, 700)] == [730]
