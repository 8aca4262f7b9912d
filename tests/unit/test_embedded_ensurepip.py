"""The embedded image's `ensurepip`, as `python -m venv` uses it."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

import pytest

from aarch64_wheels.data import ensurepip


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new environment, and an image whose pip is not in a zip file as Debian's."""
    site = tmp_path / "image"
    (site / "pip").mkdir(parents=True)
    (site / "pip/__init__.py").write_text("version = 1\n")
    (site / "pip-26.1.dist-info").mkdir()
    (site / "pip-26.1.dist-info/METADATA").write_text("Name: pip\n")
    (site / "build").mkdir()
    places = {"purelib": tmp_path / "new/lib", "scripts": tmp_path / "new/bin"}
    for place in places.values():
        place.mkdir(parents=True)
    monkeypatch.setattr(ensurepip, "_SITE", site)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(places[name]))
    return tmp_path / "new"


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_it_copies_the_images_pip_and_nothing_else(environment: Path) -> None:
    ensurepip.bootstrap(upgrade=True, default_pip=True)
    assert _names(environment / "lib") == ["pip", "pip-26.1.dist-info"]
    assert (environment / "lib/pip/__init__.py").read_text() == "version = 1\n"


def test_its_scripts_start_with_the_environments_interpreter(environment: Path) -> None:
    ensurepip.bootstrap()
    version = f"pip{sys.version_info.major}.{sys.version_info.minor}"
    assert _names(environment / "bin") == sorted({"pip", "pip3", version})
    for script in (environment / "bin").iterdir():
        assert script.read_text().partition("\n")[0] == f"#!{sys.executable}"
        assert os.access(script, os.X_OK)


def test_it_upgrades_what_is_there(environment: Path) -> None:
    (environment / "lib/pip").mkdir()
    (environment / "lib/pip/__init__.py").write_text("version = 0\n")
    ensurepip.bootstrap(upgrade=True)
    assert (environment / "lib/pip/__init__.py").read_text() == "version = 1\n"


@pytest.mark.usefixtures("environment")
def test_its_version_is_the_images_pips() -> None:
    assert ensurepip.version() == "26.1"


def test_it_looks_where_the_image_has_its_packages() -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    tag = f"cp{version.replace('.', '')}"
    expected = f"/opt/python/{tag}-{tag}/lib/python{version}/site-packages"
    assert Path(expected) == ensurepip._SITE  # noqa: SLF001 - the one place that it knows
