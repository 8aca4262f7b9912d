"""The embedded image's interpreters, as a manylinux image has them."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.embedded.interpreters import (
    add_launcher,
    lay_out,
    site_packages,
    standard_library,
)
from aarch64_wheels.plan import Interpreter

if TYPE_CHECKING:
    from pathlib import Path

CP313 = Interpreter(tag="cp313", version="3.13", directory="cp313-cp313")

#: As Debian's: a comment, one assignment, values of several kinds and lines.
SYSCONFIG = """# system configuration generated and used by the sysconfig module
build_time_vars = {'AC_APPLE_UNIVERSAL_BUILD': 0,
 'CFLAGS': '-fwrapv -Wall '
           "-DWORD='x y'",
 'EXT_SUFFIX': '.cpython-313-aarch64-linux-gnu.so',
 'LDLIBRARY': 'libpython3.13.so',
 'LDVERSION': '3.13',
 'LIBDIR': '/usr/lib/aarch64-linux-gnu',
 'PY_ENABLE_SHARED': 1,
 'Py_ENABLE_SHARED': 1,
 'QUOTE': "it's"}
"""
DATA = "_sysconfigdata__aarch64-linux-gnu.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What Debian's packages have unpacked of CPython 3.13."""
    library = tmp_path / "usr/lib/python3.13"
    headers = tmp_path / "usr/include"
    for directory in (library, headers / "python3.13", headers / "aarch64-linux-gnu/python3.13"):
        directory.mkdir(parents=True)
    (library / DATA).write_text(SYSCONFIG, encoding="utf-8")
    (library / "_sysconfigdata__linux_aarch64-linux-gnu.py").symlink_to(DATA)
    (headers / "python3.13/pyconfig.h").write_text("#include <aarch64-linux-gnu/...>\n")
    (headers / "aarch64-linux-gnu/python3.13/pyconfig.h").write_text("#define SIZEOF_LONG 8\n")
    return tmp_path


def _build_time_vars(path: Path) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(path.read_text(encoding="utf-8"), namespace)  # noqa: S102  # as `sysconfig` does
    values: dict[str, Any] = namespace["build_time_vars"]
    return values


def test_paths_in_the_image() -> None:
    assert standard_library(CP313) == "/usr/lib/python3.13"
    assert site_packages(CP313) == "/opt/python/cp313-cp313/lib/python3.13/site-packages"


def test_it_is_an_environment_of_debians_interpreter(root: Path) -> None:
    lay_out(root, CP313)
    home = root / "opt/python/cp313-cp313"
    for name in ("python", "python3", "python3.13"):
        assert str((home / "bin" / name).readlink()) == "/usr/bin/python3.13"
    config = dict(line.split(" = ") for line in (home / "pyvenv.cfg").read_text().splitlines())
    assert config == {
        "home": "/usr/bin",
        "include-system-site-packages": "false",
        "version": "3.13",
    }


def test_the_compiler_finds_the_real_pyconfig_without_debians_include_path(root: Path) -> None:
    lay_out(root, CP313)
    text = (root / "usr/include/python3.13/pyconfig.h").read_text()
    assert text == "#define SIZEOF_LONG 8\n"


def test_sysconfig_says_there_is_no_shared_libpython(root: Path) -> None:
    path = root / "usr/lib/python3.13" / DATA
    before = _build_time_vars(path)
    lay_out(root, CP313)
    after = _build_time_vars(path)
    assert (after["Py_ENABLE_SHARED"], after["PY_ENABLE_SHARED"]) == (0, 0)
    assert after["LIBDIR"] == "/opt/python/cp313-cp313/lib"
    names = ("LDLIBRARY", "BLDLIBRARY", "INSTSONAME", "LIBRARY")
    assert {after[name] for name in names} == {"libpython3.13.a"}
    changed = {"Py_ENABLE_SHARED", "PY_ENABLE_SHARED", "LIBDIR", *names}
    assert {k: v for k, v in after.items() if k not in changed} == {
        k: v for k, v in before.items() if k not in changed
    }


FLAGS = {
    "hardening": ("-g -fstack-protector-strong -Wformat -Werror=format-security -O2", "-g -O2"),
    "linking": (
        "gcc -shared -Wl,-O1 -Wl,-Bsymbolic-functions -Wl,-z,relro -Wl,-z,now",
        "gcc -shared",
    ),
    "fortify": ("-I. -Wdate-time -D_FORTIFY_SOURCE=2", "-I."),
    "paths": ("-Wall -ffile-prefix-map=/build/python-3.13=.  -fPIC", "-Wall -fPIC"),
    "optimiser": ("-O3 -flto=auto -fuse-linker-plugin -ffat-lto-objects -fwrapv", "-O3 -fwrapv"),
    "architecture": ("-mbranch-protection=standard -fstack-clash-protection", ""),
    "specs": ("-specs=/usr/share/dpkg/no-pie.specs -shared", "-shared"),
    "what-manylinux-has-too": ("-Wl,--no-as-needed -Wformat-nonliteral", None),
    "part-of-a-word": ("-DNAME=-Wformat 'CFLAGS=-Wdate-time'", None),
    "spaces-of-others": ("a  b", None),
    "a-number": (0, None),
}


@pytest.mark.parametrize(("before", "after"), FLAGS.values(), ids=FLAGS.keys())
def test_extensions_do_not_inherit_debians_flags(root: Path, before: Any, after: Any) -> None:
    path = root / "usr/lib/python3.13" / DATA
    path.write_text(f"build_time_vars = {{'CFLAGS': {before!r}}}\n", encoding="utf-8")
    lay_out(root, CP313)
    assert _build_time_vars(path)["CFLAGS"] == (before if after is None else after)


def test_a_new_environment_of_the_images_interpreter_gets_a_pip(root: Path) -> None:
    lay_out(root, CP313)
    package = root / "usr/lib/python3.13/ensurepip"
    source = (resources.files("aarch64_wheels.data") / "ensurepip.py").read_bytes()
    names = {path.name: path.read_bytes() for path in package.iterdir()}
    assert names == {"__init__.py": source, "__main__.py": source}


def test_a_second_name_of_the_same_file_stays_a_link(root: Path) -> None:
    lay_out(root, CP313)
    link = root / "usr/lib/python3.13/_sysconfigdata__linux_aarch64-linux-gnu.py"
    assert str(link.readlink()) == DATA
    assert _build_time_vars(link)["LIBDIR"] == "/opt/python/cp313-cp313/lib"


def _run_script(script: Path, module: Path) -> subprocess.CompletedProcess[str]:
    """Run a launcher with this interpreter, as the image would with its own."""
    code = f"import sys; sys.path.append({str(module)!r})\n" + script.read_text(encoding="utf-8")
    argv = [sys.executable, "-S", "-c", code, "one", "two"]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def _module(directory: Path, name: str) -> Path:
    path = directory / f"{name.replace('.', '/')}.py"
    path.parent.mkdir(parents=True)
    path.write_text("import sys\ndef main():\n    print(__name__, sys.argv[1:])\n    return 3\n")
    return directory


@pytest.mark.parametrize("name", ["pip", "pip3"])
def test_pip_is_started_by_the_images_interpreter(root: Path, name: str) -> None:
    lay_out(root, CP313)
    script = root / "opt/python/cp313-cp313/bin" / name
    assert script.read_text().partition("\n")[0] == "#!/opt/python/cp313-cp313/bin/python"
    assert script.stat().st_mode & 0o777 == 0o755
    result = _run_script(script, _module(root / "modules", "pip._internal.cli.main"))
    assert (result.returncode, result.stdout) == (3, "pip._internal.cli.main ['one', 'two']\n")


def test_a_launcher_imports_from_its_own_packages_first(tmp_path: Path) -> None:
    own, other = _module(tmp_path / "own", "tool"), tmp_path / "other"
    other.mkdir()
    (other / "tool.py").write_text("raise SystemExit('the wrong one')\n")
    script = tmp_path / "bin/tool"
    add_launcher(script, CP313, "tool", "main", packages=str(own))
    result = _run_script(script, other)
    assert (result.returncode, result.stdout) == (3, "tool ['one', 'two']\n")
