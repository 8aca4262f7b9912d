"""What `plan` prints: a table for people, JSON and a matrix for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.commands.inputs import host_system
from aarch64_wheels.commands.plan import matrix, run_plan
from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.schema import Mode, Settings
from tests.layers import layers_of
from tests.unit.report_samples import plan

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRON: Mapping[str, str] = {}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    text = '[project]\nname = "spring"\nversion = "1.0"\nrequires-python = ">=3.13"\n'
    (tmp_path / "pyproject.toml").write_text(text)
    return tmp_path


def _settings(project: Path) -> Settings:
    return Settings(source=str(project), image="debian", cache_dir=project / "cache")


def test_a_matrix_has_a_job_for_each_target() -> None:
    assert matrix(plan()) == {
        "include": [
            {"target": "cp313-manylinux_aarch64", "python": "cp313"},
            {"target": "cp39-manylinux_aarch64", "python": "cp39"},
        ]
    }


def test_the_matrix_is_one_line_of_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`fromJSON` reads it from a step's output, which holds a line."""
    assert run_plan(layers_of(_settings(project)), ENVIRON, as_matrix=True) == 0
    (line,) = capsys.readouterr().out.splitlines()
    jobs = json.loads(line)["include"]
    assert [job["python"] for job in jobs] == ["cp313", "cp314", "cp315"]


def test_the_json_is_the_same_for_the_same_input(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for _ in range(2):
        assert run_plan(layers_of(_settings(project)), ENVIRON, as_json=True) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    data = json.loads(printed[0])
    assert (data["project"], data["version"], data["source"]) == ("spring", "1.0", str(project))
    assert data["stages"] == ["environment", "build", "repair", "audit"]


def test_the_table_names_source_image_targets_and_stages(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS")
    assert run_plan(layers_of(_settings(project)), ENVIRON) == 0
    first, *table = capsys.readouterr().out.splitlines()
    assert first.startswith("spring 1.0 in debian (aarch64-wheels/debian), ")
    (row,) = [line for line in table if "cp314-manylinux_aarch64" in line]
    assert "/opt/python/cp314-cp314/bin/python" in row
    assert "environment → build → repair → audit" in row
    assert sum("manylinux_aarch64" in line for line in table) == 3


def test_below_it_stands_what_was_set_and_where(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS")
    text = (project / "pyproject.toml").read_text()
    text += '[tool.cibuildwheel]\nbefore-all = ["echo 1", "echo ::2"]\narchs = ["auto"]\n'
    (project / "pyproject.toml").write_text(text)
    assert run_plan(layers_of(_settings(project)), ENVIRON) == 0
    printed = capsys.readouterr()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in printed.out.splitlines()]
    assert ["image", "debian", "--image", "all"] in rows
    place = "`before-all` in [tool.cibuildwheel] of pyproject.toml"
    assert ["before-all", "echo 1 && echo ::2", place, "all"] in rows
    assert not any("backend" in row for row in rows), "it has its default"
    assert printed.out.endswith("all other settings have their default; `plan --json` lists them\n")
    assert "`archs` in [tool.cibuildwheel]" in printed.err


def test_the_json_has_every_setting_and_its_origin(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_plan(layers_of(_settings(project)), ENVIRON, as_json=True) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["settings"]["image"] == {"value": "debian", "origin": "--image"}
    assert data["settings"]["jobs"] == {"value": 0, "origin": "default"}
    options = [target["options"] for target in data["targets"]]
    assert [row["test-command"] for row in options] == [{"value": "", "origin": "default"}] * 3


def test_a_long_reference_is_not_cut(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = f"registry.example/a/manylinux_2_28_aarch64@sha256:{'0' * 64}"
    assert run_plan(layers_of(replace(_settings(project), image=image)), {"COLUMNS": "80"}) == 0
    first, *table = capsys.readouterr().out.splitlines()
    assert f"({image})" in first
    assert not any("…" in line for line in table)


def test_a_hostile_name_stays_in_its_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = replace(plan(), project="::error::x\n::error::pwned")
    monkeypatch.setattr("aarch64_wheels.commands.plan.plan_source", lambda *_: evil)
    assert run_plan(layers_of(_settings(project)), ENVIRON) == 0
    assert run_plan(layers_of(_settings(project)), ENVIRON, as_json=True) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| ::error::x ::error::pwned 1.0 in debian")
    assert not any(line.lstrip().startswith("::") for line in lines)


NOTHING = {"CIBW_ALLOW_EMPTY": "1", "CIBW_PROJECT_REQUIRES_PYTHON": ">=4"}


def test_no_target_where_that_is_allowed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layers = layers_of(_settings(project))
    assert run_plan(layers, NOTHING, as_matrix=True) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"include": []}
    told = "note: no target is left, so nothing is built, which $CIBW_ALLOW_EMPTY allows\n"
    assert printed.err == told
    assert run_plan(layers, NOTHING, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["targets"] == []
    assert run_plan(layers, NOTHING) == 0
    assert capsys.readouterr().out.startswith("spring 1.0 in no image, ")


def test_no_target_where_that_is_not_allowed(project: Path) -> None:
    environ = {**NOTHING, "CIBW_ALLOW_EMPTY": "0"}
    with pytest.raises(
        UsageError, match=r"`>=4` of \$CIBW_PROJECT_REQUIRES_PYTHON excludes cp39, cp311"
    ):
        run_plan(layers_of(_settings(project)), environ, as_matrix=True)


WRONG = {
    "CIBW_DEPENDENCY_VERSIONS": ("gone.txt", "`dependency-versions`"),
    "CIBW_CONTAINER_ENGINE": ("docker; create_args: --cpus nan", "create_args"),
}


@pytest.mark.parametrize(("name", "given"), WRONG.items())
def test_what_no_build_could_be_given_is_refused_in_the_plan(
    project: Path, name: str, given: tuple[str, str]
) -> None:
    value, words = given
    with pytest.raises(UsageError, match=words):
        run_plan(layers_of(_settings(project)), {name: value}, as_json=True)


def test_a_directory_that_is_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="without build metadata"):
        run_plan(layers_of(_settings(tmp_path)), ENVIRON)
    assert capsys.readouterr().out == ""


def test_nothing_is_left_behind(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = project / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = sorted(Path(project).rglob("*"))
    run_plan(layers_of(_settings(project)), ENVIRON)
    assert sorted(project.rglob("*")) == before


SYSTEMS = {
    "glibc": ("linux", "glibc 2.28", "linux with glibc"),
    "musl": ("linux", ValueError("unrecognized configuration name"), "linux without glibc"),
    "no-words": ("linux", None, "linux without glibc"),
    "macos": ("darwin", "", "darwin"),
}


@pytest.mark.parametrize(("name", "libc", "expected"), SYSTEMS.values(), ids=SYSTEMS.keys())
def test_what_this_host_runs(
    monkeypatch: pytest.MonkeyPatch, name: str, libc: str | Exception | None, expected: str
) -> None:
    def confstr(_name: str) -> str | None:
        if isinstance(libc, Exception):
            raise libc
        return libc

    monkeypatch.setattr("os.confstr", confstr)
    monkeypatch.setattr("sys.platform", name)
    assert host_system() == expected


def test_auto_is_emulated_where_native_tools_cannot_come_from(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("aarch64_wheels.commands.inputs.host_system", lambda: "darwin")
    assert run_plan(layers_of(_settings(project)), ENVIRON, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["mode"] == "emulated"
    with pytest.raises(UsageError, match="mode `accelerated` cannot be used"):
        run_plan(layers_of(replace(_settings(project), mode=Mode.ACCELERATED)), ENVIRON)
