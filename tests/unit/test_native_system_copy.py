"""Copies of interpreters: what is in them, what is not, and bytecode for where they will be."""

from __future__ import annotations

import marshal
import sys
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.native.interpreter_copy import Copier, Original, copy_standard_library
from aarch64_wheels.native.relocation import Libraries
from aarch64_wheels.native.shared_libraries import shared_libraries
from tests.unit.native_system_samples import lay_glibc, logging_relocator, write_elf

if TYPE_CHECKING:
    from pathlib import Path
    from types import CodeType

NAME = "python3.13"

KEPT = ("os.py", "json/__init__.py", "ensurepip/__init__.py", "lib2to3/Grammar.txt", "testing.py")
LEFT_OUT = (
    "test/support.py",
    "unittest/test/suite.py",
    "distutils/tests/suite.py",
    "idlelib/pyshell.py",
    "tkinter/__init__.py",
    "turtledemo/clock.py",
    "ensurepip/_bundled/pip.whl",
    "json/__pycache__/old.pyc",
    "site-packages/someone.py",
    "dist-packages/someone.py",
    "config-3.13-x86_64-linux-gnu/Makefile",
    "sitecustomize.py",
)


@pytest.fixture
def original(tmp_path: Path) -> Original:
    """A small CPython, with an extension that needs a library the system does not have."""
    library = tmp_path / "usr/lib" / NAME
    for name in (*KEPT, *LEFT_OUT):
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_text("def f(): return 1\n" if name.endswith(".py") else "text")
    extensions = library / "lib-dynload"
    write_elf(extensions / "_ssl.so", "libssl.so.3", runpath="/opt/ssl/lib")
    write_elf(extensions / "_json.so", "libc.so.6")
    write_elf(extensions / "_lost.so", "libnone.so.1")
    write_elf(extensions / "_testcapi.so", "libc.so.6")
    write_elf(tmp_path / "usr/lib/libssl.so.3", "libcrypto.so.3", "libc.so.6")
    write_elf(tmp_path / "usr/lib/libcrypto.so.3", "libc.so.6")
    lay_glibc(tmp_path / "usr/lib", "libz.so.1")
    program = write_elf(tmp_path / "usr/bin" / NAME, "libz.so.1", "libc.so.6")
    return Original(name=NAME, program=program, standard_library=library, extensions=extensions)


def _copier(tmp_path: Path, starter: str = 'shift; exec "{python}" "$@"') -> tuple[Copier, Path]:
    relocator, log = logging_relocator(tmp_path)
    write_script(tmp_path / "start", f"#!/bin/sh\n{starter.format(python=sys.executable)}\n")
    libraries = Libraries(directories=(tmp_path / "usr/lib",))
    names = ("libssl.so.3", "libcrypto.so.3")  # as of a system that shares less
    shared = {k: v for k, v in shared_libraries(libraries).items() if k not in names}
    copier = Copier(
        relocator=relocator,
        libraries=libraries,
        shared=shared,
        starter=(str(tmp_path / "start"),),
    )
    return copier, log


def _names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_a_copy_has_program_library_and_own_libraries(tmp_path: Path, original: Original) -> None:
    copier, _ = _copier(tmp_path)
    into = tmp_path / "native/cp313"
    copier.copy(original, into)
    assert (into / "bin" / NAME).read_bytes() == original.program.read_bytes()
    for name in ("python", "python3"):
        assert (into / "bin" / name).readlink().name == NAME
    assert _names(into / "lib") == {NAME, "libssl.so.3", "libcrypto.so.3"}
    assert _names(into / "lib" / NAME / "lib-dynload") == {"_ssl.so", "_json.so"}


def test_the_program_and_what_has_a_search_path_are_relocated(
    tmp_path: Path, original: Original
) -> None:
    copier, log = _copier(tmp_path)
    into = tmp_path / "native/cp313"
    copier.copy(original, into)
    program, extension = log.read_text().splitlines()
    assert program.startswith("--set-interpreter ")
    assert program.endswith(f" {into}/bin/{NAME}")
    assert extension.endswith(f" $ORIGIN/../..:/native/lib {into}/lib/{NAME}/lib-dynload/_ssl.so")


def test_bytecode_names_the_place_in_the_container(tmp_path: Path, original: Original) -> None:
    copier, _ = _copier(tmp_path)
    copier.copy(original, tmp_path / "native/cp313")
    library = tmp_path / "native/cp313/lib" / NAME
    data = (library / f"__pycache__/os.{sys.implementation.cache_tag}.pyc").read_bytes()
    assert int.from_bytes(data[4:8], "little") == 0b01  # PEP 552: the source is never looked at
    code: CodeType = marshal.loads(data[16:])  # noqa: S302
    assert code.co_filename == f"/native/python/cp313/lib/{NAME}/os.py"


@pytest.mark.parametrize("name", [*KEPT, *LEFT_OUT])
def test_the_standard_library_is_copied_without_what_no_build_needs(
    tmp_path: Path, original: Original, name: str
) -> None:
    copy_standard_library(original.standard_library, tmp_path / "copy")
    assert (tmp_path / "copy" / name).exists() == (name in KEPT)


def test_links_become_files_and_dangling_ones_go(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "real.py").write_text("x = 1")
    (source / "link.py").symlink_to(source / "real.py")
    (source / "dangling.py").symlink_to("/etc/no-such-file.py")
    copy_standard_library(source, tmp_path / "copy")
    assert _names(tmp_path / "copy") == {"real.py", "link.py"}
    assert not (tmp_path / "copy/link.py").is_symlink()


@pytest.mark.parametrize(("platlibdir", "linked"), [("lib", False), ("lib64", True)])
def test_an_interpreter_that_looks_in_lib64_finds_it(
    tmp_path: Path, original: Original, platlibdir: str, *, linked: bool
) -> None:
    """Fedora's looks for its standard library in lib64."""
    copier, _ = _copier(tmp_path)
    fields = {name: getattr(original, name) for name in original.__dataclass_fields__}
    copier.copy(Original(**{**fields, "platlibdir": platlibdir}), tmp_path / "native/cp313")
    link = tmp_path / "native/cp313/lib64"
    assert link.is_symlink() == linked
    assert not linked or (link / NAME / "os.py").is_file()


def test_a_copy_that_does_not_run_is_told_and_leaves_nothing(
    tmp_path: Path, original: Original
) -> None:
    copier, _ = _copier(tmp_path, "echo 'FATAL: kernel too old' >&2; exit 127")
    with pytest.raises(UnfitError, match=r"bytecode of python3\.13 \(status 127\)") as caught:
        copier.copy(original, tmp_path / "native/cp313")
    assert caught.value.found == "FATAL: kernel too old"
    assert not (tmp_path / "native/cp313").exists()


def test_a_file_that_cannot_be_copied_is_told_and_leaves_nothing(
    tmp_path: Path, original: Original
) -> None:
    copier, _ = _copier(tmp_path)
    (tmp_path / "native").mkdir()
    (tmp_path / "native/cp313").mkdir()
    (tmp_path / "native/cp313/bin").write_text("in the way")
    with pytest.raises(UnfitError, match="cannot copy") as caught:
        copier.copy(original, tmp_path / "native/cp313")
    assert "--cache-dir" in caught.value.hint
    assert not (tmp_path / "native/cp313").exists()
