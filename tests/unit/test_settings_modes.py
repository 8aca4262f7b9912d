"""Which mode a host gets, and what `--backend` and `--compiler` mean in it."""

from __future__ import annotations

import pytest

from aarch64_wheels.errors import ExitCode, UsageError
from aarch64_wheels.settings.modes import (
    GLIBC_LINUX,
    choose_mode,
    effective_backend,
    effective_compiler,
    explain_mode,
)
from aarch64_wheels.settings.schema import Backend, Compiler, Mode, Settings


@pytest.mark.parametrize(
    ("wanted", "machine", "expected"),
    [
        (Mode.AUTO, "x86_64", Mode.ACCELERATED),
        (Mode.AUTO, "AMD64", Mode.ACCELERATED),
        (Mode.AUTO, "aarch64", Mode.NATIVE),
        (Mode.AUTO, "arm64", Mode.NATIVE),
        (Mode.AUTO, "ppc64le", Mode.EMULATED),
        (Mode.ACCELERATED, "x86_64", Mode.ACCELERATED),
        (Mode.EMULATED, "x86_64", Mode.EMULATED),
        (Mode.EMULATED, "s390x", Mode.EMULATED),
        (Mode.NATIVE, "aarch64", Mode.NATIVE),
    ],
)
def test_the_mode_of_a_host(wanted: Mode, machine: str, expected: Mode) -> None:
    assert choose_mode(wanted, machine, GLIBC_LINUX) is expected


OTHER_SYSTEMS = ["darwin", "win32", "linux without glibc"]


@pytest.mark.parametrize("system", OTHER_SYSTEMS)
def test_native_tools_need_linux_with_glibc(system: str) -> None:
    assert choose_mode(Mode.AUTO, "x86_64", system) is Mode.EMULATED
    assert choose_mode(Mode.AUTO, "arm64", system) is Mode.NATIVE
    with pytest.raises(UsageError, match="mode `accelerated` cannot be used") as caught:
        choose_mode(Mode.ACCELERATED, "x86_64", system)
    assert caught.value.found == f"the machine is x86_64, its system {system}"
    assert "Linux with glibc" in caught.value.hint
    assert "`--mode emulated`" in caught.value.hint


@pytest.mark.parametrize(
    ("wanted", "machine", "words"),
    [
        (Mode.NATIVE, "x86_64", ["`--mode accelerated`", "`auto`"]),
        (Mode.NATIVE, "ppc64le", ["`--mode emulated`"]),
        (Mode.ACCELERATED, "aarch64", ["build natively", "`--mode native`"]),
        (Mode.EMULATED, "arm64", ["build natively", "nothing to emulate"]),
        (Mode.ACCELERATED, "ppc64le", ["x86-64 Linux", "`--mode emulated`"]),
    ],
)
def test_a_mode_that_does_not_fit_the_host(wanted: Mode, machine: str, words: list[str]) -> None:
    with pytest.raises(UsageError, match=f"mode `{wanted}` cannot be used") as caught:
        choose_mode(wanted, machine, GLIBC_LINUX)
    assert machine in caught.value.found
    assert [word for word in words if word not in caught.value.hint] == []
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("machine", "system", "expected"),
    [
        ("aarch64", GLIBC_LINUX, "native (auto: an arm64 host, nothing is emulated)"),
        ("x86_64", GLIBC_LINUX, "accelerated (auto: an x86-64 host with native tools)"),
        ("x86_64", "darwin", "emulated (auto: the native tools need linux with glibc, not darwin)"),
        ("s390x", GLIBC_LINUX, "emulated (auto: the native tools need an x86-64 host, not s390x)"),
    ],
)
def test_auto_says_what_it_chose_and_why(machine: str, system: str, expected: str) -> None:
    chosen = choose_mode(Mode.AUTO, machine, system)
    assert explain_mode(Mode.AUTO, chosen, machine, system) == expected


def test_a_mode_that_was_asked_for_needs_no_reason() -> None:
    assert explain_mode(Mode.EMULATED, Mode.EMULATED, "x86_64", GLIBC_LINUX) == "emulated"


@pytest.mark.parametrize(
    ("given", "mode", "expected"),
    [
        *((item, Mode.ACCELERATED, item) for item in Backend),
        (Backend.AUTO, Mode.EMULATED, Backend.EMULATED),
        (Backend.EMULATED, Mode.EMULATED, Backend.EMULATED),
        (Backend.AUTO, Mode.NATIVE, Backend.NATIVE),
        (Backend.NATIVE, Mode.NATIVE, Backend.NATIVE),
        # A project's own table, on a runner where `auto` came to native.
        (Backend.EMULATED, Mode.NATIVE, Backend.NATIVE),
    ],
)
def test_the_backend_in_a_mode(given: Backend, mode: Mode, expected: Backend) -> None:
    assert effective_backend(Settings(backend=given), mode) is expected


@pytest.mark.parametrize(
    ("given", "mode", "expected"),
    [
        *((item, Mode.ACCELERATED, item) for item in Compiler),
        (Compiler.AUTO, Mode.EMULATED, Compiler.GCC),
        (Compiler.GCC, Mode.EMULATED, Compiler.GCC),
        *((item, Mode.NATIVE, Compiler.GCC) for item in Compiler),
    ],
)
def test_the_compiler_in_a_mode(given: Compiler, mode: Mode, expected: Compiler) -> None:
    assert effective_compiler(Settings(compiler=given), mode) is expected


def _settle(settings: Settings) -> None:
    effective_backend(settings, settings.mode)
    effective_compiler(settings, settings.mode)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            Settings(mode=Mode.EMULATED, backend=Backend.NATIVE),
            ["`--backend native` contradicts mode `emulated`", "everything is emulated"],
            id="native-backend",
        ),
        pytest.param(
            Settings(mode=Mode.EMULATED, compiler=Compiler.NATIVE_ONLY),
            ["`--compiler native-only` contradicts", "use `--compiler auto`"],
            id="native-only",
        ),
        pytest.param(
            Settings(mode=Mode.NATIVE, backend=Backend.EMULATED),
            ["`--backend emulated` contradicts mode `native`", "nothing is emulated"],
            id="emulated-backend",
        ),
    ],
)
def test_settings_that_contradict_the_mode(settings: Settings, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        _settle(settings)
    assert [word for word in words if word not in str(caught.value)] == []
    assert len(str(caught.value).splitlines()) <= 4
