"""Stage 4: what gets into the output directory, and what does not."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit import Level
from aarch64_wheels.audit.check import audit_wheel
from aarch64_wheels.audit.model import SymbolVersion
from aarch64_wheels.bill import Origin
from aarch64_wheels.errors import StageError
from aarch64_wheels.plan import Interpreter
from aarch64_wheels.report.model import ObjectRecord, WheelRecord
from aarch64_wheels.sharing import installable
from aarch64_wheels.stages.audit import RefusedError, audit_repaired, keep_audited
from aarch64_wheels.stages.job import REPAIRED
from tests.unit.audit_samples import EXTENSION, GOOD_NAME, INFO, X86_64, elf, write_wheel
from tests.unit.fake_session import FakeSession
from tests.unit.report_samples import DEBIAN
from tests.unit.stage_samples import make_job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aarch64_wheels.native.provenance import Call
    from aarch64_wheels.stages.job import Job

PLATFORM = "manylinux2014_aarch64.manylinux_2_17_aarch64"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "wheelhouse").mkdir()
    return tmp_path / "wheelhouse"


def _kept(
    session: FakeSession,
    job: Job,
    policy: str = DEBIAN.policy,
    calls: Sequence[Call] | None = None,
) -> WheelRecord:
    with job.wheelhouse.scratch() as scratch:
        return keep_audited(job, audit_repaired(session, job, scratch, policy, calls))


def _session(scratch: Path, name: str, files: dict[str, bytes] | None = None) -> FakeSession:
    return FakeSession(files={REPAIRED / name: write_wheel(scratch, name, files).read_bytes()})


def test_a_good_wheel_is_kept_and_described(tmp_path: Path, output: Path) -> None:
    session = _session(tmp_path, GOOD_NAME)
    record = _kept(session, make_job(output))
    content = (output / GOOD_NAME).read_bytes()
    sha256 = hashlib.sha256(elf()).hexdigest()
    assert record == WheelRecord(
        filename=GOOD_NAME,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        policy="manylinux_2_17_aarch64",
        objects=(ObjectRecord(path=EXTENSION, compilers=("gcc",), sha256=sha256),),
        versions=(SymbolVersion(name="GLIBC", version="2.17", file=EXTENSION, symbol=""),),
    )
    assert [path.name for path in output.iterdir()] == [GOOD_NAME]


@pytest.mark.usefixtures("_judged")
def test_a_finished_wheel_does_not_tell_who_packed_it(tmp_path: Path, output: Path) -> None:
    kept = []
    for number in (1, 2):
        directory = tmp_path / str(number)
        directory.mkdir()
        files = {EXTENSION: elf(), "fast.py": b"x = 1"}
        path = write_wheel(directory, files=files if number == 1 else dict(reversed(files.items())))
        session = FakeSession(files={REPAIRED / GOOD_NAME: path.read_bytes()})
        kept.append(_kept(session, make_job(output)))
    assert kept[0].sha256 == kept[1].sha256


@pytest.mark.usefixtures("_judged")
def test_warnings_are_kept_and_levels_are_the_projects(tmp_path: Path, output: Path) -> None:
    session = _session(tmp_path, GOOD_NAME, {EXTENSION: elf(search_path="/home/me/lib")})
    with pytest.raises(RefusedError, match="the audit refuses fast-") as caught:
        _kept(session, make_job(output))
    assert [row.check for row in caught.value.findings] == ["rpath"]
    for word, expected in [("warning", [("rpath", Level.WARNING)]), ("off", [])]:
        job = make_job(output)
        job = replace(job, plan=replace(job.plan, audit_levels=(f"rpath={word}",)))
        found = _kept(session, job).findings
        assert [(row.check, row.level) for row in found] == expected


@pytest.mark.usefixtures("_judged")
def test_a_wheel_gets_its_bill(tmp_path: Path, output: Path) -> None:
    origin = Origin(source="fast-1.0.tar.gz", source_sha256="ab" * 32, image=None, mode="native")
    job = replace(make_job(output), origin=origin)
    _kept(_session(tmp_path, GOOD_NAME), job)
    with zipfile.ZipFile(output / GOOD_NAME) as wheel:
        bill = json.loads(wheel.read(f"{INFO}/sboms/aarch64-wheels.cdx.json"))
    assert bill["bomFormat"] == "CycloneDX"
    assert audit_wheel(output / GOOD_NAME).findings == ()


@pytest.mark.usefixtures("_judged")
def test_a_wheel_of_the_same_name_is_replaced(tmp_path: Path, output: Path) -> None:
    (output / GOOD_NAME).write_bytes(b"of the last run")
    _kept(_session(tmp_path, GOOD_NAME), make_job(output))
    assert (output / GOOD_NAME).read_bytes().startswith(b"PK")


@pytest.mark.usefixtures("_judged")
def test_a_refused_wheel_leaves_the_directory_as_it_was(tmp_path: Path, output: Path) -> None:
    lines: list[str] = []
    session = _session(tmp_path, GOOD_NAME, {EXTENSION: elf(machine=X86_64)})
    (output / GOOD_NAME).write_bytes(b"of the last run")
    with pytest.raises(StageError, match="the audit refuses fast-") as caught:
        _kept(session, make_job(output, lines))
    assert f"machine: {EXTENSION} is not AArch64 code" in caught.value.found
    assert any(line.startswith("audit: error: machine: ") for line in lines)
    assert [path.read_bytes() for path in output.iterdir()] == [b"of the last run"]


@pytest.mark.usefixtures("_judged")
def test_the_policy_is_what_the_wheel_must_install_on(tmp_path: Path, output: Path) -> None:
    name = "fast-1.0-cp313-cp313-manylinux_2_28_aarch64.whl"
    with pytest.raises(StageError, match="no platform tag of the wheel installs on") as caught:
        _kept(_session(tmp_path, name), make_job(output))
    assert "manylinux_2_17_aarch64" in caught.value.found


@pytest.mark.usefixtures("_judged")
@pytest.mark.parametrize("policy", ["", "auto", "manylinux_2_28_aarch64"])
def test_a_wheel_for_a_newer_system_than_the_images(
    tmp_path: Path, output: Path, policy: str
) -> None:
    """The project's variables may have asked for it; without a policy its own claim counts."""
    name = "fast-1.0-cp313-cp313-manylinux_2_28_aarch64.whl"
    assert _kept(_session(tmp_path, name), make_job(output), policy).filename == name


@pytest.mark.usefixtures("_judged")
@pytest.mark.parametrize(
    ("tag", "extension"),
    [
        pytest.param("cp39-abi3", "fast.abi3.so", id="stable-abi"),
        pytest.param("py3-none", "libfast.so", id="any-python"),
    ],
)
def test_tags_that_the_target_installs(
    tmp_path: Path, output: Path, tag: str, extension: str
) -> None:
    name = f"fast-1.0-{tag}-{PLATFORM}.whl"
    session = _session(tmp_path, name, {extension: elf()})
    assert _kept(session, make_job(output)).filename == name


OTHERS = {
    "other-version": ("cp311-cp311", "fast.cpython-311-aarch64-linux-gnu.so"),
    "free-threaded": ("cp313-cp313t", "fast.cpython-313t-aarch64-linux-gnu.so"),
}


@pytest.mark.usefixtures("_judged")
@pytest.mark.parametrize(("tag", "extension"), OTHERS.values(), ids=OTHERS.keys())
def test_a_wheel_for_another_interpreter_is_refused(
    tmp_path: Path, output: Path, tag: str, extension: str
) -> None:
    name = f"fast-1.0-{tag}-{PLATFORM}.whl"
    session = _session(tmp_path, name, {extension: elf()})
    with pytest.raises(StageError, match="is not for cp313-manylinux_aarch64") as caught:
        _kept(session, make_job(output))
    assert tag in caught.value.found
    assert list(output.iterdir()) == []


def _interpreter(directory: str, version: str) -> Interpreter:
    return Interpreter(tag=directory.partition("-")[2], version=version, directory=directory)


CP313 = _interpreter("cp313-cp313", "3.13")
CP313T = _interpreter("cp313-cp313t", "3.13")
PP311 = _interpreter("pp311-pypy311_pp73", "3.11")

#: Which tags an interpreter installs (PEP 425, PEP 384 for abi3, PEP 703 for cp313t).
RULES = {
    "own": (CP313, "cp313-cp313", True),
    "other-version": (CP313, "cp312-cp312", False),
    "newer-version": (CP313, "cp314-cp314", False),
    "abi3-of-an-older": (CP313, "cp39-abi3", True),
    "abi3-of-the-same": (CP313, "cp313-abi3", True),
    "abi3-of-a-newer": (CP313, "cp314-abi3", False),
    "no-abi-same": (CP313, "cp313-none", True),
    "no-abi-other": (CP313, "cp312-none", False),
    "any-python": (CP313, "py3-none", True),
    "a-newer-python": (CP313, "py314-none", False),
    "free-threaded-in-ordinary": (CP313, "cp313-cp313t", False),
    "free-threaded-own": (CP313T, "cp313-cp313t", True),
    "free-threaded-abi3": (CP313T, "cp39-abi3", False),
    "free-threaded-ordinary": (CP313T, "cp313-cp313", False),
    "free-threaded-no-abi": (CP313T, "cp313-none", True),
    "free-threaded-any-python": (CP313T, "py3-none", True),
    "pypy-own": (PP311, "pp311-pypy311_pp73", True),
    "pypy-no-abi": (PP311, "pp311-none", True),
    "pypy-any-python": (PP311, "py3-none", True),
    "pypy-other-abi": (PP311, "pp311-pypy311_pp74", False),
    "pypy-abi3": (PP311, "cp39-abi3", False),
    "pypy-cpython": (PP311, "cp311-cp311", False),
}


@pytest.mark.parametrize(("interpreter", "tag", "fits"), RULES.values(), ids=RULES.keys())
def test_what_an_interpreter_installs(interpreter: Interpreter, tag: str, *, fits: bool) -> None:
    python, _, abi = tag.partition("-")
    assert ((python, abi) in installable(interpreter)) is fits


@pytest.mark.usefixtures("_judged")
def test_a_disk_that_is_full_is_told_of(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = _session(tmp_path, GOOD_NAME)

    def refuse(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session, "copy_out", refuse)
    with pytest.raises(StageError, match="cannot write the wheel to") as caught:
        _kept(session, make_job(output))
    assert caught.value.found == "No space left on device"
    assert list(output.iterdir()) == []
