"""What a container is made with, apart from its image."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from aarch64_wheels.engine.create_args import CreateArgs
from aarch64_wheels.engine.watch import Limits
from aarch64_wheels.native.places import BIN, COMPILERS, NATIVE, REPAIR

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Plain ARMv8.0: quick under QEMU (no pointer authentication), and a wheel that uses later
#: instructions fails in its test instead of at a user's.
QEMU_CPU = "cortex-a72"
#: Where the host's CA bundle is copied to. A copy works with an engine whose file system is
#: not ours, and nothing in the container can alter the host's file.
CA_BUNDLE = PurePosixPath("/etc/aarch64-wheels/ca.pem")
#: What stages call by name, and is native where `BIN` comes before the image's own.
_TOOLS = frozenset({"auditwheel", REPAIR, "uv"})


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A volume of the engine, at a place of the container where it can only be read."""

    volume: str
    target: PurePosixPath


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """How to start a container.

    Attributes:
        environment: the variables of its commands (see `network.container_environment`).
        ca_bundle: a host file that is copied to `CA_BUNDLE`, read-only.
        emulated: it runs under QEMU, so its CPU is set.
        mounts: volumes (see `volumes.ensure_volume`), outer places before those inside them.
        network: Docker's network mode, None for the engine's default.
        run_id: names the run in the container's label.
        keep_as: the image that `Session.keep` makes of it, empty if none.
        limits: of time, for its commands.
        given: the user's own arguments for it.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ca_bundle: Path | None = None
    emulated: bool = False
    mounts: tuple[Mount, ...] = ()
    network: str | None = None
    run_id: str = "run"
    keep_as: str = ""
    limits: Limits = field(default_factory=Limits)
    given: CreateArgs = field(default_factory=CreateArgs)

    @property
    def cpu(self) -> dict[str, str]:
        """The variable for an emulated CPU."""
        return {"QEMU_CPU": QEMU_CPU} if self.emulated else {}

    def emulates(self, program: str) -> bool:
        """Tell whether QEMU runs a program, which is called by its path or its name."""
        path = self.environment.get("PATH", "").split(":")
        comes_first = [row for row in path if row != str(COMPILERS)][:1] == [str(BIN)]
        is_native = PurePosixPath(program).is_relative_to(NATIVE)
        return self.emulated and not (is_native or (program in _TOOLS and comes_first))
