from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import UsageError
from aarch64_wheels.source.metadata import (
    LEGACY_REQUIRES,
    Metadata,
    directory_metadata,
    sdist_metadata,
)

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT = """\
[project]
name = "Demo"
version = "1.0"
requires-python = ">=3.11"
[build-system]
requires = ["hatchling", "cython>=3"]
"""


def _write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"pyproject.toml": PYPROJECT},
            Metadata(
                name="Demo",
                version="1.0",
                requires_python=">=3.11",
                build_requires=("hatchling", "cython>=3"),
            ),
            id="pep-621",
        ),
        pytest.param(
            {"pyproject.toml": '[project]\nname = "d"\ndynamic = ["version"]\n'},
            Metadata(name="d"),
            id="dynamic-version",
        ),
        pytest.param({"setup.py": "from setuptools import setup\n"}, Metadata(), id="setup-py"),
        pytest.param(
            {"setup.cfg": "[metadata]\nname=d\nversion=2\n[options]\npython_requires=>=3.9\n"},
            Metadata(name="d", version="2", requires_python=">=3.9"),
            id="setup-cfg",
        ),
        pytest.param(
            {"setup.cfg": "[metadata]\nname = d\nversion = attr: d.v\n[x]\ny = %(z)s\n"},
            Metadata(name="d"),
            id="setup-cfg-attribute",
        ),
        pytest.param(
            {
                "pyproject.toml": "[build-system]\nrequires = []\n[tool.x]\n",
                "setup.cfg": "[metadata]\nname = d\n",
            },
            Metadata(name="d", build_requires=()),
            id="both",
        ),
    ],
)
def test_directories(tmp_path: Path, files: dict[str, str], expected: Metadata) -> None:
    """There is nothing to compile in any of them."""
    found = directory_metadata(_write(tmp_path, files))
    assert found == replace(expected, may_share=True)


def test_pkg_info_goes_over_the_directory(tmp_path: Path) -> None:
    info = (
        "Metadata-Version: 2.4\nName: Demo\nVersion: 1.0.post1\nRequires-Python: >=3.12\n\nText\n"
    )
    found = sdist_metadata(_write(tmp_path, {"pyproject.toml": PYPROJECT, "PKG-INFO": info}))
    assert (found.name, found.version, found.requires_python) == ("Demo", "1.0.post1", ">=3.12")
    assert found.build_requires == ("hatchling", "cython>=3")


@pytest.mark.parametrize("info", [None, "", "Metadata-Version: 1.0\n"])
def test_what_pkg_info_leaves_out_comes_from_the_directory(
    tmp_path: Path, info: str | None
) -> None:
    files = {"pyproject.toml": PYPROJECT} | ({} if info is None else {"PKG-INFO": info})
    found = sdist_metadata(_write(tmp_path, files))
    assert (found.name, found.version, found.requires_python) == ("Demo", "1.0", ">=3.11")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        pytest.param({"README": ""}, "source without build metadata", id="none"),
        pytest.param({"pyproject.toml": "[project"}, "pyproject.toml is not valid", id="toml"),
        pytest.param({"pyproject.toml": "project = 1"}, "is not a table", id="no-table"),
        pytest.param({"pyproject.toml": "[project]\nversion = 1"}, "must be a string", id="type"),
        pytest.param({"pyproject.toml": "[build-system]"}, "no such key", id="no-requires"),
        pytest.param(
            {"pyproject.toml": '[build-system]\nrequires = "x"'}, "list of strings", id="requires"
        ),
        pytest.param({"setup.cfg": "name = d"}, "setup.cfg is not valid", id="setup-cfg"),
    ],
)
def test_bad_metadata(tmp_path: Path, files: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        directory_metadata(_write(tmp_path, files))
    assert words in str(caught.value)


def test_the_legacy_default_is_the_one_of_the_standard() -> None:
    assert LEGACY_REQUIRES == ("setuptools>=40.8.0",)
