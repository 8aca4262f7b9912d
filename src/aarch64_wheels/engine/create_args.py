"""Arguments of `docker create` that a user gives for build containers (`container-engine`)."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

import docker.types

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.parameters import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OPTION = "container-engine"
_KEYS = ("create_args", "disable_host_mount")
_NAMES = ("docker", "podman")


@dataclass(frozen=True, kw_only=True)
class CreateArgs:
    """What they come to.

    Attributes:
        host: arguments of docker-py's `create_host_config`.
        environment: variables of all commands in the containers.
        engine: the engine's name, empty if none is given.
    """

    host: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    engine: str = ""


class _Words(argparse.ArgumentParser):
    """A parser of another program's arguments."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(
            f"the create_args of `{_OPTION}` cannot be used",
            found=message,
            hint="supported are --cpus, --memory, --shm-size, --env, --volume, --tmpfs, --device, "
            "--add-host, --dns, --network, --ulimit, --cap-add, --security-opt, --privileged",
        )


def read_create_args(text: str, environ: Mapping[str, str]) -> CreateArgs:
    """Read the option.

    Args:
        text: such as `docker; create_args: --cpus 2`; empty for nothing.
        environ: variables of this process, for `--env NAME`.

    Raises:
        UsageError: it names no engine, or has an argument that is not supported.
    """
    found = parse(text, _OPTION, _KEYS)
    if found.name not in ("", *_NAMES):
        raise UsageError(f"`{found.name}` is no `{_OPTION}`", hint=f"it may be {', '.join(_NAMES)}")
    words = _parser().parse_args(_joined(found.words("create_args")))
    return CreateArgs(
        host=_host(words), environment=_variables(words.env, environ), engine=found.name
    )


def _joined(words: Sequence[str]) -> list[str]:
    return [word for word in words if word]


def _parser() -> _Words:
    parser = _Words(add_help=False, allow_abbrev=False)
    parser.add_argument("--cpus", type=float)
    for name in (("-m", "--memory"), ("--shm-size",), ("--network", "--net")):
        parser.add_argument(*name)
    many = (
        *(("-e", "--env"), ("-v", "--volume"), ("--tmpfs",), ("--device",), ("--add-host",)),
        *(("--dns",), ("--ulimit",), ("--cap-add",), ("--security-opt",)),
    )
    for names in many:
        parser.add_argument(*names, action="append", default=[])
    parser.add_argument("--privileged", action="store_true")
    # The platform is always arm64, and there always is an init program.
    parser.add_argument("--platform")
    parser.add_argument("--init", action="store_true")
    return parser


def _host(words: argparse.Namespace) -> dict[str, Any]:
    """Say it as docker-py does; what is not given is left out."""
    found = {
        "nano_cpus": int(words.cpus * 1e9) if words.cpus else None,
        "mem_limit": words.memory,
        "shm_size": words.shm_size,
        "network_mode": words.network,
        "binds": words.volume,
        "tmpfs": words.tmpfs,
        "devices": words.device,
        "extra_hosts": dict(_pair(row, "--add-host", ":") for row in words.add_host),
        "dns": words.dns,
        "ulimits": [_ulimit(row) for row in words.ulimit],
        "cap_add": words.cap_add,
        "security_opt": words.security_opt,
        "privileged": words.privileged,
    }
    return {name: value for name, value in found.items() if value}


def _ulimit(row: str) -> docker.types.Ulimit:
    name, limits = _pair(row, "--ulimit", "=")
    soft, _, hard = limits.partition(":")
    try:
        return docker.types.Ulimit(name=name, soft=int(soft), hard=int(hard or soft))
    except ValueError:
        _parser().error(f"--ulimit {row}")


def _pair(row: str, option: str, mark: str) -> tuple[str, str]:
    key, found, value = row.partition(mark)
    if not found or not key:
        _parser().error(f"{option} {row}")
    return key, value


def _variables(rows: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Read `NAME=VALUE`, or `NAME` for the host's own."""
    pairs = (row.partition("=") for row in rows)
    return {
        name: value if mark else environ[name]
        for name, mark, value in pairs
        if mark or name in environ
    }
