"""What a user gives for the making of containers: `container-engine`, as cibuildwheel has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.engine.create_args import CreateArgs, read_create_args
from aarch64_wheels.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

READ: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("", {}),
    "an-engine": ("podman", {}),
    "cpus": ("docker; create_args: --cpus 1.5", {"nano_cpus": 1_500_000_000}),
    "memory": ("docker; create_args: -m 4g --shm-size=1g", {"mem_limit": "4g", "shm_size": "1g"}),
    "other-sizes": (
        "docker; create_args: -m 0 --shm-size 1.5GB",
        {"mem_limit": "0", "shm_size": "1.5GB"},
    ),
    "sizes-as-docker-has-them": (
        "docker; create_args: --memory 4GiB --shm-size 512mib",
        {"mem_limit": "4G", "shm_size": "512m"},
    ),
    "short-units": ("docker; create_args: -m 4Gi", {"mem_limit": "4G"}),
    "any-cpus": ("docker; create_args: --cpus 0 --init", {}),
    "volumes": ("docker; create_args: -v /a:/b:ro -v /c:/d", {"binds": ["/a:/b:ro", "/c:/d"]}),
    "hosts": ("docker; create_args: --add-host h:1.2.3.4", {"extra_hosts": {"h": "1.2.3.4"}}),
    "rights": (
        "docker; create_args: --privileged --cap-add SYS_PTRACE",
        {"privileged": True, "cap_add": ["SYS_PTRACE"]},
    ),
    "profile-by-name": (
        "docker; create_args: --security-opt seccomp=unconfined --security-opt label=disable",
        {"security_opt": ["seccomp=unconfined", "label=disable"]},
    ),
    "what-is-so-anyhow": ("docker; create_args: --platform linux/arm64 --init", {}),
}


@pytest.mark.parametrize(("text", "host"), READ.values(), ids=READ.keys())
def test_what_is_read(text: str, host: dict[str, Any]) -> None:
    found = read_create_args(text, {})
    assert (found.host, found.environment) == (host, {})
    assert found.engine == text.partition(";")[0]


def test_nothing_given_is_nothing() -> None:
    found = read_create_args("", {})
    assert found == CreateArgs(host={}, environment={})
    assert found.key == ""


def test_what_is_given_has_a_key_that_shows_nothing_of_it() -> None:
    text = "docker; create_args: -e A=%s --cpus 2 -v /a:/b --ulimit core=0 -e B"
    cases = [(text % 1, {}), (text % 2, {}), (text % 1, {"B": "2"}), (text % 1 + " --dns h", {})]
    keys = [read_create_args(text, environ).key for text, environ in (*cases, cases[0])]
    assert len(set(keys)) == 4
    assert keys[0] == keys[-1]
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)


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
    "number": ("docker; create_args: --cpus many", "--cpus: many is no number of cores"),
    "no-number": ("docker; create_args: --cpus nan", "--cpus: nan is no number of cores"),
    "no-end": ("docker; create_args: --cpus inf", "--cpus: inf is no number of cores"),
    "too-many": ("docker; create_args: --cpus 1e300", "--cpus: 1e300 is no number of cores"),
    "too-few": ("docker; create_args: --cpus 1e-10", "--cpus: 1e-10 is no number of cores"),
    "less-than-none": ("docker; create_args: --cpus=-1", "--cpus: -1 is no number of cores"),
    "size": ("docker; create_args: --shm-size abc", "--shm-size: abc is no size"),
    "unit": ("docker; create_args: --memory 4x", "--memory: 4x is no size"),
    "unit-alone": ("docker; create_args: --memory GiB", "--memory: GiB is no size"),
    "no-unit": ("docker; create_args: --memory 4ib", "--memory: 4ib is no size"),
    "endless-size": ("docker; create_args: -m infg", "--memory: infg is no size"),
    "debt": ("docker; create_args: --memory=-4g", "--memory: -4g is no size"),
    "empty-size": ("docker; create_args: --memory=", "--memory:  is no size"),
    "profile": (
        "docker; create_args: --security-opt seccomp=gone.json",
        "the seccomp profile `gone.json`",
    ),
    "no-profile": ("docker; create_args: --security-opt seccomp=", "seccomp profile"),
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


def test_a_seccomp_profile_is_given_by_its_content(tmp_path: Path) -> None:
    profile = tmp_path / "own.json"
    profile.write_text('{\n  "defaultAction": "SCMP_ACT_ALLOW"\n}\n')
    found = read_create_args(f"docker; create_args: --security-opt seccomp={profile}", {})
    assert found.host == {"security_opt": ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']}


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000], ids=["cut", "bytes", "deep"])
def test_a_seccomp_profile_that_is_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    profile = tmp_path / "own.json"
    profile.write_bytes(content)
    with pytest.raises(UsageError, match="seccomp profile") as caught:
        read_create_args(f"docker; create_args: --security-opt seccomp={profile}", {})
    assert caught.value.found
    assert "unconfined" in caught.value.hint


def test_arguments_are_known_by_their_names_alone() -> None:
    text = "docker; create_args: -eTOKEN=x --net=host --platform linux/arm64 --init"
    assert read_create_args(text, {}).options == ("--network", "--env")
