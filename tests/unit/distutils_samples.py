"""As much of distutils as is patched, and an interpreter that has the patches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: As much of distutils as the patches touch, with the same names in the same modules.
CCOMPILER = """
class CompileError(Exception):
    pass

class CCompiler:
    def _setup_compile(self, output_dir, macros, include_dirs, sources, depends, extra):
        objects = [source.rsplit(".", 1)[0] + ".o" for source in sources]
        build = {name: (source, ".c") for name, source in zip(objects, sources)}
        for source in sources:
            if source.startswith("unchanged"):
                del build[source.rsplit(".", 1)[0] + ".o"]
        return macros, objects, extra or [], [], build

    def _get_cc_args(self, pp_opts, debug, before):
        return ["-c"]

    def compile(self, sources, output_dir=None, macros=None, include_dirs=None, debug=0,
                extra_preargs=None, extra_postargs=None, depends=None):
        macros, objects, extra, pp_opts, build = self._setup_compile(
            output_dir, macros, include_dirs, sources, depends, extra_postargs)
        cc_args = self._get_cc_args(pp_opts, debug, extra_preargs)
        for name in objects:
            if name in build:
                self._compile(name, *build[name], cc_args, extra, pp_opts)
        return objects
"""
UNIX = """
import os, sys, time
from distutils.ccompiler import CCompiler, CompileError

class UnixCCompiler(CCompiler):
    pid = None

    def spawn(self, words):
        source = words[-1]
        print("compiling", source, flush=True)
        time.sleep(float(os.environ.get("PAUSE", "0")))
        if source.startswith("bad"):
            os.write(2, f"{source}: no such thing\\n".encode())
            raise CompileError(f"{source} failed")
        self.pid = os.getpid()
        with open(source.rsplit(".", 1)[0] + ".o", "w") as file:
            file.write(str(os.getpid()))

    def _compile(self, name, source, suffix, cc_args, extra, pp_opts):
        self.spawn([*cc_args, *extra, source])
"""
BUILD_EXT = """
from contextlib import contextmanager
from distutils.ccompiler import CompileError

class build_ext:
    def __init__(self, compiler, extensions):
        self.compiler, self.extensions = compiler, extensions

    def _build_extensions_serial(self):
        for extension in self.extensions:
            with self._filter_build_errors(extension):
                self.build_extension(extension)

    @contextmanager
    def _filter_build_errors(self, extension):
        try:
            yield
        except CompileError as error:
            if not extension.optional:
                raise
            print("warning:", error)

    def build_extension(self, extension):
        print("building", extension.name)
        self.compiler.compile(extension.sources)

class Extension:
    optional = False
    def __init__(self, name, sources):
        self.name, self.sources = name, sources
"""
FILES = {
    "distutils/__init__.py": "",
    "distutils/ccompiler.py": CCOMPILER,
    "distutils/unixccompiler.py": UNIX,
    "distutils/command/__init__.py": "",
    "distutils/command/build_ext.py": BUILD_EXT,
}
#: Newer ones have the class elsewhere, and import it where it was.
NEWER = {
    **FILES,
    "distutils/ccompiler.py": "from distutils.compilers.C.base import CCompiler, CompileError\n",
    "distutils/compilers/__init__.py": "",
    "distutils/compilers/C/__init__.py": "",
    "distutils/compilers/C/base.py": CCOMPILER,
}
START = """
import json, os, sys
sys.path.insert(0, "lib")
import _aarch64_wheels.startup
from distutils.unixccompiler import UnixCCompiler
from distutils.command.build_ext import build_ext, Extension
compiler = UnixCCompiler()
me = str(os.getpid())
def made(*names):
    return [open(name).read() for name in names]
"""


def write_place(tmp_path: Path, files: Mapping[str, str] = FILES) -> Path:
    """A directory with a `lib` that holds this distutils and the start-up package."""
    for name, text in files.items():
        path = tmp_path / "lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    package = tmp_path / "lib/_aarch64_wheels"
    package.mkdir()
    for item in resources.files("aarch64_wheels.native.identity").iterdir():
        if item.name.endswith(".py"):
            (package / item.name).write_text(item.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def run_with(place: Path, code: str, parallel: int = 3, **variables: str) -> tuple[Any, str]:
    """Run code; gives what it left in `result`, and all it printed, in order."""
    script = f"{START}\n{code}\nopen('result', 'w').write(json.dumps(result))\n"
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        cwd=place,
        env={**os.environ, "AARCH64_WHEELS_PARALLEL": str(parallel), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return json.loads((place / "result").read_text(encoding="utf-8")), done.stdout
