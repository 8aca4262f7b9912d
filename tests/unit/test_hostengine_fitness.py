"""`doctor` for builds without containers."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.cli import main
from aarch64_wheels.doctor import make_fit
from aarch64_wheels.errors import ExitCode
from aarch64_wheels.hostengine.fitness import (
    examine_host,
    machine_check,
    program_check,
    scratch_check,
)
from aarch64_wheels.hostengine.interpreters import Finder, HostInterpreter
from aarch64_wheels.settings.modes import GLIBC_LINUX
from aarch64_wheels.settings.schema import EngineName

if TYPE_CHECKING:
    from aarch64_wheels.doctor import Check
    from aarch64_wheels.plan import Interpreter


def programs(place: Path, *names: str) -> dict[str, str]:
    place.mkdir()
    for name in names:
        (place / name).write_text("#!/bin/sh\n")
        (place / name).chmod(0o755)
    return {"PATH": str(place)}


def have(monkeypatch: pytest.MonkeyPatch, there: dict[str, bool]) -> None:
    """Have interpreters of these tags, with their headers or without."""

    def find(_finder: object, row: Interpreter) -> HostInterpreter | None:
        if row.tag not in there:
            return None
        return HostInterpreter(program=Path("/usr/bin") / row.program, has_headers=there[row.tag])

    monkeypatch.setattr(Finder, "find", find)


def examine(tmp_path: Path, *names: str) -> dict[str, Check]:
    environ = programs(tmp_path / "bin", *names)
    return {check.name: check for check in examine_host(environ, tmp_path, machine="aarch64")}


def test_a_machine_that_has_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, {"cp311": True, "cp313": True})
    checks = examine(tmp_path, "gcc", "git")
    assert set(checks) == {
        *("machine", "interpreters", "C compiler", "git", "temporary files"),
        *("disk (builds)", "disk (output)"),
    }
    assert [name for name, check in checks.items() if not check.ok] == []
    listing = "cp311 (/usr/bin/python3.11), cp313 (/usr/bin/python3.13)"
    assert checks["interpreters"].found == listing


def test_what_is_missing_has_a_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, {})
    checks = examine(tmp_path)
    missing = {name: check for name, check in checks.items() if not check.ok}
    assert set(missing) == {"interpreters", "C compiler", "git"}
    assert all(check.hint.startswith("install ") for check in missing.values())
    assert [name for name, check in missing.items() if not check.required] == ["git"]


@pytest.mark.parametrize(
    ("there", "required"),
    [({"cp313": False}, True), ({"cp311": True, "cp313": False}, False)],
    ids=["the only one", "one of two"],
)
def test_an_interpreter_without_headers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    there: dict[str, bool],
    required: bool,  # noqa: FBT001
) -> None:
    have(monkeypatch, there)
    check = examine(tmp_path, "cc", "git")["interpreters"]
    assert (check.ok, check.required) == (False, required)
    assert check.hint.startswith("/usr/bin/python3.13 came without Python.h")


def test_temporary_files_must_not_be_where_a_container_has_the_project(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/project/tmp")
    check = scratch_check()
    assert (check.ok, check.required) == (False, True)
    assert (check.found.partition(":")[0], "TMPDIR" in check.hint) == ("/project/tmp", True)


def test_another_machine_is_not_fit() -> None:
    check = machine_check("x86_64", GLIBC_LINUX)
    assert (check.ok, check.required) == (False, True)
    assert "x86_64" in check.found


def test_a_program_beside_the_working_directory_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path / "bin", "cc")
    monkeypatch.chdir(tmp_path)
    assert not program_check("C compiler", ("cc",), {"PATH": "bin"}, required=True).ok


def test_the_command_looks_at_no_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    have(monkeypatch, {"cp313": True})
    words = ["doctor", "--engine=none", "--json", f"--output-dir={tmp_path}"]
    status = main([*words, f"--cache-dir={tmp_path / 'cache'}"])
    told = json.loads(capsys.readouterr().out)
    names = [check["name"] for check in told["checks"]]
    assert {"python", "machine", "interpreters"} <= set(names)
    assert not {"engine", "emulation", "network", "tools for --image debian"} & set(names)
    assert status == (ExitCode.OK if told["fit"] else ExitCode.UNFIT)


def test_nothing_is_installed_for_it(tmp_path: Path) -> None:
    said: list[str] = []
    make_fit({}, tmp_path, said.append, embedded=True, engine_name=EngineName.NONE)
    assert said == ["nothing is installed for builds without containers"]
