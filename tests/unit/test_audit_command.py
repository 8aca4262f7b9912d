"""The command `audit`: which files, in which order, told how, and with which status."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.cli import main
from tests.unit.audit_samples import EXTENSION, GOOD_NAME, X86_64, elf, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_own_signals", "_judged", "_elsewhere")

BROKEN = "slow-1.0-cp313-cp313-manylinux2014_aarch64.whl"
OK_LINE = f"{GOOD_NAME}: ok, meets manylinux_2_17_aarch64"


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a directory without a pyproject.toml, and in no workflow."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / "good").mkdir()
    return write_wheel(tmp_path / "good")


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A wheel of the same name, with x86-64 code in it."""
    (tmp_path / "bad").mkdir()
    return write_wheel(tmp_path / "bad", files={EXTENSION: elf(machine=X86_64)})


def audit(*words: str | Path) -> int:
    return main(["audit", *map(str, words)])


def test_status_is_0_only_when_every_wheel_is_in_order(
    good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(good) == 0
    assert capsys.readouterr().out.splitlines()[0] == OK_LINE
    assert audit(good, bad) == 1
    output = capsys.readouterr().out
    assert f"{GOOD_NAME}: FAILED" in output
    assert "  error [machine] " in output
    assert output.splitlines()[-1].startswith("2 wheels: 1 ok, 1 failed; ")


def test_results_come_in_the_order_given(
    good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit("--json", bad, good, bad.parent / ".." / "bad" / bad.name) == 1
    wheels = json.loads(capsys.readouterr().out)["wheels"]
    assert [row["path"] for row in wheels] == [str(bad), str(good)]


def test_a_directory_stands_for_its_wheels(
    good: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (good.parent / "report.json").write_text("{}")
    (good.parent / "deeper.whl").mkdir()
    assert audit(good.parent) == 0
    assert capsys.readouterr().out.splitlines()[0] == OK_LINE
    assert audit(tmp_path) == 2
    assert f"there is no wheel in {tmp_path}" in capsys.readouterr().err


@pytest.mark.parametrize("name", [BROKEN, "notes.txt"])
def test_one_file_that_is_no_wheel_hides_no_other(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / name).write_bytes(b"PK?")
    assert audit("--audit-levels", "zip-damaged=off", "--", tmp_path / name, good) == 1
    first, finding, *rest = capsys.readouterr().out.splitlines()
    assert first == f"{name}: FAILED"
    assert finding.startswith("  error [zip-damaged] ")
    assert OK_LINE in rest


def test_when_none_is_a_wheel_the_usage_was_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("no-wheel.whl", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert audit(tmp_path / "no-wheel.whl", tmp_path / "notes.txt") == 2
    assert capsys.readouterr().out.count("FAILED") == 2


def test_a_damaged_wheel_alone_is_a_wheel_that_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / BROKEN).write_bytes(b"PK?")
    assert audit(tmp_path / BROKEN) == 1
    assert "error [zip-damaged]" in capsys.readouterr().out


def test_what_may_never_end_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / GOOD_NAME)
    assert audit(tmp_path / GOOD_NAME) == 2
    assert "this is no regular file: " in capsys.readouterr().err
    assert audit(tmp_path / ("a" * 300)) == 2
    assert "there is no such wheel: aaa" in capsys.readouterr().err.replace(f"{tmp_path}/", "")


WRONG = {
    "nothing": ([], "there is nothing to audit"),
    "gone": (["gone.whl"], "there is no such wheel: gone.whl"),
    "plat": (["--plat", "manylinux2014"], "is not a platform tag"),
    "level": (["--audit-levels", "rpth=off", "--"], "did you mean `rpath`?"),
    "level-swallows": (["--audit-levels", "rpath=off"], "stands before the flag, or after `--`"),
    "level-shown": (["--audit-levels", "rpth=off", "elf=off", "--"], "found: 'rpth=off elf=off'"),
    "explain": (["--explain", "rpth", "--"], "--explain takes no wheels"),
    "image": (["--image", "debian"], "--image is for --run alone"),
    "engine": (["--engine", "podman"], "--engine is for --run alone"),
    "cache": (["--cache-dir", "c"], "--cache-dir is for --run alone"),
    "sarif-empty": (["--sarif", ""], "--sarif must name a file"),
    "sarif-here": (["--sarif", "."], "--sarif must name a file"),
    "sarif-root": (["--sarif", "/"], "--sarif must name a file"),
    "sarif-device": (["--sarif", os.devnull], "--sarif must name a file"),
    "sarif-nowhere": (["--sarif", "none/a.sarif"], "--sarif names a file in no directory"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG.keys())
def test_bad_usage_is_told_before_anything_is_audited(
    good: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert audit(*words, *([good] if words else [])) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""


def test_a_check_is_explained_without_a_wheel(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit("--explain") == 0
    assert "cpu-baseline" in capsys.readouterr().out
    assert audit("--explain", "cpu-baseline") == 0
    assert "remedy: " in capsys.readouterr().out
    assert audit("--explain", "rpth") == 2
    assert "did you mean `rpath`?" in capsys.readouterr().err


def test_levels_are_the_projects_and_a_flag_goes_before(
    good: Path, bad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = '[tool.aarch64-wheels]\naudit-levels = { machine = "warning", content = "off" }\n'
    (tmp_path / "here" / "pyproject.toml").write_text(table)
    assert audit(bad) == 0
    assert "warning [machine]" in capsys.readouterr().out
    assert audit(bad, "--audit-levels", "content=error") == 1
    assert audit(good) == 0


def test_the_sarif_names_wheels_by_their_place(
    bad: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (tmp_path / "out").mkdir()
    assert audit(bad, "--sarif", tmp_path / "out" / "audit.sarif") == 1
    log = json.loads((tmp_path / "out" / "audit.sarif").read_text())
    places = {
        row["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for row in log["runs"][0]["results"]
    }
    assert places == {f"bad/{GOOD_NAME}"}


def lacking(place: Path, content: bytes) -> Path:
    """Make a wheel that the embedded image has no interpreter for."""
    place.mkdir()
    name = GOOD_NAME.replace("313", "312")
    return write_wheel(place, name, {EXTENSION.replace("313", "312"): content})


def test_a_wheel_that_cannot_be_run_keeps_its_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = lacking(tmp_path / "lacking", elf())
    assert audit("--run", "--json", wheel) == 3
    printed = capsys.readouterr()
    assert [row["ok"] for row in json.loads(printed.out)["wheels"]] == [True]
    assert "not run: " in printed.err
    assert "next: use --image manylinux2014" in printed.err
    wrong = lacking(tmp_path / "wrong", elf(machine=X86_64))
    assert audit("--run", "--json", "--sarif", tmp_path / "a.sarif", wrong) == 1
    assert '"machine"' in capsys.readouterr().out
    assert "machine" in (tmp_path / "a.sarif").read_text()


def test_results_are_told_before_an_unfit_machine_is(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    assert audit("--run", "--engine", "docker", "--sarif", tmp_path / "a.sarif", good) == 3
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == OK_LINE
    assert "found: " in printed.err
    assert (tmp_path / "a.sarif").exists()


def test_bad_usage_of_a_run_is_told_before_anything_is_audited(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit("--run", "--image", "nowhere", good) == 2
    assert capsys.readouterr().out == ""


def test_a_sarif_that_cannot_be_written(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(good, "--sarif", tmp_path / ("a" * 255)) == 3  # the draft's name is longer
    assert "could not write the SARIF" in capsys.readouterr().err


def test_a_workflows_step_is_annotated_and_its_page_written(
    bad: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "summary.md"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert audit(bad, "--json") == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["ok"] is False
    assert "::error title=aarch64-wheels audit%3A machine," in printed.err
    assert page.read_text().startswith("before\n\n\n### Audit\n")


def test_a_page_that_cannot_be_written_stops_nothing(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    assert audit(good) == 0
    assert "cannot write the summary" in capsys.readouterr().err
