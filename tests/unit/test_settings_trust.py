"""What a project may not choose: how containers touch the machine, which variables it sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.layers import Layers, load

if TYPE_CHECKING:
    from pathlib import Path

TABLE = """\
[tool.cibuildwheel]
container-engine = "docker; create_args: --privileged"
environment-pass = ["AWS_SECRET_ACCESS_KEY"]
before-build = "true"
"""
TARGET = "cp313-manylinux_aarch64"


def _layers(root: Path, text: str, *, is_own: bool, environ: dict[str, str]) -> Layers:
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    return load({"source": "thing==1.0"}, environ).with_project(root, environ, is_own=is_own)


@pytest.mark.parametrize(
    ("is_own", "passed"),
    [
        pytest.param(True, ("AWS_SECRET_ACCESS_KEY",), id="the-users-own"),
        pytest.param(False, (), id="published-by-somebody"),
    ],
)
def test_of_projects(tmp_path: Path, passed: tuple[str, ...], *, is_own: bool) -> None:
    layers = _layers(tmp_path, TABLE, is_own=is_own, environ={})
    options = layers.options(TARGET)
    assert options.container_engine == ""
    assert options.environment_pass == passed
    assert options.before_build == "true"
    told = [note for note in layers.notes if "a project may not choose it here" in note]
    assert len(told) == (1 if is_own else 2)
    assert "`container-engine` in [tool.cibuildwheel] of pyproject.toml" in told[0]


def test_variables_are_the_users(tmp_path: Path) -> None:
    environ = {"CIBW_CONTAINER_ENGINE": "podman", "CIBW_ENVIRONMENT_PASS": "CI"}
    options = _layers(tmp_path, TABLE, is_own=False, environ=environ).options(TARGET)
    assert (options.container_engine, options.environment_pass) == ("podman", ("CI",))


def test_a_file_of_the_users_own_may_choose(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(TABLE, encoding="utf-8")
    layers = load({"config_file": file}, {}).with_project(tmp_path, {}, is_own=False)
    assert layers.options(TARGET).container_engine == "docker; create_args: --privileged"


def test_in_our_own_table_it_is_an_error(tmp_path: Path) -> None:
    text = '[tool.aarch64-wheels]\ncontainer-engine = "docker; create_args: --privileged"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="what containers may do here"):
        load({"source": str(tmp_path)}, {})
