"""Installing locked wheels, with a program that stands in for uv."""

from __future__ import annotations

from pathlib import Path

import pytest

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.hostindex import IndexSettings
from aarch64_wheels.processes import Processes
from aarch64_wheels.wheels import find_uv, install_wheels

UV = (
    '#!/bin/sh\nprintf "%s\\n" "$@" > "${0%/*}/words"\nenv > "${0%/*}/env"\npwd > "${0%/*}/place"\n'
)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the project's own uv is, and what it keeps of its calls."""
    write_script(tmp_path / "own/uv", UV)
    monkeypatch.setattr("uv.find_uv_bin", lambda: tmp_path / "own/uv")
    return tmp_path / "own"


def install(target: Path) -> None:
    install_wheels(
        target.parent / "image.txt",
        target,
        python="3.13",
        platform="aarch64-manylinux_2_28",
        index=IndexSettings(index_url="http://index.example/simple", ca_bundle=Path("/ca.pem")),
        processes=Processes(),
    )


def test_wheels_are_installed_for_another_machine_and_checked(own: Path, tmp_path: Path) -> None:
    install(tmp_path / "site packages")
    words = (own / "words").read_text().splitlines()
    assert words[:2] == ["pip", "install"]
    assert {
        f"--target={tmp_path}/site packages",
        f"--requirements={tmp_path}/image.txt",
        "--python-version=3.13",
        "--python-platform=aarch64-manylinux_2_28",
        "--require-hashes",
        "--only-binary=:all:",
        "--no-deps",
        "--link-mode=copy",
    } <= set(words)
    environment = (own / "env").read_text().splitlines()
    assert {"UV_DEFAULT_INDEX=http://index.example/simple", "SSL_CERT_FILE=/ca.pem"} <= set(
        environment
    )


def test_wheels_that_cannot_be_had(own: Path, tmp_path: Path) -> None:
    write_script(own / "uv", "#!/bin/sh\necho 'error: no solution found' >&2\nexit 1\n")
    with pytest.raises(UnfitError, match=r"image\.txt for CPython 3\.13") as caught:
        install(tmp_path / "x")
    assert caught.value.found == "error: no solution found"
    assert "index" in caught.value.hint


def _lay_hostile_project(place: Path) -> Path:
    (place / ".venv/bin").mkdir(parents=True)
    settings = 'python-downloads-json-url = "https://evil.example/x"\ncache-dir = "evil"\n'
    (place / "uv.toml").write_text(settings)
    (place / "pyproject.toml").write_text(f"[tool.uv]\n{settings}")
    write_script(place / ".venv/bin/python", "#!/bin/sh\n")
    return place


def test_uv_obeys_no_project(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = _lay_hostile_project(tmp_path / "project")
    monkeypatch.chdir(project)
    for name in ("UV_CONFIG_FILE", "UV_PROJECT", "UV_WORKING_DIR"):
        monkeypatch.setenv(name, str(project))
    monkeypatch.setenv("UV_CACHE_DIR", "cache")
    install(Path("target"))
    words = (own / "words").read_text().splitlines()
    environ = dict(row.split("=", 1) for row in (own / "env").read_text().splitlines())
    assert "--no-config" in words
    assert (own / "place").read_text().strip() == "/"
    assert {"UV_CONFIG_FILE", "UV_PROJECT", "UV_WORKING_DIR"}.isdisjoint(environ)
    # What this process was told relative to its own directory stays where it was.
    assert {f"--target={project}/target", f"--requirements={project}/image.txt"} <= set(words)
    assert environ["UV_CACHE_DIR"] == f"{project}/cache"


def test_uv_is_the_one_this_project_depends_on(own: Path) -> None:
    assert find_uv() == f"{own}/uv"
