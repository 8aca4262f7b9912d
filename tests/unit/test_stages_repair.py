"""Stage 3: which program repairs, and what it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.native.places import REPAIR
from aarch64_wheels.settings.schema import Mode
from aarch64_wheels.stages.job import BUILT, REPAIRED
from aarch64_wheels.stages.repair import repair_wheel
from tests.unit.fake_session import FakeSession
from tests.unit.report_samples import DEBIAN
from tests.unit.stage_samples import UNREPAIRED, make_job

if TYPE_CHECKING:
    from pathlib import Path

REPAIRS: dict[str, tuple[Mode, bool, list[str]]] = {
    "emulated": (Mode.EMULATED, False, ["auditwheel", "repair", "--plat"]),
    "native": (Mode.NATIVE, False, ["auditwheel", "repair", "--plat"]),
    "accelerated": (Mode.ACCELERATED, False, [REPAIR, "--plat"]),
    "emulated-and-stripped": (Mode.EMULATED, True, ["auditwheel", "repair", "--strip"]),
    "accelerated-and-stripped": (Mode.ACCELERATED, True, [REPAIR, "--strip"]),
}


@pytest.mark.parametrize(("mode", "strip", "argv"), REPAIRS.values(), ids=REPAIRS.keys())
def test_who_repairs(tmp_path: Path, mode: Mode, argv: list[str], *, strip: bool) -> None:
    """By auditwheel's library where that is the native one, which knows the machine only so."""
    session, job = FakeSession(), make_job(tmp_path, mode=mode, strip=strip)
    repair_wheel(session, job, BUILT / UNREPAIRED, "/bin")
    said = [word for word in session.commands[0].argv if word != DEBIAN.policy]
    said = [word for word in said if not (strip and word == "--plat")]
    assert said[: len(argv)] == argv
    assert said[len(argv) :] == ["--wheel-dir", str(REPAIRED), str(BUILT / UNREPAIRED)]


def test_the_repair_knows_the_time_of_the_build(tmp_path: Path) -> None:
    session, job = FakeSession(), make_job(tmp_path, source_date_epoch=1_700_000_000)
    repair_wheel(session, job, BUILT / UNREPAIRED, "/bin")
    assert session.commands[0].env["SOURCE_DATE_EPOCH"] == "1700000000"


def test_an_own_repair_is_not_stripped_and_says_so(tmp_path: Path) -> None:
    lines: list[str] = []
    job = make_job(tmp_path, lines, strip=True)
    options = replace(job.target.options, repair_wheel_command="cp {wheel} {dest_dir}")
    job = replace(job, target=replace(job.target, options=options))
    repair_wheel(FakeSession(), job, BUILT / UNREPAIRED, "/bin")
    assert lines[0].startswith("`strip` has no effect")
