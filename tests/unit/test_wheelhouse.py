"""The output directory: one wheel of a name, logs that may fail, and links never followed."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit import AuditResult
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.wheelhouse import Wheelhouse
from tests.unit.stage_samples import full_logs

if TYPE_CHECKING:
    from pathlib import Path

NAME = "fast-1.0-cp39-abi3-manylinux_2_17_aarch64.whl"
POLICY = "manylinux_2_17_aarch64"
AUDIT = AuditResult(filename=NAME, tags=(), policy=POLICY, findings=())


@pytest.fixture
def wheelhouse(tmp_path: Path) -> Wheelhouse:
    (tmp_path / "out").mkdir()
    return Wheelhouse(tmp_path / "out")


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere/victim.log"
    path.parent.mkdir()
    path.write_text("untouched")
    return path


def _wheel(directory: Path, content: bytes) -> Path:
    directory.mkdir()
    (directory / NAME).write_bytes(content)
    return directory / NAME


def test_the_first_wheel_of_a_name_is_kept(tmp_path: Path, wheelhouse: Wheelhouse) -> None:
    first, is_first = wheelhouse.keep(_wheel(tmp_path / "a", b"one"), AUDIT)
    second, is_second = wheelhouse.keep(_wheel(tmp_path / "b", b"other"), AUDIT)
    assert (is_first, is_second, first == second) == (True, False, True)
    assert (wheelhouse.directory / NAME).read_bytes() == b"one"
    assert (first.sha256, first.size) == (hashlib.sha256(b"one").hexdigest(), 3)
    assert (first.filename, first.policy) == (NAME, POLICY)


def test_the_wheel_of_the_plan_s_first_target_is_kept_whenever_it_comes(
    tmp_path: Path, wheelhouse: Wheelhouse
) -> None:
    later, _ = wheelhouse.for_target(2).keep(_wheel(tmp_path / "c", b"third"), AUDIT)
    first, is_first = wheelhouse.for_target(0).keep(_wheel(tmp_path / "a", b"first"), AUDIT)
    last, is_last = wheelhouse.for_target(1).keep(_wheel(tmp_path / "b", b"second"), AUDIT)
    assert (is_first, is_last, last) == (True, False, first)
    assert (wheelhouse.directory / NAME).read_bytes() == b"first"
    assert wheelhouse.kept(later) == first != later


def test_a_resumed_wheel_stays(tmp_path: Path, wheelhouse: Wheelhouse) -> None:
    resumed, _ = wheelhouse.for_target(1).keep(_wheel(tmp_path / "a", b"before"), AUDIT)
    new = Wheelhouse(wheelhouse.directory)
    assert new.lacks(resumed) == ""
    kept, is_this = new.for_target(0).keep(_wheel(tmp_path / "b", b"now"), AUDIT)
    assert (kept, is_this) == (resumed, False)


def test_of_many_at_a_time_all_records_tell_of_the_one_kept(
    tmp_path: Path, wheelhouse: Wheelhouse
) -> None:
    wheels = [_wheel(tmp_path / str(number), b"%d" % number) for number in range(8)]
    with ThreadPoolExecutor() as pool:
        kept = list(pool.map(lambda wheel: wheelhouse.keep(wheel, AUDIT), wheels))
    content = (wheelhouse.directory / NAME).read_bytes()
    assert {record.sha256 for record, _ in kept} == {hashlib.sha256(content).hexdigest()}
    assert sum(is_this for _, is_this in kept) == 1


def test_a_wheel_of_an_earlier_run_is_replaced(tmp_path: Path, wheelhouse: Wheelhouse) -> None:
    (wheelhouse.directory / NAME).write_bytes(b"of the last run")
    _, is_this = wheelhouse.keep(_wheel(tmp_path / "a", b"new"), AUDIT)
    assert (is_this, (wheelhouse.directory / NAME).read_bytes()) == (True, b"new")


def test_a_link_of_a_wheels_name_is_replaced_and_not_followed(
    tmp_path: Path, wheelhouse: Wheelhouse, victim: Path
) -> None:
    (wheelhouse.directory / NAME).symlink_to(victim)
    wheelhouse.keep(_wheel(tmp_path / "a", b"new"), AUDIT)
    assert not (wheelhouse.directory / NAME).is_symlink()
    assert victim.read_text() == "untouched"


def test_the_report_of_an_earlier_run_goes(wheelhouse: Wheelhouse) -> None:
    report = wheelhouse.directory / "report.json"
    report.write_text("{}")
    wheelhouse.prepare()
    assert report.is_file(), "a run that cannot begin leaves it"
    wheelhouse.begin()
    assert [path.name for path in wheelhouse.directory.iterdir()] == ["logs"]
    wheelhouse.prepare()  # a second run finds `logs`


def test_a_report_that_is_a_link_goes_without_what_it_leads_to(
    wheelhouse: Wheelhouse, victim: Path
) -> None:
    (wheelhouse.directory / "report.json").symlink_to(victim)
    wheelhouse.begin()
    assert not (wheelhouse.directory / "report.json").is_symlink()
    assert victim.read_text() == "untouched"


def test_logs_that_is_a_link_is_refused(wheelhouse: Wheelhouse, victim: Path) -> None:
    (wheelhouse.directory / "logs").symlink_to(victim.parent)
    with pytest.raises(UnfitError, match="cannot prepare the output directory") as caught:
        wheelhouse.prepare()
    assert caught.value.found.endswith("/logs: it is a link")
    assert "--output-dir" in caught.value.hint
    assert [path.name for path in victim.parent.iterdir()] == ["victim.log"]


def test_logs_that_is_a_file_is_refused(wheelhouse: Wheelhouse) -> None:
    (wheelhouse.directory / "logs").write_text("a file")
    with pytest.raises(UnfitError, match="cannot prepare the output directory") as caught:
        wheelhouse.prepare()
    assert caught.value.found.endswith("/logs: File exists")


def test_a_log_takes_lines_whatever_they_hold(wheelhouse: Wheelhouse) -> None:
    wheelhouse.prepare()
    with wheelhouse.log("cp313") as log:
        log.write("one")
        log.flush()
        path = wheelhouse.directory / "logs/cp313.log"
        assert path.read_text(encoding="utf-8") == "one\n"
        log.write("a lone surrogate: \udcff")
    assert (path.read_text(encoding="utf-8"), log.problem) == ("one\na lone surrogate: ?\n", "")
    assert path.stat().st_mode & 0o133 == 0


@pytest.mark.parametrize("dangling", [False, True], ids=["to-a-file", "to-nothing"])
def test_a_log_that_is_a_link_is_replaced_and_not_followed(
    wheelhouse: Wheelhouse, victim: Path, *, dangling: bool
) -> None:
    wheelhouse.prepare()
    link = wheelhouse.directory / "logs/cp313.log"
    link.symlink_to(victim.with_name("new.log") if dangling else victim)
    with wheelhouse.log("cp313") as log:
        log.write("ours")
    assert (link.is_symlink(), link.read_text()) == (False, "ours\n")
    assert victim.read_text() == "untouched"
    assert [path.name for path in victim.parent.iterdir()] == ["victim.log"]


def test_a_full_disk_costs_lines_and_is_noted(
    wheelhouse: Wheelhouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheelhouse.prepare()
    full_logs(monkeypatch)
    with wheelhouse.log("cp313") as log:
        for _ in range(3):
            log.write("x" * 100_000)
        log.flush()
    assert log.problem.endswith("/logs/cp313.log is not whole: No space left on device")


def test_a_disk_that_is_full_at_the_last_moment(
    wheelhouse: Wheelhouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheelhouse.prepare()
    full_logs(monkeypatch)
    with wheelhouse.log("cp313") as log:
        log.write("a line that stays in the buffer")
        assert log.problem == ""
    assert "No space left" in log.problem


def test_a_log_that_cannot_be_opened_is_noted(wheelhouse: Wheelhouse) -> None:
    wheelhouse.prepare()
    (wheelhouse.directory / "logs/cp313.log").mkdir()
    with wheelhouse.log("cp313") as log:
        log.write("lost")
        log.flush()
    assert "cp313.log is not whole: " in log.problem
