"""The build backend run by a native interpreter, against the same one run under emulation."""

from __future__ import annotations

import json
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.integration.conftest import Run

#: A build backend that tells what its interpreter says of itself, and makes no wheel.
TELLING = """
import json, os, platform, sys, sysconfig

def _told():
    schemes = [name for name in sysconfig.get_scheme_names() if name.startswith("posix")]
    paths = {name: sysconfig.get_paths(name) for name in {*schemes, sysconfig.get_default_scheme()}}
    told = {
        "vars": sysconfig.get_config_vars(),
        "paths": paths,
        "relative": sysconfig.get_paths(vars={"base": "", "platbase": "", "installed_base": ""}),
        "files": [sysconfig.get_config_h_filename(), sysconfig.get_makefile_filename()],
        "platform": [sysconfig.get_platform(), platform.machine(), platform.architecture()],
        "uname": [os.uname()[0], os.uname()[4], platform.uname()[5:]],
        "libc": [platform.libc_ver(), os.confstr("CS_GNU_LIBC_VERSION")],
        "implementation": [sys.implementation.name, sys.implementation.cache_tag,
                           getattr(sys.implementation, "_multiarch", None), sys.abiflags],
        "places": [sys.prefix, sys.exec_prefix, sys.executable],
    }
    return json.dumps(told, default=str)

def get_requires_for_build_wheel(config_settings=None):
    return []

def build_wheel(directory, config_settings=None, metadata_directory=None):
    print("TOLD", _told())
    sys.exit("that is all")
"""

PYPROJECT = '[project]\nname = "{name}"\nversion = "1.0"\n[build-system]\n{system}\n'
SETUPTOOLS = 'requires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"'
MODULE = """#include <Python.h>
static PyModuleDef d = {{PyModuleDef_HEAD_INIT, "{name}"}};
PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&d); }}
"""
SETUP = "from setuptools import Extension, setup\nsetup(ext_modules=[{}])\n"


def _project(directory: Path, name: str, system: str, files: dict[str, str]) -> Path:
    directory.mkdir()
    pyproject = PYPROJECT.format(name=name, system=system)
    for path, text in {**files, "pyproject.toml": pyproject}.items():
        (directory / path).write_text(text, encoding="utf-8")
    return directory


def _build(
    run: Run, project: Path, output: Path, backend: str, python: str = "cp313"
) -> subprocess.CompletedProcess[str]:
    options = ["--image=debian", "--mode=accelerated", f"--backend={backend}"]
    done = run("build", project, *options, "--python", python, "--output-dir", output)
    print(done.stdout, done.stderr)
    return done


def _target(output: Path) -> dict[str, Any]:
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    (target,) = report["targets"]
    return dict(target)


def _log(output: Path) -> str:
    (log,) = (output / "logs").glob("*.log")
    return log.read_text(encoding="utf-8")


def _told(output: Path) -> dict[str, Any]:
    (line,) = [line for line in _log(output).splitlines() if line.startswith("TOLD ")]
    return dict(json.loads(line.removeprefix("TOLD ")))


@pytest.mark.parametrize("tag", ["cp39", "cp311", "cp313", "cp314", "cp315"])
def test_both_interpreters_say_the_same(run: Run, tmp_path: Path, tag: str) -> None:
    """All but the place of the standard library, which the native one needs for itself."""
    system = 'requires = []\nbuild-backend = "telling"\nbackend-path = ["."]'
    text = TELLING.replace(
        "get_default_scheme", "_get_default_scheme" if tag == "cp39" else "get_default_scheme"
    )
    project = _project(tmp_path / "telling", "telling", system, {"telling.py": text})
    told = {}
    for backend in ("native", "emulated"):
        assert _build(run, project, tmp_path / backend, backend, tag).returncode == 1
        told[backend] = _told(tmp_path / backend)
    own = {
        scheme
        for scheme, paths in told["native"]["paths"].items()
        if paths["stdlib"].startswith("/native/python/")
    }
    assert "posix_prefix" in own
    for found in told.values():
        for scheme in own:
            del found["paths"][scheme]["stdlib"]
    assert told["native"] == told["emulated"]


def test_setuptools_builds_natively(run: Run, tmp_path: Path) -> None:
    """Two extensions, one of several files, one of the stable ABI."""
    extensions = (
        'Extension("one", ["one.c", "more.c", "yet.c"]), '
        'Extension("two", ["two.c"], py_limited_api=True, '
        'define_macros=[("Py_LIMITED_API", "0x03090000")])'
    )
    files = {
        "setup.py": SETUP.format(extensions),
        "one.c": MODULE.format(name="one"),
        "two.c": MODULE.format(name="two"),
        "more.c": "int more(void) { return 1; }\n",
        "yet.c": "int yet(void) { return 2; }\n",
    }
    project = _project(tmp_path / "pair", "pair", SETUPTOOLS, files)
    assert _build(run, project, tmp_path / "out", "native").returncode == 0
    target = _target(tmp_path / "out")
    assert (target["backend"], target["backend_reason"]) == ("native", "")
    with zipfile.ZipFile(tmp_path / "out" / target["wheel"]["filename"]) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(".so")]
    assert sorted(names) == ["one.cpython-313-aarch64-linux-gnu.so", "two.abi3.so"]


def test_numpys_files_to_link_and_include_are_the_targets(run: Run, tmp_path: Path) -> None:
    # No other run has required just this, so no environment is kept that could be used.
    numpy = f"numpy>=2,!=0.0.{time.time_ns()}"
    system = f'requires = ["setuptools>=77", "{numpy}"]\nbuild-backend = "setuptools.build_meta"'
    extension = (
        'Extension("sums", ["sums.c"], include_dirs=[numpy.get_include()], '
        'libraries=["npymath"], library_dirs=[numpy.get_include() + "/../lib"])'
    )
    code = """#include <Python.h>
#include <numpy/arrayobject.h>
#include <numpy/npy_math.h>
static PyObject *half(PyObject *m, PyObject *a) {
    return PyFloat_FromDouble(npy_half_to_double(0x3c00)); }
static PyMethodDef f[] = {{"half", half, METH_NOARGS, ""}, {0}};
static PyModuleDef d = {PyModuleDef_HEAD_INIT, "sums", 0, -1, f};
PyMODINIT_FUNC PyInit_sums(void) { import_array(); return PyModule_Create(&d); }
"""
    files = {"setup.py": f"import numpy\n{SETUP.format(extension)}", "sums.c": code}
    project = _project(tmp_path / "sums", "sums", system, files)
    assert _build(run, project, tmp_path / "out", "native").returncode == 0
    assert _target(tmp_path / "out")["backend"] == "native"
    assert "files to link or include" in _log(tmp_path / "out")


#: Imports what it has just built, as some projects do to write their version down.
IMPORTING = """
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
class Own(build_ext):
    def run(self):
        super().run()
        import importlib.machinery, importlib.util
        path = self.get_ext_fullpath("own")
        loader = importlib.machinery.ExtensionFileLoader("own", path)
        spec = importlib.util.spec_from_file_location("own", path, loader=loader)
        print("imported", importlib.util.module_from_spec(spec))
setup(ext_modules=[Extension("own", ["own.c"])], cmdclass={"build_ext": Own})
"""


@pytest.fixture
def importing(tmp_path: Path) -> Path:
    files = {"setup.py": IMPORTING, "own.c": MODULE.format(name="own")}
    return _project(tmp_path / "importing", "importing", SETUPTOOLS, files)


def test_a_build_that_imports_what_it_has_built_is_emulated(
    run: Run, importing: Path, tmp_path: Path
) -> None:
    assert _build(run, importing, tmp_path / "out", "auto").returncode == 0
    target = _target(tmp_path / "out")
    assert target["backend"] == "emulated"
    assert target["backend_reason"].startswith("it failed natively: ImportError")
    assert "imported <module 'own'" in _log(tmp_path / "out")


def test_with_backend_native_that_is_an_error(run: Run, importing: Path, tmp_path: Path) -> None:
    done = _build(run, importing, tmp_path / "out", "native")
    assert done.returncode == 1
    assert "cannot run natively" in done.stdout
    assert "--backend auto" in done.stdout


def test_an_error_of_the_code_is_final(run: Run, tmp_path: Path) -> None:
    files = {
        "setup.py": SETUP.format('Extension("bad", ["good.c", "bad.c"])'),
        "good.c": MODULE.format(name="bad"),
        "bad.c": "#error this is the end\n",
    }
    project = _project(tmp_path / "bad", "bad", SETUPTOOLS, files)
    assert _build(run, project, tmp_path / "out", "auto").returncode == 1
    assert _target(tmp_path / "out")["backend"] == "native"
    assert _log(tmp_path / "out").count("this is the end") >= 1
    assert "under emulation" not in _log(tmp_path / "out")


@pytest.mark.parametrize(
    ("requirement", "backend"),
    [
        pytest.param("docopt==0.6.2", "native", id="pure"),
        pytest.param("netifaces==0.11.0", "emulated", id="compiled"),
    ],
)
def test_a_requirement_without_a_wheel(
    run: Run, tmp_path: Path, requirement: str, backend: str
) -> None:
    """What is compiled is compiled for the target, and no native interpreter can import it."""
    system = (
        f'requires = ["setuptools>=77", "{requirement}"]\nbuild-backend = "setuptools.build_meta"'
    )
    files = {"setup.py": SETUP.format('Extension("own", ["own.c"])')}
    project = _project(
        tmp_path / "needs", "needs", system, {**files, "own.c": MODULE.format(name="own")}
    )
    assert _build(run, project, tmp_path / "out", "auto").returncode == 0
    target = _target(tmp_path / "out")
    assert target["backend"] == backend
    assert ("has no x86-64 wheel" in target["backend_reason"]) is (backend == "emulated")
