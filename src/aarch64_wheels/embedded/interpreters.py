"""The embedded image's interpreters, laid out as in a manylinux image: /opt/python/cp313-cp313.

Each directory there is an environment (PEP 405) of Debian's interpreter. That is what makes
Debian's changes to `site` and `sysconfig` stand aside: in an environment they follow CPython's
own installation scheme.
"""

from __future__ import annotations

import ast
import pprint
import re
import shutil
from importlib import resources
from typing import TYPE_CHECKING, Any

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.embedded.toolchain import TRIPLET

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aarch64_wheels.plan import Interpreter

_DEBIANS_FLAGS = re.compile(
    r"""(?<!\S)(?:
        -Wl,(?:-O1|-Bsymbolic-functions|-z,relro|-z,now) | -f(?:file|debug|macro)-prefix-map=\S+
        | -fstack-protector(?:-strong)? | -fstack-clash-protection | -mbranch-protection=\S+
        | -Wformat | -Werror=format-security | -Werror=implicit-function-declaration
        | -Wdate-time | -D_FORTIFY_SOURCE=\d | -flto\S* | -ffat-lto-objects | -fuse-linker-plugin
        | -specs=\S+
    )(?!\S)""",
    re.VERBOSE,
)

_LAUNCHER = """#!{python}
import sys
{path}from {module} import {function}
sys.exit({function}())
"""


def standard_library(interpreter: Interpreter) -> str:
    """Where the interpreter's standard library is in the image."""
    return f"/usr/lib/python{interpreter.version}"


def site_packages(interpreter: Interpreter) -> str:
    """Where the interpreter's own packages (pip, build) are in the image."""
    return f"/opt/python/{interpreter.directory}/lib/python{interpreter.version}/site-packages"


def lay_out(root: Path, interpreter: Interpreter) -> None:
    """Make /opt/python/<directory> of an interpreter that is unpacked below `root`."""
    _repair_headers(root, interpreter.version)
    _repair_sysconfig(root, interpreter)
    home = root / "opt/python" / interpreter.directory
    (home / "bin").mkdir(parents=True)
    for name in ("python", "python3", f"python{interpreter.version}"):
        (home / "bin" / name).symlink_to(f"/usr/bin/python{interpreter.version}")
    version = f"version = {interpreter.version}"
    config = f"home = /usr/bin\ninclude-system-site-packages = false\n{version}\n"
    (home / "pyvenv.cfg").write_text(config, encoding="utf-8")
    _add_ensurepip(root, interpreter)
    for name in ("pip", "pip3"):
        add_launcher(home / "bin" / name, interpreter, "pip._internal.cli.main", "main")


def add_launcher(
    path: Path, interpreter: Interpreter, module: str, function: str, *, packages: str = ""
) -> None:
    """Write a console script for the image; an installer's would name this host's interpreter.

    Args:
        path: the script on this host.
        interpreter: what runs it in the image.
        module: where the function is.
        function: takes nothing, and returns a status.
        packages: a directory of the image to import from, besides the interpreter's own.
    """
    search = f'sys.path.insert(0, "{packages}")\n' if packages else ""
    python = str(interpreter.python)
    text = _LAUNCHER.format(python=python, path=search, module=module, function=function)
    write_script(path, text)


def _add_ensurepip(root: Path, interpreter: Interpreter) -> None:
    """Put back what `python -m venv` needs; Debian has it in a package of its own."""
    package = root / standard_library(interpreter).lstrip("/") / "ensurepip"
    package.mkdir(exist_ok=True)
    source = resources.files("aarch64_wheels.data") / "ensurepip.py"
    for name in ("__init__.py", "__main__.py"):
        (package / name).write_bytes(source.read_bytes())


def _repair_headers(root: Path, version: str) -> None:
    """Replace Debian's multiarch `pyconfig.h`, which includes a path below /usr/include.

    With a sysroot the compiler does not look there.
    """
    real = root / f"usr/include/{TRIPLET}/python{version}/pyconfig.h"
    shutil.copyfile(real, root / f"usr/include/python{version}/pyconfig.h")


def _repair_sysconfig(root: Path, interpreter: Interpreter) -> None:
    directory = root / standard_library(interpreter).lstrip("/")
    for path in directory.glob("_sysconfigdata_*.py"):
        if not path.is_symlink():
            _rewrite_sysconfigdata(path, interpreter)


def _rewrite_sysconfigdata(path: Path, interpreter: Interpreter) -> None:
    values = _read_build_time_vars(path)
    text = pprint.pformat(_without_debians_flags({**values, **_static_build(interpreter)}))
    path.write_text(f"build_time_vars = {text}\n", encoding="utf-8")


def _read_build_time_vars(path: Path) -> Mapping[str, Any]:
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign):
            values: Mapping[str, Any] = ast.literal_eval(statement.value)
            return values
    raise ValueError(path)


def _without_debians_flags(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the flags that harden Debian's own packages; extensions would inherit them."""
    return {name: _cleaned(value) for name, value in values.items()}


def _cleaned(value: Any) -> Any:
    if not isinstance(value, str) or not _DEBIANS_FLAGS.search(value):
        return value
    return " ".join(_DEBIANS_FLAGS.sub(" ", value).split())


def _static_build(interpreter: Interpreter) -> dict[str, Any]:
    """Say what a manylinux interpreter says where Debian's speaks of its shared libpython.

    setuptools adds `-L LIBDIR` when `Py_ENABLE_SHARED` is 1; that directory holds a glibc newer
    than the sysroot's.
    """
    library = f"libpython{interpreter.version}.a"
    return {
        "Py_ENABLE_SHARED": 0,
        "PY_ENABLE_SHARED": 0,
        "LIBDIR": f"/opt/python/{interpreter.directory}/lib",
        "LDLIBRARY": library,
        "BLDLIBRARY": library,
        "INSTSONAME": library,
        "LIBRARY": library,
    }
