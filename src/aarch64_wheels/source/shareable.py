"""A guess whether one wheel of a source serves several interpreters; the wheel itself decides.

A wrong guess costs time only: the first target goes ahead alone, or two make the same wheel.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Files that are compiled for an interpreter.
_COMPILED = (
    *(".c", ".cc", ".cpp", ".cxx", ".m", ".pyx", ".pxd", ".pyi.in", ".rs", ".f", ".f90", ".go"),
    *(".cu", ".zig", ".s", ".asm", ".i", ".swg"),
)
#: How setuptools, meson-python, scikit-build-core, maturin and others are told of it.
_STABLE_ABI = re.compile(rb"(?i)py[-_. ]?limited[-_. ]?api|limited[-_]api|wheel\.py-api|abi3")
_CONFIGURATION = ("pyproject.toml", "setup.cfg", "setup.py", "Cargo.toml", "meson.build")
_MAX_BYTES = 1 << 20
#: So many files are looked at.
_MAX_FILES = 20_000
_PASSED_OVER = frozenset({".git", ".hg", "node_modules", "build", "dist", "doc", "docs", "tests"})


def may_share(root: Path) -> bool:
    """Tell whether a source speaks of the stable ABI, or has nothing to compile."""
    return _names_stable_abi(root) or not any(_is_compiled(name) for name in _names(root))


def _names_stable_abi(root: Path) -> bool:
    return any(_STABLE_ABI.search(_head(root / name)) for name in _CONFIGURATION)


def _head(path: Path) -> bytes:
    try:
        if not path.is_file():  # a pipe would be waited for
            return b""
        with path.open("rb") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return b""


def _is_compiled(name: str) -> bool:
    return name.lower().endswith(_COMPILED)


def _names(root: Path) -> Iterator[str]:
    count = 0
    for _, directories, files in os.walk(root):
        directories[:] = [name for name in directories if name not in _PASSED_OVER]
        yield from files
        count += len(files)
        if count > _MAX_FILES:
            return
