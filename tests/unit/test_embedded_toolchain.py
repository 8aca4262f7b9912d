"""The embedded image's compilers: wrappers that compile in the sysroot."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest

from aarch64_wheels.embedded.toolchain import install_wrappers


def _installed(tmp_path: Path) -> tuple[Path, PurePosixPath]:
    """Wrappers for a sysroot whose programs print their name and arguments."""
    root, sysroot = tmp_path / "root", tmp_path / "sysroot"
    programs = sysroot / "usr/bin"
    programs.mkdir(parents=True)
    for name in ("gcc", "g++", "cpp", "gfortran", "gcc-ar", "gcc-nm", "gcc-ranlib", "gcov"):
        program = programs / f"aarch64-linux-gnu-{name}-10"
        program.write_text('#!/bin/sh\necho "${0##*/}"\nprintf "%s\\n" "$@"\n')
        program.chmod(0o755)
    install_wrappers(root, PurePosixPath(sysroot), "10")
    return root / "usr/bin", PurePosixPath(sysroot)


WRAPPERS = {
    "gcc": ("gcc", True, True),
    "cc": ("gcc", True, True),
    "gcc-10": ("gcc", True, True),
    "c++": ("g++", True, True),
    "aarch64-linux-gnu-g++": ("g++", True, True),
    "aarch64-linux-gnu-gcc-10": ("gcc", True, True),
    "cpp": ("cpp", True, False),
    "gfortran": ("gfortran", True, True),
    "f95": ("gfortran", True, True),
    "aarch64-linux-gnu-gfortran-10": ("gfortran", True, True),
    "gcc-ar": ("gcc-ar", False, False),
    "aarch64-linux-gnu-gcov-10": ("gcov", False, False),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_hand_on_their_arguments_unchanged(tmp_path: Path, name: str) -> None:
    program, in_sysroot, static = WRAPPERS[name]
    directory, sysroot = _installed(tmp_path)
    argv = [str(directory / name), "-DTEXT=a b", "*.c", ""]
    lines = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split("\n")
    expected = [f"--sysroot={sysroot}"] * in_sysroot + ["-static-libgcc"] * static
    assert lines == [f"aarch64-linux-gnu-{program}-10", *expected, *argv[1:], ""]


def test_wrappers_replace_what_packages_have_linked(tmp_path: Path) -> None:
    old = tmp_path / "root/usr/bin/gcc"
    old.parent.mkdir(parents=True)
    (tmp_path / "gcc-14").write_text("of another package")
    old.symlink_to(tmp_path / "gcc-14")
    _installed(tmp_path)
    assert not old.is_symlink()
    assert (tmp_path / "gcc-14").read_text() == "of another package"
