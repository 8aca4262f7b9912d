"""The part of libstdc++ that registers destructors of `thread_local` objects is replaced."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path, PurePosixPath

import pytest

from aarch64_wheels.embedded.finish import write_script
from aarch64_wheels.embedded.host_programs import HostPrograms
from aarch64_wheels.embedded.thread_atexit import replace_thread_atexit
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.processes import Processes

SYSROOT = PurePosixPath("/opt/gcc-10")
LIBRARIES = "opt/gcc-10/usr/lib/gcc/aarch64-linux-gnu/10"

#: Stands in for the loader, and so for the programs it starts: `--library-path L PROGRAM ...`.
LOADER = """#!/bin/sh
shift 2
program=${{1##*/}}
shift
echo "$program $*" >> "{log}"
case "$program $1" in
*-ar\\ t) echo {members} ;;
*-as\\ *) exit {status} ;;
esac
"""


def _replace(tmp_path: Path, members: str = "atexit_thread.o", status: int = 0) -> list[str]:
    """Replace the member; returns the programs that were run, with their arguments."""
    log = tmp_path / "log"
    loader = tmp_path / "host/usr/lib64/ld-linux-x86-64.so.2"
    write_script(loader, LOADER.format(log=log, members=members, status=status))
    programs = HostPrograms(root=tmp_path / "host")
    replace_thread_atexit(tmp_path / "root", SYSROOT, "10", programs, Processes())
    return log.read_text().splitlines()


def test_the_member_of_both_libraries_is_replaced(tmp_path: Path) -> None:
    assembled, *archived = _replace(tmp_path)
    assert re.fullmatch(
        r"aarch64-linux-gnu-as -o \S+/atexit_thread\.o \S+/thread_atexit\.s", assembled
    )
    libraries = tmp_path / "root" / LIBRARIES
    made = assembled.split()[2]
    assert archived == [
        f"aarch64-linux-gnu-ar t {libraries}/libstdc++.a",
        f"aarch64-linux-gnu-ar rD {libraries}/libstdc++.a {made}",
        f"aarch64-linux-gnu-ar t {libraries}/libsupc++.a",
        f"aarch64-linux-gnu-ar rD {libraries}/libsupc++.a {made}",
    ]
    assert not Path(made).exists()


@pytest.mark.parametrize(
    ("members", "status", "found"),
    [("vtv_stubs.o", 0, "libstdc++.a has no atexit_thread.o"), ("atexit_thread.o", 1, "")],
    ids=["another-libstdc++", "assembler-fails"],
)
def test_what_does_not_fit_is_told(tmp_path: Path, members: str, status: int, found: str) -> None:
    with pytest.raises(UnfitError, match=r"C\+\+ libraries") as caught:
        _replace(tmp_path, members, status)
    assert caught.value.found == found


def test_the_assembly_asks_for_newer_functions_weakly() -> None:
    text = (resources.files("aarch64_wheels.data") / "thread_atexit.s").read_text("utf-8")
    weak = set(re.findall(r"\.weak\s+(\w+)", text))
    assert weak == {
        "__cxa_thread_atexit_impl",
        *(f"pthread_{name}" for name in ("once", "key_create", "getspecific", "setspecific")),
    }
    assert re.findall(r"\.global\s+(\w+)", text) == ["__cxa_thread_atexit"]
