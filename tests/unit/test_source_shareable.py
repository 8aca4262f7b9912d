"""The guess whether one wheel of a source serves several interpreters."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.source.shareable import may_share

if TYPE_CHECKING:
    from pathlib import Path

FILES: dict[str, tuple[dict[str, str], bool]] = {
    "nothing": ({}, True),
    "pure": ({"pyproject.toml": "[project]", "pkg/a.py": "1", "README.md": ""}, True),
    "c": ({"pkg/a.c": ""}, False),
    "cython": ({"pkg/deep/er/a.pyx": ""}, False),
    "rust": ({"Cargo.toml": "[package]", "src/lib.rs": ""}, False),
    "fortran-in-capitals": ({"a.F90": ""}, False),
    "only-in-tests": ({"tests/a.c": "", "docs/b.c": "", "build/c.c": ""}, True),
    "setup-cfg": ({"a.c": "", "setup.cfg": "[bdist_wheel]\npy_limited_api = cp39"}, True),
    "setup-py": ({"a.c": "", "setup.py": "Extension('a', py_limited_api=True)"}, True),
    "macro": ({"a.c": "", "setup.py": "('Py_LIMITED_API', '0x03090000')"}, True),
    "meson-python": (
        {"a.c": "", "pyproject.toml": "[tool.meson-python]\nlimited-api = true"},
        True,
    ),
    "meson": ({"a.c": "", "meson.build": "limited_api: '3.9'"}, True),
    "scikit-build-core": (
        {"a.c": "", "pyproject.toml": "[tool.scikit-build]\nwheel.py-api = 'cp39'"},
        True,
    ),
    "pyo3": ({"a.rs": "", "Cargo.toml": 'features = ["abi3-py39"]'}, True),
    "named-elsewhere": ({"a.c": "", "notes.txt": "abi3"}, False),
}


@pytest.mark.parametrize(("files", "expected"), FILES.values(), ids=FILES.keys())
def test_guesses(tmp_path: Path, files: dict[str, str], *, expected: bool) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert may_share(tmp_path) is expected


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside/a.c").touch()
    project = tmp_path / "project"
    project.mkdir()
    (project / "away").symlink_to(tmp_path / "beside")
    (project / "round").symlink_to(".")
    assert may_share(project)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "setup.cfg")
    (tmp_path / "pyproject.toml").symlink_to("setup.cfg")
    (tmp_path / "setup.py").mkdir()
    assert may_share(tmp_path)
