"""Small projects, written where a test wants them: a C extension, the stable ABI, pure Python."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "small"
version = "1.0"
requires-python = ">=3.9"
"""
_SETUP = """\
import os
from setuptools import Extension, setup
value = os.environ.get("SMALL_VALUE", "none")
setup(
    packages=["small"],
    ext_modules=[Extension("small._small", ["small/_small.c"], define_macros=[
        ("VALUE", '"' + value + '"'), *MACROS], py_limited_api=LIMITED)],
    options=OPTIONS,
)
"""
_SOURCE = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
static PyObject *value(PyObject *self, PyObject *unused) { return BODY; }
static PyMethodDef methods[] = {{"value", value, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_small", NULL, -1, methods,
    NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__small(void) { return PyModule_Create(&module); }
"""
_TEST = """\
import sys
import unittest

import small


class Small(unittest.TestCase):
    def test_value(self) -> None:
        print("tested", sys.version_info[:2], small.value(), small.__file__)
        self.assertNotIn("/project/", small.__file__)
"""


@dataclass(frozen=True, kw_only=True)
class SmallProject:
    """A project with a C extension.

    Attributes:
        settings: more of its pyproject.toml.
        limited: it is for the stable ABI of CPython 3.11, as it says.
        body: what its one function returns, in C.
    """

    settings: str = ""
    limited: bool = False
    body: str = "PyUnicode_FromString(VALUE)"
    files: dict[str, str] = field(default_factory=dict)

    def write(self, place: Path) -> Path:
        """Write it to a new directory."""
        macros = '("Py_LIMITED_API", "0x030b0000")' if self.limited else ""
        setup = _SETUP.replace("*MACROS", macros).replace("LIMITED)", f"{self.limited})")
        options = {"bdist_wheel": {"py_limited_api": "cp311"}} if self.limited else {}
        files = {
            "pyproject.toml": _PYPROJECT + textwrap.dedent(self.settings),
            "setup.py": setup.replace("OPTIONS", repr(options)),
            "small/__init__.py": "from small._small import value\n",
            "small/_small.c": _SOURCE.replace("BODY", self.body),
            "tests/test_small.py": _TEST,
            **self.files,
        }
        return write_files(place, files)


def pure_project(place: Path, settings: str = "") -> Path:
    """Write a project without any compiled code."""
    return write_files(
        place,
        {
            "pyproject.toml": _PYPROJECT + textwrap.dedent(settings),
            "small/__init__.py": "def value() -> str:\n    return 'pure'\n",
            "tests/test_small.py": _TEST,
        },
    )


def write_files(place: Path, files: dict[str, str]) -> Path:
    """Write files, each with the directories above it."""
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return place
