"""A plan's job and a container in which every stage goes well, for tests of the stages."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aarch64_wheels.errors import CommandError
from aarch64_wheels.native.places import REPAIR
from aarch64_wheels.stages.job import REPAIRED, Job
from aarch64_wheels.wheelhouse import Wheelhouse
from tests.unit.audit_samples import GOOD_NAME, write_wheel
from tests.unit.backend_samples import HOOK, backend, says_facts
from tests.unit.fake_session import FakeSession
from tests.unit.report_samples import DEBIAN, plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path, PurePosixPath

    import pytest

UNREPAIRED = "fast-1.0-cp313-cp313-linux_aarch64.whl"


def make_job(output_dir: Path, lines: list[str] | None = None, **plan_fields: Any) -> Job:
    """A job for the first target (cp313) of the sample plan, in the `image` given, if any."""
    collected: list[str] = [] if lines is None else lines
    sample = replace(plan(plan_fields.pop("image", DEBIAN)), **plan_fields)
    return Job(
        plan=sample,
        target=sample.targets[0],
        source=output_dir / "project",
        left_out=(output_dir,),
        wheelhouse=Wheelhouse(output_dir),
        sink=collected.append,
    )


def says(text: str) -> Callable[[FakeSession], str]:
    """A command that prints this."""
    return lambda _session: text


def fails(status: int, tail: str, *, emulated: bool = False) -> Callable[[FakeSession], str]:
    """A command that ends with this status."""

    def effect(session: FakeSession) -> str:
        raise CommandError(session.commands[-1].argv, status, tail, emulated=emulated)

    return effect


def leaves(path: PurePosixPath, content: bytes, text: str = "") -> Callable[[FakeSession], str]:
    """A command that leaves a file behind and prints this."""

    def effect(session: FakeSession) -> str:
        session.files[path] = content
        return text

    return effect


def full_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every log be on a full disk."""
    real = os.open

    def open_full(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if str(path).endswith(".log"):
            return real("/dev/full", os.O_WRONLY)
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", open_full)


def good_session(
    scratch: Path, name: str = GOOD_NAME, files: dict[str, bytes] | None = None
) -> FakeSession:
    """A container that builds a real, good wheel of that name, with these files if any."""
    wheel = write_wheel(scratch, name, files).read_bytes()
    build = backend(UNREPAIRED, said="building\n")

    def hook(session: FakeSession) -> str:
        return build(session) if "build_wheel" in session.commands[-1].argv else asked(session)

    asked = backend()
    return FakeSession(
        effects={
            HOOK: hook,
            "auditwheel repair": leaves(REPAIRED / name, wheel),
            REPAIR: leaves(REPAIRED / name, wheel),
            "/opt/python/": says_facts(),
        }
    )


def breaks_the_build(status: int, tail: str) -> Callable[[FakeSession], str]:
    """A backend that says what it requires, and ends its build with this status."""
    asked, failed = backend(), fails(status, tail)

    def effect(session: FakeSession) -> str:
        return (failed if "build_wheel" in session.commands[-1].argv else asked)(session)

    return effect
