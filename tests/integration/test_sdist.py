"""`--sdist`, and packages whose version git tells: real builds of a tiny C extension."""

from __future__ import annotations

import json
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.hashing import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Run

#: In a subdirectory, with a header that lies beside it, and a version that only git knows.
VERSIONED = """\
[build-system]
requires = ["setuptools>=77", "setuptools-scm>=8"]
build-backend = "setuptools.build_meta"
[project]
name = "leaf"
dynamic = ["version"]
[tool.setuptools_scm]
root = ".."
[tool.setuptools]
packages = ["leaf"]
ext-modules = [{ name = "leaf._core", sources = ["leaf/core.c"], include-dirs = ["../native"] }]
[tool.cibuildwheel]
before-build = "test -f native/leaf.h && test -f {package}/leaf/core.c && pwd"
"""
PLAIN = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "leaf"
version = "1.0"
[tool.setuptools]
packages = ["leaf"]
ext-modules = [{ name = "leaf._core", sources = ["leaf/core.c"] }]
"""
HEADER = "#define LEAF 7\n"
CORE = """\
#include <Python.h>
#include "leaf.h"
static struct PyModuleDef core = {PyModuleDef_HEAD_INIT, "_core", 0, -1, 0};
PyMODINIT_FUNC PyInit__core(void) {
    PyObject *module = PyModule_Create(&core);
    if (module) PyModule_AddIntConstant(module, "LEAF", LEAF);
    return module;
}
"""
TAG = "manylinux2014_aarch64.manylinux_2_17_aarch64"
BACKENDS = ["native", "emulated"]


def _write(place: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return place


def _git(place: Path, *words: str) -> None:
    own = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *own, *words], cwd=place, check=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a tag, and the package in a subdirectory."""
    place = tmp_path_factory.mktemp("origin") / "leaves"
    package = {"pyproject.toml": VERSIONED, "leaf/__init__.py": "", "leaf/core.c": CORE}
    files = {f"python/{name}": text for name, text in package.items()}
    _write(place, {**files, "native/leaf.h": HEADER})
    _git(place, "init", "--quiet", "--initial-branch=main")
    _git(place, "add", "--all")
    _git(place, "commit", "--quiet", "--message=one")
    _git(place, "tag", "v1.2.3")
    return place


def _plain(place: Path, files: dict[str, str] | None = None) -> Path:
    own = {"pyproject.toml": PLAIN, "leaf/__init__.py": "", "leaf/core.c": CORE}
    return _write(place, {**own, "leaf/leaf.h": HEADER, **(files or {})})


def _build(run: Run, source: Path | str, output: Path, *more: str) -> tuple[int, dict[str, Any]]:
    words = ("--image=debian", "--python=cp313", "--output-dir", output)
    done = run("build", source, *words, *more)
    print(done.stdout, done.stderr)
    report: dict[str, Any] = json.loads((output / "report.json").read_text(encoding="utf-8"))
    return done.returncode, report


@pytest.mark.usefixtures("debian_image")
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_version_from_git_in_a_subdirectory(
    run: Run, repository: Path, tmp_path: Path, backend: str
) -> None:
    code, report = _build(run, repository / "python", tmp_path, "--backend", backend)
    assert code == 0
    (target,) = report["targets"]
    assert (target["backend"], report["version"]) == (backend, "1.2.3")
    assert target["wheel"]["filename"] == f"leaf-1.2.3-cp313-cp313-{TAG}.whl"
    log = (tmp_path / target["log"]).read_text(encoding="utf-8")
    assert "\n/project\n" in log


@pytest.mark.usefixtures("debian_image")
def test_a_worktree_and_a_repositorys_url(run: Run, repository: Path, tmp_path: Path) -> None:
    _git(repository, "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    code, first = _build(run, tmp_path / "tree/python", tmp_path / "one")
    assert (code, first["version"]) == (0, "1.2.3")
    url = f"git+file://{repository}@v1.2.3#subdirectory=python"
    code, report = _build(run, f"leaf @ {url}", tmp_path / "two")
    assert (code, report["version"]) == (0, "1.2.3")
    # The same files, whatever git keeps beside them.
    assert report["source_sha256"] == first["source_sha256"] != ""
    assert report["source"].startswith(f"git+file://{repository}@")


@pytest.mark.usefixtures("debian_image")
@pytest.mark.parametrize("backend", BACKENDS)
def test_wheels_are_built_from_the_sdist(run: Run, tmp_path: Path, backend: str) -> None:
    project = _plain(tmp_path / "leaf", {"MANIFEST.in": "include leaf/leaf.h\n"})
    output = tmp_path / "out"
    code, report = _build(run, project, output, "--sdist", "--backend", backend)
    assert (code, report["sdist"]["filename"]) == (0, "leaf-1.0.tar.gz")
    file = output / "leaf-1.0.tar.gz"
    assert report["sdist"]["sha256"] == sha256_of(file)
    assert report["sdist"]["size"] == file.stat().st_size
    with tarfile.open(file) as tar:
        assert "leaf-1.0/leaf/leaf.h" in tar.getnames()
    assert "running sdist" in (output / "logs/sdist.log").read_text(encoding="utf-8")
    assert report["targets"][0]["wheel"]["filename"] == f"leaf-1.0-cp313-cp313-{TAG}.whl"


@pytest.mark.usefixtures("debian_image")
def test_a_broken_sdist_is_found_out(run: Run, tmp_path: Path) -> None:
    project = _plain(tmp_path / "leaf")
    assert _build(run, project, tmp_path / "whole")[0] == 0
    code, report = _build(run, project, tmp_path / "out", "--sdist")
    (target,) = report["targets"]
    assert (code, target["status"]) == (1, "failed")
    assert "leaf.h" in target["error"]
    assert "built from the sdist leaf-1.0.tar.gz" in target["error"]


@pytest.mark.usefixtures("debian_image")
def test_an_sdist_that_cannot_be_made(run: Run, tmp_path: Path) -> None:
    project = _plain(tmp_path / "leaf", {"setup.py": "raise SystemExit('not today')\n"})
    words = ("--image=debian", "--python=cp313", "--sdist", "--output-dir", tmp_path / "out")
    done = run("build", project, *words)
    assert done.returncode == 1
    assert "the sdist cannot be built" in done.stderr
    assert "not today" in (tmp_path / "out/logs/sdist.log").read_text(encoding="utf-8")


@pytest.mark.usefixtures("debian_image")
def test_an_sdist_is_one_already(run: Run, tmp_path: Path) -> None:
    project = _plain(tmp_path / "leaf-1.0", {"PKG-INFO": "Name: leaf\nVersion: 1.0\n"})
    file = tmp_path / "leaf-1.0.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        tar.add(project, "leaf-1.0")
    code, report = _build(run, file, tmp_path / "out", "--sdist")
    assert (code, report["sdist"]["sha256"]) == (0, sha256_of(file))
    assert (tmp_path / "out/leaf-1.0.tar.gz").read_bytes() == file.read_bytes()
