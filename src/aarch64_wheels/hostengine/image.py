"""What stands for the image in a build without containers: the host, as far as a plan knows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UsageError
from aarch64_wheels.machine import is_arm64
from aarch64_wheels.plan import Image
from aarch64_wheels.settings.modes import GLIBC_LINUX
from aarch64_wheels.settings.schema import EngineName

if TYPE_CHECKING:
    from aarch64_wheels.plan import Target
    from aarch64_wheels.settings.schema import Settings

_LIBCS = {GLIBC_LINUX: "glibc", "linux without glibc": "musl"}


def host_image(settings: Settings, host_machine: str, host_system: str) -> Image | None:
    """Give the host as an image, None where the settings ask for containers.

    It has no policy: a wheel is repaired to the best that the host's own C library allows.

    Args:
        settings: name the engine.
        host_machine: what `platform.machine()` says.
        host_system: what the host runs (see `choose_mode`).

    Raises:
        UsageError: nothing for aarch64 Linux can be built on this host itself.
    """
    if settings.engine is not EngineName.NONE:
        return None
    refuse_foreign(host_machine, host_system)
    if settings.test_image:
        raise UsageError(
            "`--test-image` contradicts `--engine none`",
            found=f"wheels are to be tested in a container of {settings.test_image}",
            hint="leave it out, or use an engine: `--engine auto`",
        )
    libc = _LIBCS[host_system]
    reference = f"the host with {libc}"
    return Image(name="the host", reference=reference, policy="", libc=libc, interpreters=None)


def refuse_foreign(host_machine: str, host_system: str) -> None:
    """See that what a host compiles runs on aarch64 Linux.

    Raises:
        UsageError: it does not; says why, and what to do.
    """
    if is_arm64(host_machine) and host_system in _LIBCS:
        return
    raise UsageError(
        "`--engine none` builds with this machine's own interpreters and compilers, so it needs "
        "arm64 Linux",
        found=f"the machine is {host_machine}, its system {host_system}",
        hint="leave it out to build in aarch64 containers (Docker or Podman), or run it on an "
        "arm64 machine",
    )


def by_name(targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """Have targets call their interpreters by name, for nobody has looked for them yet."""
    return tuple(with_path(target, target.interpreter.program) for target in targets)


def with_path(target: Target, path: str) -> Target:
    """Have a target use the interpreter at a path."""
    return replace(target, interpreter=replace(target.interpreter, path=path))
