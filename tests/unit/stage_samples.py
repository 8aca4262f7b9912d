"""A plan's job and a container in which every stage goes well, for tests of the stages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aarch64_wheels.errors import CommandError
from aarch64_wheels.stages.job import BUILT, REPAIRED, Job
from tests.unit.audit_samples import GOOD_NAME, write_wheel
from tests.unit.fake_session import FakeSession
from tests.unit.report_samples import plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path, PurePosixPath

UNREPAIRED = "fast-1.0-cp313-cp313-linux_aarch64.whl"


def make_job(output_dir: Path, lines: list[str] | None = None, **plan_fields: Any) -> Job:
    """A job for the first target (cp313) of the sample plan."""
    collected: list[str] = [] if lines is None else lines
    sample = replace(plan(), **plan_fields)
    return Job(
        plan=sample,
        target=sample.targets[0],
        source=output_dir / "project",
        left_out=(output_dir,),
        output_dir=output_dir,
        sink=collected.append,
    )


def says(text: str) -> Callable[[FakeSession], str]:
    """A command that prints this."""
    return lambda _session: text


def fails(status: int, tail: str) -> Callable[[FakeSession], str]:
    """A command that ends with this status."""

    def effect(session: FakeSession) -> str:
        raise CommandError(session.commands[-1].argv, status, tail)

    return effect


def leaves(path: PurePosixPath, content: bytes, text: str = "") -> Callable[[FakeSession], str]:
    """A command that leaves a file behind and prints this."""

    def effect(session: FakeSession) -> str:
        session.files[path] = content
        return text

    return effect


def good_session(scratch: Path, name: str = GOOD_NAME) -> FakeSession:
    """A container that builds a real, good wheel of that name."""
    wheel = write_wheel(scratch, name).read_bytes()
    return FakeSession(
        effects={
            "uv build": leaves(BUILT / UNREPAIRED, b"unrepaired", "building\n"),
            "auditwheel repair": leaves(REPAIRED / name, wheel),
            "/aarch64-wheels/environment/bin/python /aarch64-wheels/ask": says("[]"),
            "printenv PATH": says("/usr/bin:/bin\n"),
        }
    )
