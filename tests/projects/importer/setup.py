import importlib
import pathlib
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class BuildWithTable(build_ext):
    """Builds the extension, imports it, and writes a module with what it has computed."""

    def run(self) -> None:
        super().run()
        directory = pathlib.Path(self.build_lib)
        sys.path.insert(0, str(directory))
        cubes = importlib.import_module("selfmade_core").cube
        table = [cubes(number) for number in range(5)]
        (directory / "selfmade_table.py").write_text(f"CUBES = {table!r}\n")


setup(
    ext_modules=[Extension("selfmade_core", ["selfmade_core.c"])],
    cmdclass={"build_ext": BuildWithTable},
)
