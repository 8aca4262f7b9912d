"""The embedded image's compilers: GCC 10 behind wrappers that compile in the sysroot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.embedded.finish import write_script

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

TRIPLET = "aarch64-linux-gnu"

_COMPILERS = {
    "gcc": "gcc",
    "cc": "gcc",
    "g++": "g++",
    "c++": "g++",
    "cpp": "cpp",
    "gfortran": "gfortran",
    "f95": "gfortran",
    "f77": "gfortran",
}
_BINUTILS = ("gcc-ar", "gcc-nm", "gcc-ranlib", "gcov")


def install_wrappers(root: Path, sysroot: PurePosixPath, version: str) -> None:
    """Put `gcc`, `g++`, `cpp`, `gfortran` and their usual names on PATH, compiling in the sysroot.

    The C++, Fortran and GCC support libraries are linked statically, as devtoolset does for
    what an old system lacks.
    """
    programs = sysroot / "usr/bin"
    for name, program in _COMPILERS.items():
        options = f"--sysroot={sysroot}" + (" -static-libgcc" if program != "cpp" else "")
        _wrap(root, name, f"{programs}/{TRIPLET}-{program}-{version} {options}", version)
    for name in _BINUTILS:
        _wrap(root, name, f"{programs}/{TRIPLET}-{name}-{version}", version)


def _wrap(root: Path, name: str, command: str, version: str) -> None:
    text = f'#!/bin/sh\nexec {command} "$@"\n'
    for alias in (name, f"{name}-{version}", f"{TRIPLET}-{name}", f"{TRIPLET}-{name}-{version}"):
        write_script(root / "usr/bin" / alias, text)
