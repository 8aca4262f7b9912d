"""Emulation against a real kernel and engine."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.emulation.binfmt import BINFMT, Entry, State, diagnose
from aarch64_wheels.emulation.probe import (
    NOT_REGISTERED,
    WITHOUT_F,
    ProbeResult,
    probe_engine,
    run_probe,
)
from aarch64_wheels.emulation.probe_elf import image_archive, program
from aarch64_wheels.emulation.providers import ensure_emulation
from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.settings.schema import EngineName

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A machine that does not exist, so that the registration of aarch64 stays as it is.
MADE_UP = 0xA64B
ENTRY = BINFMT / "aarch64-wheels-test"
TAG = "aarch64-wheels/probe-test:1"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return connect(EngineName.AUTO, os.environ)


@pytest.fixture
def made_up_image(engine: Engine) -> Iterator[str]:
    yield engine.load_stream(image_archive(program(MADE_UP), TAG))
    engine.client.images.remove(TAG)


@pytest.fixture
def registered(request: pytest.FixtureRequest) -> Iterator[None]:
    """Register the made-up machine with the flags of the parameter."""
    if os.geteuid() != 0 or not (BINFMT / "register").exists():
        pytest.skip("registering with the kernel needs root and binfmt_misc")
    magic = "".join(f"\\x{byte:02x}" for byte in program(MADE_UP)[:20])
    # Any static program will do: it has to be found, not to understand.
    line = f":{ENTRY.name}:M::{magic}::/usr/bin/qemu-aarch64-static:{request.param}"
    (BINFMT / "register").write_text(line)
    yield
    ENTRY.write_text("-1")


def probes_left(engine: Engine) -> list[str]:
    found = engine.client.api.containers(all=True, filters={"name": "aarch64-wheels-probe"})
    return [container["Id"] for container in found]


def test_emulation_is_made_to_work_and_stays(engine: Engine) -> None:
    said: list[str] = []
    ensure_emulation(engine, fix=True, sink=said.append)
    said.clear()
    ensure_emulation(engine, fix=True, sink=said.append)
    assert said == []
    ensure_emulation(engine, fix=False, sink=said.append)


def test_probes_are_quick_and_leave_no_container(engine: Engine) -> None:
    ensure_emulation(engine, fix=True, sink=print)
    started = time.monotonic()
    assert probe_engine(engine) == ProbeResult(ok=True)
    assert time.monotonic() - started < 2
    assert probes_left(engine) == []


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="an arm64 host needs no QEMU")
def test_this_kernels_registration_is_understood(engine: Engine) -> None:
    ensure_emulation(engine, fix=True, sink=print)
    if engine.local:
        assert diagnose().state is State.OK


def test_a_machine_that_nobody_registered(engine: Engine, made_up_image: str) -> None:
    assert run_probe(engine, made_up_image) == ProbeResult(ok=False, reason=NOT_REGISTERED)


@pytest.mark.parametrize("registered", ["OP"], indirect=True)
@pytest.mark.usefixtures("registered")
def test_a_registration_without_f(engine: Engine, made_up_image: str) -> None:
    entry = Entry.parse(ENTRY.name, ENTRY.read_text())
    assert entry.enabled
    assert "F" not in entry.flags
    assert run_probe(engine, made_up_image) == ProbeResult(ok=False, reason=WITHOUT_F)


@pytest.mark.parametrize("registered", ["OPF"], indirect=True)
@pytest.mark.usefixtures("registered")
def test_a_registration_of_the_wrong_program(engine: Engine, made_up_image: str) -> None:
    assert "F" in Entry.parse(ENTRY.name, Path(ENTRY).read_text()).flags
    result = run_probe(engine, made_up_image)
    assert not result.ok
    assert "ended with status" in result.reason
