"""What a user gives for the making of containers: `container-engine`, as cibuildwheel has it."""

from __future__ import annotations

from typing import Any

import pytest

from aarch64_wheels.engine.create_args import CreateArgs, read_create_args
from aarch64_wheels.errors import UsageError

READ: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("", {}),
    "an-engine": ("podman", {}),
    "cpus": ("docker; create_args: --cpus 1.5", {"nano_cpus": 1_500_000_000}),
    "memory": ("docker; create_args: -m 4g --shm-size=1g", {"mem_limit": "4g", "shm_size": "1g"}),
    "volumes": ("docker; create_args: -v /a:/b:ro -v /c:/d", {"binds": ["/a:/b:ro", "/c:/d"]}),
    "hosts": ("docker; create_args: --add-host h:1.2.3.4", {"extra_hosts": {"h": "1.2.3.4"}}),
    "rights": (
        "docker; create_args: --privileged --cap-add SYS_PTRACE",
        {"privileged": True, "cap_add": ["SYS_PTRACE"]},
    ),
    "what-is-so-anyhow": ("docker; create_args: --platform linux/arm64 --init", {}),
}


@pytest.mark.parametrize(("text", "host"), READ.values(), ids=READ.keys())
def test_what_is_read(text: str, host: dict[str, Any]) -> None:
    found = read_create_args(text, {})
    assert (found.host, found.environment) == (host, {})
    assert found.engine == text.partition(";")[0]


def test_nothing_given_is_nothing() -> None:
    assert read_create_args("", {}) == CreateArgs(host={}, environment={})


def test_limits() -> None:
    found = read_create_args("docker; create_args: --ulimit nofile=100:200 --ulimit core=0", {})
    assert [dict(row) for row in found.host["ulimits"]] == [
        {"Name": "nofile", "Soft": 100, "Hard": 200},
        {"Name": "core", "Soft": 0, "Hard": 0},
    ]


def test_variables_are_given_to_commands_or_passed_on() -> None:
    text = "docker; create_args: -e A=1 --env=B -e GONE"
    assert read_create_args(text, {"B": "2", "C": "3"}).environment == {"A": "1", "B": "2"}


WRONG = {
    "engine": ("lxc", "`lxc` is no `container-engine`"),
    "argument": ("docker; create_args: --gpus all", "--gpus"),
    "number": ("docker; create_args: --cpus many", "--cpus"),
    "limit": ("docker; create_args: --ulimit nofile", "--ulimit nofile"),
    "limit-value": ("docker; create_args: --ulimit nofile=x", "--ulimit nofile=x"),
    "host": ("docker; create_args: --add-host here", "--add-host here"),
    "key": ("docker; arguments: x", "has no `arguments`"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_used(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_create_args(text, {})
    assert words in str(caught.value)
