"""Who runs a project's build backend: a native interpreter with the target's identity, or not.

Fact: whatever the native backend cannot do, the emulated one can. So a failure is final only
where it is the code's own; anything else is tried again under emulation, in a new container: the
project's code ran as root in the old one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aarch64_wheels.crash import CRASHES
from aarch64_wheels.errors import StageError
from aarch64_wheels.settings.schema import Backend, Mode
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath

    from aarch64_wheels.errors import CommandError
    from aarch64_wheels.native.facts import FactsStore
    from aarch64_wheels.native.provenance import Call
    from aarch64_wheels.plan import Plan

#: How autoconf, CMake, Meson, setuptools, waf and SCons call what they try (see `shim/reasons.h`).
_PROBE = re.compile(
    r"CMakeScratch|CMakeTmp|meson-private|conf_check_|sconf_temp|try_compile"
    r"|/(conftest|_configtest|testfile\.|flagcheck)[^/]*$"
)
#: Words of interpreters, loaders and kernels about a program or library of another machine.
_FOREIGN = re.compile(
    r"\b(ImportError|ModuleNotFoundError)\b|cannot open shared object|wrong ELF class"
    r"|invalid ELF header|[Ee]xec format error|cannot execute binary"
)
#: These neither compile nor link, so they say nothing of the code.
_ARCHIVERS = frozenset({"ar", "ranlib"})


@dataclass(frozen=True, kw_only=True)
class BackendSetup:
    """What one target's backend may be run with.

    Attributes:
        facts: what the image's interpreters say of themselves.
        python: the native interpreter of the target's version in the container, None if there
            is none; key: says which one it is; missing: why there is none.
        parallel: how many processes of one build may work at the same time.
    """

    facts: FactsStore
    python: PurePosixPath | None = None
    key: str = ""
    missing: str = ""
    parallel: int = 1


@dataclass(frozen=True, kw_only=True)
class BackendOutcome:
    """How the backend ran in mode `accelerated`; `backend` is empty in the others.

    `reason` says why it did not run natively, where it might have.
    """

    backend: Literal["native", "emulated", ""]
    reason: str = ""

    @property
    def is_native(self) -> bool:
        """A native interpreter with the target's identity runs the hooks."""
        return self.backend == "native"


class NotNative(StageError):  # noqa: N818 - not an error while there is another way
    """The backend cannot run natively.

    Args:
        reason: why, one line.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(
            "the build backend cannot run natively",
            found=one_line(reason),
            hint="use `--backend auto`, which then runs it under emulation",
        )

    @property
    def reason(self) -> str:
        """Why, one line without logins: notes and reports have it."""
        return self.found


def first_choice(plan: Plan, setup: BackendSetup) -> BackendOutcome:
    """Decide what can be decided before anything has run.

    Raises:
        NotNative: `--backend native` cannot be had.
    """
    if plan.mode is not Mode.ACCELERATED:
        return BackendOutcome(backend="")
    if plan.backend is Backend.EMULATED:
        return BackendOutcome(backend="emulated")
    if setup.python is not None:
        return BackendOutcome(backend="native")
    return second_choice(plan, NotNative(setup.missing or "there is no native interpreter"))


def second_choice(plan: Plan, refusal: NotNative) -> BackendOutcome:
    """Give the emulated backend where `--backend auto` allows it.

    Raises:
        NotNative: the same, where it is to be native and nothing else.
    """
    if plan.backend is Backend.NATIVE:
        raise refusal
    return BackendOutcome(backend="emulated", reason=refusal.reason)


def why_not_native(error: CommandError, calls: Sequence[Call]) -> str:
    """Say why a hook that failed natively may do better under emulation.

    Args:
        error: of the hook.
        calls: the recorded compiler calls, in the order they ended; the last ones will do.

    Returns:
        The reason, one line; empty if the failure is the code's own and final.
    """
    if error.signal in CRASHES:
        return f"it crashed natively ({error.signal})"
    lines = [line.strip() for line in error.tail.splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if _FOREIGN.search(line)), "")
    if not said and any_failed(calls):
        return ""
    return f"it failed natively: {said or (lines[-1] if lines else f'status {error.status}')}"


def any_failed(calls: Sequence[Call]) -> bool:
    """Tell whether a compiler found fault with the project's own code.

    Another compiler process may have ended well in the meantime, so what counts is whether the
    file that could not be made was made later. Probes are meant to fail.
    """
    unmade: set[tuple[str, ...]] = set()
    for call in calls:
        if call.tool in _ARCHIVERS or _is_probe(call):
            continue
        made = (call.output,) if call.output else call.inputs
        if call.status == 0:
            unmade.discard(made)
        else:
            unmade.add(made)
    return bool(unmade)


def _is_probe(call: Call) -> bool:
    """Tell whether a configure script or its like is trying something out, as the shim does."""
    return any(_PROBE.search(path) for path in (call.directory, *call.inputs))
