"""Which mode a host gets, and what `--backend` and `--compiler` mean in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from aarch64_wheels.errors import UsageError
from aarch64_wheels.machine import is_arm64, is_x86_64
from aarch64_wheels.settings.schema import Backend, Compiler, Mode

if TYPE_CHECKING:
    from aarch64_wheels.settings.schema import Settings

#: A host whose own system is Linux with glibc: there the native tools can be laid out.
GLIBC_LINUX = "linux with glibc"


def choose_mode(wanted: Mode, host_machine: str, host_system: str) -> Mode:
    """Choose how to build on a host: never `auto`.

    Args:
        wanted: the setting.
        host_machine: what `platform.machine()` says.
        host_system: `GLIBC_LINUX`, or any other words for what the host runs.

    Raises:
        UsageError: the host cannot do what is wanted.
    """
    possible = _possible(host_machine, host_system)
    if wanted is Mode.AUTO:
        return possible[0]
    if wanted in possible:
        return wanted
    raise UsageError(
        f"mode `{wanted}` cannot be used on this host",
        found=f"the machine is {host_machine}, its system {host_system}",
        hint=_instead(wanted, possible),
    )


def explain_mode(wanted: Mode, mode: Mode, host_machine: str, host_system: str) -> str:
    """Say which mode a build has, and where `auto` chose it, why: `accelerated (auto: …)`.

    Args:
        wanted: the setting.
        mode: what `choose_mode` made of it.
        host_machine: what `platform.machine()` says.
        host_system: as for `choose_mode`.
    """
    if wanted is not Mode.AUTO:
        return str(mode)
    match mode:
        case Mode.NATIVE:
            why = "an arm64 host, nothing is emulated"
        case Mode.ACCELERATED:
            why = "an x86-64 host with native tools"
        case Mode.EMULATED if is_x86_64(host_machine):
            why = f"the native tools need {GLIBC_LINUX}, not {host_system}"
        case Mode.EMULATED | Mode.AUTO:
            why = f"the native tools need an x86-64 host, not {host_machine}"
        case _:
            assert_never(mode)
    return f"{mode} (auto: {why})"


def effective_backend(settings: Settings, mode: Mode) -> Backend:
    """Say who runs the build backend in this mode; `auto` only where the build itself finds out.

    Raises:
        UsageError: the setting contradicts the mode.
    """
    match mode:
        case Mode.ACCELERATED | Mode.AUTO:
            return settings.backend
        case Mode.EMULATED:
            if settings.backend is Backend.NATIVE:
                raise _contradiction("backend", settings.backend, mode, "everything is emulated")
            return Backend.EMULATED
        case Mode.NATIVE:
            # Where `auto` came to native, the setting is for the x86-64 hosts of the same project.
            if settings.backend is Backend.EMULATED and settings.mode is Mode.NATIVE:
                raise _contradiction("backend", settings.backend, mode, "nothing is emulated")
            return Backend.NATIVE
        case _:
            assert_never(mode)


def effective_compiler(settings: Settings, mode: Mode) -> Compiler:
    """Say what compiles in this mode: outside of `accelerated` always the image's own GCC.

    Raises:
        UsageError: the setting contradicts the mode.
    """
    match mode:
        case Mode.ACCELERATED | Mode.AUTO:
            return settings.compiler
        case Mode.EMULATED:
            if settings.compiler is Compiler.NATIVE_ONLY:
                raise _contradiction("compiler", settings.compiler, mode, "everything is emulated")
            return Compiler.GCC
        case Mode.NATIVE:  # where nothing can fall back, `native-only` holds as it is
            return Compiler.GCC
        case _:
            assert_never(mode)


def _possible(host_machine: str, host_system: str) -> tuple[Mode, ...]:
    """List the modes that a host can build in, the one that `auto` takes first."""
    if is_arm64(host_machine):
        return (Mode.NATIVE,)
    if is_x86_64(host_machine) and host_system == GLIBC_LINUX:
        return (Mode.ACCELERATED, Mode.EMULATED)
    return (Mode.EMULATED,)


def _instead(wanted: Mode, possible: tuple[Mode, ...]) -> str:
    use = f"use `--mode {possible[0]}`, or `auto`, which picks it"
    match wanted:
        case Mode.ACCELERATED if Mode.NATIVE in possible:
            return f"build natively, there is nothing to accelerate: {use}"
        case Mode.ACCELERATED:
            return f"the native tools come from an x86-64 Linux with glibc: {use}"
        case Mode.EMULATED if Mode.NATIVE in possible:
            return f"build natively, there is nothing to emulate: {use}"
        case Mode.NATIVE | Mode.EMULATED | Mode.AUTO:
            return use
        case _:
            assert_never(wanted)


def _contradiction(option: str, value: str, mode: Mode, why: str) -> UsageError:
    return UsageError(
        f"`--{option} {value}` contradicts mode `{mode}`",
        found=f"in mode `{mode}` {why}",
        hint=f"use `--{option} auto`, or `--mode accelerated` on x86-64 Linux",
    )
