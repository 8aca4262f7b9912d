"""Which interpreters of this host are found, in which order, and without asking a project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.embedded.finish import write_script
from tests.unit.host_python_samples import host_interpreters, refuse_downloads, write_python
from tests.unit.native_system_samples import write_elf

if TYPE_CHECKING:
    from aarch64_wheels.native.host_interpreters import HostInterpreters


@pytest.fixture
def uv_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return refuse_downloads(tmp_path, monkeypatch)


def _found(interpreters: HostInterpreters, kept: Path, version: str = "3.13") -> Path | None:
    original = interpreters.find(version, kept)
    return original.program.parent if original else None


def test_the_interpreter_that_runs_this_is_taken_without_a_search(
    tmp_path: Path, uv_log: Path
) -> None:
    own = write_python(tmp_path / "own")
    found = host_interpreters(tmp_path, own=own).find("3.13", tmp_path / "kept")
    assert found is not None
    assert (found.name, found.program) == ("python3.13", tmp_path / "own/real")
    assert found.extensions == tmp_path / "own/library/lib-dynload"
    assert not uv_log.exists()


UNFIT: dict[str, dict[str, Any]] = {
    "another-version": {"version": "3.12"},
    "free-threaded": {"version": "3.13t"},
    "pypy": {"implementation": "pypy"},
    "does-not-run": {"status": 127},
    "a-script": {"program": ""},
    "gone": {"program": "/no/such/program"},
}


@pytest.mark.parametrize("changes", UNFIT.values(), ids=UNFIT.keys())
@pytest.mark.usefixtures("uv_log")
def test_what_does_not_fit_is_passed_over(tmp_path: Path, changes: dict[str, Any]) -> None:
    if changes.get("program") == "":
        script = tmp_path / "script"
        script.write_text("#!/bin/sh\n")
        changes = {"program": str(script)}
    write_python(tmp_path / "unfit", **changes)
    write_python(tmp_path / "right")
    path = (tmp_path / "unfit", tmp_path / "right")
    assert _found(host_interpreters(tmp_path, path), tmp_path / "kept") == tmp_path / "right"
    assert _found(host_interpreters(tmp_path, path[:1]), tmp_path / "kept") is None


@pytest.mark.usefixtures("uv_log")
def test_a_free_threaded_one_is_found_by_its_name(tmp_path: Path) -> None:
    write_python(tmp_path / "a", version="3.13")
    write_python(tmp_path / "b", version="3.13t")
    found = host_interpreters(tmp_path, (tmp_path / "a", tmp_path / "b")).find(
        "3.13t", tmp_path / "k"
    )
    assert found is not None
    assert (found.name, found.program.parent) == ("python3.13t", tmp_path / "b")


ASIDE = {
    "tool-cache": ("RUNNER_TOOL_CACHE", "Python/3.13.9/x64/bin", "Python/3.13.10/x64/bin"),
    "tools-directory": ("AGENT_TOOLSDIRECTORY", "Python/3.13.9/x64/bin", "Python/3.13.10/x64/bin"),
    "pyenv": ("PYENV_ROOT", "versions/3.13.9/bin", "versions/3.13.10/bin"),
    "home": ("", "home/.pyenv/versions/3.13.9/bin", "home/.pyenv/versions/3.13.10/bin"),
}


@pytest.mark.parametrize(("variable", "old", "new"), ASIDE.values(), ids=ASIDE.keys())
@pytest.mark.usefixtures("uv_log")
def test_what_is_kept_off_path_goes_before_the_distributions_own(
    tmp_path: Path, variable: str, old: str, new: str
) -> None:
    for directory in ("usr", old, new):
        write_python(tmp_path / directory)
    interpreters = host_interpreters(tmp_path, (tmp_path / "usr",))
    environ = {**interpreters.environ, variable or "HOME": str(tmp_path)}
    interpreters = replace(interpreters, environ=environ)
    assert _found(interpreters, tmp_path / "kept") == tmp_path / new


@pytest.mark.usefixtures("uv_log")
def test_pyenvs_stand_ins_are_not_asked(tmp_path: Path) -> None:
    write_python(tmp_path / "pyenv/shims")
    assert _found(host_interpreters(tmp_path, (tmp_path / "pyenv/shims",)), tmp_path / "k") is None


@pytest.mark.usefixtures("uv_log")
def test_what_uv_has_fetched_before_is_found(tmp_path: Path) -> None:
    write_python(tmp_path / "kept")
    assert _found(host_interpreters(tmp_path), tmp_path / "kept") == tmp_path / "kept"


def test_an_answer_of_uv_that_is_none_finds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_script(tmp_path / "uv", "#!/bin/sh\necho nonsense\n")
    monkeypatch.setattr("uv.find_uv_bin", lambda: str(tmp_path / "uv"))
    assert _found(host_interpreters(tmp_path), tmp_path / "kept") is None


def test_neither_uv_nor_an_interpreter_obeys_a_project(
    tmp_path: Path, uv_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source's `[tool.uv]` may say where interpreters come from, and those are run."""
    project = tmp_path / "project"
    own = write_elf(project / "bin/real")
    (project / "pyproject.toml").write_text(
        '[tool.uv]\npython-downloads-json-url = "https://evil.example/x"\ncache-dir = "evil"\n'
    )
    write_script(project / "bin/python3.13", f'#!/bin/sh\necho "$0" >> "{own}.ran"\n')
    write_script(tmp_path / "usr/python3.13", f'#!/bin/sh\npwd >> "{tmp_path}/asked-in"\n')
    monkeypatch.chdir(project)
    interpreters = host_interpreters(tmp_path, (Path("bin"), Path(), tmp_path / "usr"))
    environ = {**interpreters.environ, "UV_CONFIG_FILE": "uv.toml"}
    interpreters = replace(interpreters, environ=environ)
    (tmp_path / "kept").mkdir()
    assert interpreters.find("3.13", tmp_path / "kept") is None
    assert interpreters.install("3.13", Path("kept"))
    rows = [row.split() for row in Path(f"{uv_log}.places").read_text().splitlines()]
    assert [row[3] for row in rows] == ["list", "list", "install"]
    assert all(row[:2] == ["/", "none"] and "--no-config" in row for row in rows)
    assert f"--install-dir={project}/kept" in rows[-1]
    assert set((tmp_path / "asked-in").read_text().split()) == {"/"}
    assert not Path(f"{own}.ran").exists()
