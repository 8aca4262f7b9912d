"""Arguments of `docker create` that a user gives for build containers (`container-engine`)."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import docker.errors
import docker.types
import docker.utils

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.parameters import Words, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OPTION = "container-engine"
_KEYS = ("create_args", "disable_host_mount")
_NAMES = ("docker", "podman")
#: What is taken and changes nothing: the platform is always arm64, and an init program there is.
_WITHOUT_EFFECT = ("platform", "init")
_SUPPORTED = (
    "supported are --cpus, --memory, --shm-size, --env, --volume, --tmpfs, --device, "
    "--add-host, --dns, --network, --ulimit, --cap-add, --security-opt, --privileged"
)
#: The engine counts in billionths of a core, in 64 bits.
_NANO, _MOST_NANO = 10**9, 2**63 - 1
#: What a size may have behind its unit (`4GiB`, `4Gi`), which docker-py does not know.
_BINARY = re.compile(r"(?<=[kmgtp])ib?$", re.IGNORECASE)
#: Profiles that engines know by name; any other is a file of this machine.
_SECCOMP_NAMES = ("builtin", "unconfined")


@dataclass(frozen=True, kw_only=True)
class CreateArgs:
    """What they come to.

    Attributes:
        host: arguments of docker-py's `create_host_config`.
        environment: variables of all commands in the containers.
        engine: the engine's name, empty if none is given.
        options: the arguments by name (`--memory`), for errors; their values may be secrets.
    """

    host: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    engine: str = ""
    options: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A hash of what containers are given, empty for nothing: what is kept depends on it."""
        rows = [dict(self.host), dict(self.environment)]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest() if any(rows) else ""


def read_create_args(text: str, environ: Mapping[str, str]) -> CreateArgs:
    """Read the option.

    Args:
        text: such as `docker; create_args: --cpus 2`; empty for nothing.
        environ: variables of this process, for `--env NAME`.

    Raises:
        UsageError: it names no engine, or has an argument that is not supported, or a value
            that no engine takes.
    """
    found = parse(text, _OPTION, _KEYS)
    if found.name not in ("", *_NAMES):
        raise UsageError(f"`{found.name}` is no `{_OPTION}`", hint=f"it may be {', '.join(_NAMES)}")
    words = _parser().parse_args(list(filter(None, found.words("create_args"))))
    return CreateArgs(
        host=_host(words),
        environment=_variables(words.env, environ),
        engine=found.name,
        options=_names_of(words),
    )


def _names_of(words: argparse.Namespace) -> tuple[str, ...]:
    given = (name for name, value in vars(words).items() if value and name not in _WITHOUT_EFFECT)
    return tuple(f"--{name.replace('_', '-')}" for name in given)


def _parser() -> Words:
    parser = Words(f"the create_args of `{_OPTION}` cannot be used", hint=_SUPPORTED)
    parser.add_argument("--cpus", type=_nano_cpus)
    parser.add_argument("-m", "--memory", type=_size)
    parser.add_argument("--shm-size", type=_size)
    parser.add_argument("--network", "--net")
    many = (
        *(("-e", "--env"), ("-v", "--volume"), ("--tmpfs",), ("--device",), ("--add-host",)),
        *(("--dns",), ("--ulimit",), ("--cap-add",)),
    )
    for names in many:
        parser.add_argument(*names, action="append", default=[])
    parser.add_argument("--security-opt", action="append", default=[], type=_security)
    for name in ("--privileged", "--init"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--platform")
    return parser


def _nano_cpus(text: str) -> int:
    """Read a number of cores, 0 for all; errors of readers get their names from argparse."""
    try:
        cores = float(text) * _NANO
    except ValueError:
        cores = math.nan
    if cores != 0 and not 1 <= cores <= _MOST_NANO:
        raise argparse.ArgumentTypeError(f"{text} is no number of cores, such as 1.5")
    return int(cores)


def _size(text: str) -> str:
    """Check a size as docker-py will read it, which is when the container is made.

    The docker command takes `4GiB`, too, and means the same by it as by `4g`.
    """
    size = _BINARY.sub("", text)
    try:
        is_size = bool(size) and docker.utils.parse_bytes(size) >= 0
    except (docker.errors.DockerException, ValueError, OverflowError):
        is_size = False
    if not is_size:
        raise argparse.ArgumentTypeError(f"{text} is no size, such as 4g or 512m")
    return size


def _security(text: str) -> str:
    """Read the file of `seccomp=FILE`, as the docker command does: the engine takes JSON."""
    name, _, value = text.partition("=" if "=" in text else ":")
    if name != "seccomp" or value in _SECCOMP_NAMES:
        return text
    try:
        profile = json.loads(Path(value).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"the seccomp profile `{value}` of `{_OPTION}` cannot be read",
            found=getattr(error, "strerror", None) or str(error),
            hint="name a JSON file of this machine, or `seccomp=unconfined`",
        ) from None
    return f"{name}={json.dumps(profile, separators=(',', ':'))}"


def _host(words: argparse.Namespace) -> dict[str, Any]:
    """Say it as docker-py does; what is not given is left out."""
    found = {
        "nano_cpus": words.cpus,
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
