"""Wheels that run on every aarch64 Linux, as their users know, are not refused."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit.catalogue import checks
from aarch64_wheels.audit.check import audit_wheel
from aarch64_wheels.audit.model import Level
from tests.integration.public_wheels import PublicWheel, public_wheels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.model import AuditResult

WHEELS = public_wheels()


@pytest.fixture(scope="module")
def seconds(request: pytest.FixtureRequest) -> Iterator[dict[str, float]]:
    """How long each took; told in the end, whatever comes of the tests."""
    taken: dict[str, float] = {}
    yield taken
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        for name, took in sorted(taken.items(), key=lambda pair: pair[1]):
            print(f"\n{took:6.2f} s  {name}", end="")
        print(f"\nmedian {statistics.median(taken.values()):.2f} s of {len(taken)} wheels")


def _of(result: AuditResult, level: Level) -> set[str]:
    return {row.check for row in result.findings if row.level is level}


@pytest.mark.parametrize("wheel", WHEELS, ids=lambda wheel: wheel.filename.removesuffix(".whl"))
def test_no_false_error(wheel: PublicWheel, seconds: dict[str, float]) -> None:
    path = wheel.fetch()
    begun = time.monotonic()
    result = audit_wheel(path)
    seconds[wheel.filename] = time.monotonic() - begun
    for row in result.findings:
        print(f"{row.level} {row.check}: {row.message} ({row.evidence}; {row.section})")
    assert _of(result, Level.ERROR) == wheel.errors.keys()
    assert _of(result, Level.WARNING) == wheel.warnings.keys()
    assert result.objects


def test_the_set_is_of_many_kinds() -> None:
    said = " ".join(wheel.language for wheel in WHEELS)
    assert {"C", "C++", "Cython", "Fortran", "Rust"} <= set(said.replace(",", " ").split())
    assert sum("musllinux" in wheel.filename for wheel in WHEELS) >= 2
    assert sum(not wheel.errors for wheel in WHEELS) >= 20


def test_what_is_found_has_a_reason() -> None:
    for wheel in WHEELS:
        assert {*wheel.warnings, *wheel.errors} <= checks().keys(), wheel.filename
        assert all([*wheel.warnings.values(), *wheel.errors.values()]), wheel.filename
