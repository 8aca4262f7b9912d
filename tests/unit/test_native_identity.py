"""A native interpreter that says what the target says: this one, with the target's facts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from aarch64_wheels.native.placement import PTH, PTH_NAME, startup_variables
from tests.unit.backend_samples import answer, facts

INCLUDE = "/opt/target/include/python3.13"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of this interpreter, with our file in its site-packages."""
    directory = tmp_path_factory.mktemp("a place") / "environment"
    venv.create(directory, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(directory)}))
    (site / PTH_NAME).write_text(PTH, encoding="utf-8")
    return directory


def _identity(directory: Path, **changes: Any) -> Path:
    """What `place_identity` puts into a container."""
    package = directory / "identity/_aarch64_wheels"
    package.mkdir(parents=True, exist_ok=True)
    for item in resources.files("aarch64_wheels.native.identity").iterdir():
        if item.name.endswith(".py"):
            (package / item.name).write_text(item.read_text(encoding="utf-8"), encoding="utf-8")
    for name, text in facts(**changes).modules().items():
        (package / name).write_text(text, encoding="utf-8")
    return package.parent


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _identity(tmp_path_factory.mktemp("target"))


def _run(
    environment: Path, identity: Path, code: str, *options: str, parallel: int = 1, on: bool = True
) -> Any:
    """Run code that leaves its result in `result`."""
    variables = startup_variables(identity=on, parallel=parallel)
    variables = {**variables, "AARCH64_WHEELS_STARTUP": str(identity)}
    text = f"import json\n{code}\nprint(json.dumps(result))"
    done = subprocess.run(
        [environment / "bin/python", *options, "-c", text],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


_MODULE = """import importlib, sysconfig
module = importlib.import_module(sysconfig._get_sysconfigdata_name())
result = module.build_time_vars['prefix'], module.__name__.split('_')[-1]"""
_TAGS = """import packaging.tags
kinds = ('linux_', 'manylinux_2_28', 'manylinux_2_29')
result = sorted({tag.platform for tag in packaging.tags.sys_tags()})
result = [name for name in result if name.startswith(kinds)]
"""
ANSWERS: dict[str, tuple[str, Any]] = {
    "include": ("import sysconfig; result = sysconfig.get_path('include')", INCLUDE),
    "platinclude": ("import sysconfig; result = sysconfig.get_paths()['platinclude']", INCLUDE),
    "suffix": (
        "import sysconfig; result = sysconfig.get_config_var('EXT_SUFFIX')",
        ".cpython-313-aarch64-linux-gnu.so",
    ),
    "several": (
        "import sysconfig; result = sysconfig.get_config_vars('CC', 'INCLUDEPY', 'none')",
        ["target-gcc", INCLUDE, None],
    ),
    "platform": ("import sysconfig; result = sysconfig.get_platform()", "linux-aarch64"),
    "pyconfig": (
        "import sysconfig; result = sysconfig.get_config_h_filename()",
        f"{INCLUDE}/pyconfig.h",
    ),
    "makefile": (
        "import sysconfig; result = sysconfig.get_makefile_filename()",
        answer()["makefile"],
    ),
    "module-of-variables": (_MODULE, ["/usr/local", "aarch64-linux-gnu"]),
    "machine": ("import platform; result = platform.machine()", "aarch64"),
    "uname": ("import os; u = os.uname(); result = u.machine, u[4]", ["aarch64"] * 2),
    "platform-uname": ("import platform; result = platform.uname().machine", "aarch64"),
    "libc": ("import platform; result = platform.libc_ver()", ["glibc", "2.28"]),
    "libc-by-name": (
        "import os; result = os.confstr('CS_GNU_LIBC_VERSION')",
        "glibc 2.28",
    ),
    "tags": (_TAGS, ["linux_aarch64", "manylinux_2_28_aarch64"]),
    "imported-already": (
        "from sysconfig import get_config_vars as g; result = g()['CC']",
        "target-gcc",
    ),
}


@pytest.fixture(scope="module")
def packaging_path() -> str:
    import packaging

    return str(Path(packaging.__file__).parents[1])


@pytest.mark.parametrize("options", [(), ("-I",), ("-E",)], ids=["plain", "isolated", "no-env"])
@pytest.mark.parametrize(("code", "expected"), ANSWERS.values(), ids=ANSWERS.keys())
def test_it_says_what_the_target_says(
    environment: Path,
    identity: Path,
    packaging_path: str,
    code: str,
    expected: Any,
    options: tuple[str, ...],
) -> None:
    code = f"import sys; sys.path.append({packaging_path!r})\n{code}"
    assert _run(environment, identity, code, *options) == expected


NATIVE = {
    "suffixes": "import importlib.machinery as m; result = m.EXTENSION_SUFFIXES",
    "library": "import sysconfig; result = sysconfig.get_path('stdlib')",
    "purelib": "import sysconfig; result = sysconfig.get_path('purelib')",
    "scripts": "import sysconfig; result = sysconfig.get_path('scripts')",
    "base": "import sys; result = sys.base_prefix",
    "version": "import sys; result = sys.version_info[:]",
    "paths-of-ones-own": """import sysconfig
result = sysconfig.get_paths(vars={'installed_base': '/x', 'base': '/y'})['stdlib']""",
}


@pytest.mark.parametrize("code", NATIVE.values(), ids=NATIVE.keys())
def test_what_it_needs_for_itself_stays_native(
    environment: Path, identity: Path, code: str
) -> None:
    native = _run(environment, identity, code, on=False)
    assert _run(environment, identity, code) == native


def test_a_scheme_of_the_user_is_not_the_targets(environment: Path, identity: Path) -> None:
    code = "import sysconfig; result = sysconfig.get_path('include', 'posix_user')"
    assert not _run(environment, identity, code).startswith("/opt/target")


def test_without_the_variables_nothing_is_imported(environment: Path, identity: Path) -> None:
    code = "import sys; result = [n for n in sys.modules if 'aarch64' in n], len(sys.meta_path)"
    plain = subprocess.run(
        [environment / "bin/python", "-c", f"import json\n{code}\nprint(json.dumps(result))"],
        env={k: v for k, v in os.environ.items() if not k.startswith("AARCH64")},
        capture_output=True,
        text=True,
        check=True,
    )
    modules, finders = json.loads(plain.stdout)
    assert modules == []
    assert _run(environment, identity, code, on=False)[1] == finders


def test_children_say_it_too(environment: Path, identity: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "ask = 'import platform; print(platform.machine())'\n"
        "result = subprocess.check_output([sys.executable, '-I', '-c', ask], text=True).strip()"
    )
    assert _run(environment, identity, code) == "aarch64"


def test_a_start_imports_next_to_nothing(environment: Path, identity: Path) -> None:
    """Every process of a build pays for it."""
    code = "import sys; result = sorted(sys.modules)"
    more = set(_run(environment, identity, code)) - set(_run(environment, identity, code, on=False))
    assert {name for name in more if "aarch64" in name} == {
        "_aarch64_wheels.target",
        "_aarch64_wheels.facts",
    }
    assert not {"typing", "sysconfig", "platform", "re"} & more


def test_variables_follow_a_changed_prefix(environment: Path, identity: Path) -> None:
    """Python 3.14 makes the variables anew then, and asks itself meanwhile."""
    code = (
        "import sys, sysconfig\nfirst = sysconfig.get_config_vars()\n"
        "first['ADDED'] = 'by another module'\nsys.prefix = '/elsewhere'\n"
        "now = sysconfig.get_config_vars()\n"
        "result = now['CC'], now['INCLUDEPY'], now.get('ADDED'), now['prefix']"
    )
    cc, include, added, prefix = _run(environment, identity, code)
    assert (cc, include) == ("target-gcc", INCLUDE)
    assert (added is None) == (prefix == "/elsewhere")


def test_a_musl_target_is_no_manylinux(
    environment: Path, tmp_path: Path, packaging_path: str
) -> None:
    musl = _identity(tmp_path, libc_version="", libc=["", ""], multiarch="aarch64-linux-musl")
    code = (
        f"import sys, os; sys.path.append({packaging_path!r})\nimport packaging.tags as t\n"
        "result = sorted({tag.platform for tag in t.sys_tags()})\n"
        "try:\n    os.confstr('CS_GNU_LIBC_VERSION')\nexcept ValueError as e:\n"
        "    result.append(str(e))"
    )
    assert _run(environment, musl, code) == [
        *("any", "linux_aarch64", "unrecognized configuration name"),
    ]


DISTUTILS = """
import types, sys, importlib.abc, importlib.machinery
class Loader(importlib.abc.Loader):
    def create_module(self, spec): return None
    def exec_module(self, module):
        module.get_python_inc = lambda plat_specific=0, prefix=None: f"native {prefix}"
        module.get_config_h_filename = module.get_makefile_filename = lambda: "native"
        module.__path__ = []
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("distutils", "setuptools")):
            return importlib.machinery.ModuleSpec(name, Loader())
sys.meta_path.insert(1, Finder())
"""


@pytest.mark.parametrize("name", ["distutils.sysconfig", "setuptools._distutils.sysconfig"])
def test_distutils_names_the_targets_headers(environment: Path, identity: Path, name: str) -> None:
    """Older ones make the place from `sys.base_prefix`, and setuptools has its own copy."""
    code = (
        f"{DISTUTILS}\nsys.modules.pop('distutils', None)\nimport {name} as d\n"
        "result = [d.get_python_inc(), d.get_python_inc(1), d.get_python_inc(prefix='/x'), "
        "d.get_config_h_filename()]"
    )
    found = _run(environment, identity, code, "-W", "ignore::DeprecationWarning")
    assert found == [INCLUDE, INCLUDE, "native /x", f"{INCLUDE}/pyconfig.h"]


def test_a_module_that_is_not_there_is_still_not_there(environment: Path, identity: Path) -> None:
    code = (
        "try:\n    import setuptools._distutils.sysconfig\n"
        "except ImportError as error:\n    result = str(error)"
    )
    assert "setuptools" in _run(environment, identity, code, parallel=4)


def test_this_interpreter_was_never_changed() -> None:
    assert os.uname().machine != "aarch64" or sys.platform == "darwin"
    assert not any("_aarch64_wheels" in name for name in sys.modules)
