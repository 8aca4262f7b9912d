"""Loader and libraries: what is read of ELF files, what is found, and what patchelf is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.native.relocation import Dynamic, Libraries, copy_libraries
from aarch64_wheels.native.shared_libraries import copy_shared, own_libraries, shared_libraries
from tests.unit.audit_samples import AARCH64
from tests.unit.native_system_samples import lay_glibc, logging_relocator, write_elf

SEARCH = {
    "none": ("", "", ()),
    "rpath": ("/a:/b", "", ("/a", "/b")),
    "runpath": ("", "$ORIGIN/../lib", ("$ORIGIN/../lib",)),
    "runpath-hides-rpath": ("/a", "/b", ("/b",)),
    "empty-parts": ("", ":/b:", ("/b",)),
}


@pytest.mark.parametrize(("rpath", "runpath", "search"), SEARCH.values(), ids=SEARCH.keys())
def test_what_the_dynamic_linker_reads(
    tmp_path: Path, rpath: str, runpath: str, search: tuple[str, ...]
) -> None:
    path = write_elf(tmp_path / "lib.so", "libc.so.6", "libz.so.1", rpath=rpath, runpath=runpath)
    assert Dynamic.read(path) == Dynamic(needed=("libc.so.6", "libz.so.1"), search=search)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#!/bin/sh\n",
        b"\x7fELF",
        b"\x7fELF\x02\x01\x01" + bytes(57),
        b"\x7fELF" + b"\xff" * 99,
    ],
    ids=["empty", "script", "magic-only", "empty-header", "nonsense"],
)
def test_what_is_no_such_file_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert Dynamic.read(tmp_path / "file") is None


def test_a_library_of_another_machine_is_passed_over(tmp_path: Path) -> None:
    write_elf(tmp_path / "a/libz.so.1", machine=AARCH64)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/libz.so.1").write_text("INPUT(libz.so)")
    right = write_elf(tmp_path / "c/libz.so.1")
    libraries = Libraries(directories=tuple(tmp_path / name for name in ("a", "b", "c", "none")))
    assert libraries.find("libz.so.1") == right
    assert libraries.find("libbz2.so.1.0") is None


def test_links_are_followed_inside_the_root(tmp_path: Path) -> None:
    right = write_elf(tmp_path / "usr/lib/libdb-5.3.so")
    (tmp_path / "usr/lib/libdb.so.5").symlink_to("/usr/lib/libdb-5.3.so")
    (tmp_path / "usr/lib/libdb.so").symlink_to("libdb.so.5")
    (tmp_path / "usr/lib/loop.so").symlink_to("loop.so")
    libraries = Libraries(directories=(tmp_path / "usr/lib",), root=tmp_path)
    assert libraries.find("libdb.so") == right
    assert libraries.find("loop.so") is None


def test_all_that_is_needed_is_found_and_what_is_not_there_named(tmp_path: Path) -> None:
    program = write_elf(tmp_path / "bin/python", "liba.so", "libnone.so", runpath="$ORIGIN/../own")
    a = write_elf(tmp_path / "own/liba.so", "libb.so", "libc.so")
    b = write_elf(tmp_path / "own/libb.so", "liba.so")
    c = write_elf(tmp_path / "system/libc.so")
    found = Libraries(directories=(tmp_path / "system",)).closure([program])
    assert found == {"liba.so": a, "libb.so": b, "libc.so": c, "libnone.so": None}


def test_a_search_path_is_below_the_root(tmp_path: Path) -> None:
    program = write_elf(tmp_path / "bin/python", "liba.so", rpath="/opt/lib:${ORIGIN}")
    a = write_elf(tmp_path / "opt/lib/liba.so")
    assert Libraries(directories=(), root=tmp_path).closure([program]) == {"liba.so": a}


def test_the_search_path_of_the_program_counts_for_what_it_loads(tmp_path: Path) -> None:
    program = write_elf(tmp_path / "bin/python", rpath="$ORIGIN/../lib")
    extension = write_elf(tmp_path / "elsewhere/_ssl.so", "libssl.so.3")
    ssl = write_elf(tmp_path / "lib/libssl.so.3")
    libraries = Libraries(directories=())
    assert libraries.closure([extension]) == {"libssl.so.3": None}
    assert libraries.closure([extension], loaded_by=program) == {"libssl.so.3": ssl}


def test_a_file_is_read_once(tmp_path: Path) -> None:
    asked: list[Path] = []

    def read(path: Path) -> Dynamic | None:
        asked.append(path)
        return Dynamic.read(path)

    glibc = lay_glibc(tmp_path)
    once = Libraries(directories=glibc.directories)
    assert once.read(tmp_path / "libc.so.6") is once.read(tmp_path / "libc.so.6")
    Libraries(directories=glibc.directories, read=read).find("libc.so.6")
    assert asked == [tmp_path / "libc.so.6"]


def test_libraries_are_copied_under_the_name_they_are_asked_for(tmp_path: Path) -> None:
    source = write_elf(tmp_path / "libz.so.1.3")
    copy_libraries({"libz.so.1": source, "libnone.so": None}, tmp_path / "new/lib")
    assert [path.name for path in (tmp_path / "new/lib").iterdir()] == ["libz.so.1"]
    assert (tmp_path / "new/lib/libz.so.1").read_bytes() == source.read_bytes()


def test_a_program_gets_the_native_loader_and_search_path(tmp_path: Path) -> None:
    relocator, log = logging_relocator(tmp_path)
    program = write_elf(tmp_path / "python3")
    relocator.program(program)
    assert log.read_text() == (
        "--set-interpreter /native/lib/ld-linux-x86-64.so.2 --force-rpath"
        f" --set-rpath $ORIGIN/../lib:/native/lib {program}\n"
    )


PLACES = {
    "lib/libssl.so.3": "$ORIGIN:/native/lib",
    "lib/python3.13/lib-dynload/_ssl.so": "$ORIGIN/../..:/native/lib",
}


@pytest.mark.parametrize(("name", "rpath"), PLACES.items(), ids=PLACES.keys())
@pytest.mark.parametrize("tag", ["rpath", "runpath"])
def test_a_search_path_of_its_own_is_replaced(
    tmp_path: Path, name: str, rpath: str, tag: str
) -> None:
    relocator, log = logging_relocator(tmp_path)
    fields = {"rpath": "", "runpath": "", tag: "/usr/lib/elsewhere"}
    path = write_elf(tmp_path / name, rpath=fields["rpath"], runpath=fields["runpath"])
    relocator.libraries([path], tmp_path / "lib")
    assert log.read_text() == f"--force-rpath --set-rpath {rpath} {path}\n"


def test_a_library_without_one_is_served_by_the_program(tmp_path: Path) -> None:
    relocator, log = logging_relocator(tmp_path)
    (tmp_path / "notes.txt").write_text("no library")
    relocator.libraries([write_elf(tmp_path / "libz.so.1"), tmp_path / "notes.txt"], tmp_path)
    assert log.read_text() == ""


def test_what_patchelf_says_is_told(tmp_path: Path) -> None:
    relocator, _ = logging_relocator(tmp_path, status=1)
    with pytest.raises(UnfitError, match=r"patchelf cannot prepare python3 \(status 1\)") as caught:
        relocator.program(write_elf(tmp_path / "python3"))
    assert caught.value.found == "cannot do it"


def test_what_all_programs_share_comes_with_what_it_needs(tmp_path: Path) -> None:
    libraries = lay_glibc(tmp_path, "libstdc++.so.6")
    write_elf(tmp_path / "libcrypto.so.3", "libextra.so.1", "libnone.so.1")
    write_elf(tmp_path / "libextra.so.1")
    found = shared_libraries(libraries)
    assert {"ld-linux-x86-64.so.2", "libc.so.6", "libstdc++.so.6", "libextra.so.1"} <= found.keys()
    assert not {"libnone.so.1", "libssl.so.3"} & found.keys()


def test_a_system_without_glibc_is_refused(tmp_path: Path) -> None:
    write_elf(tmp_path / "libc.musl-x86_64.so.1")
    with pytest.raises(UnfitError, match="glibc") as caught:
        shared_libraries(Libraries(directories=(tmp_path,)))
    assert "libc.so.6" in caught.value.found
    assert "--mode emulated" in caught.value.hint


def test_an_interpreter_keeps_its_own_build_of_a_library_but_never_a_glibc() -> None:
    shared = {"libssl.so.3": Path("/lib/libssl.so.3"), "libz.so.1": Path("/lib/libz.so.1")}
    own = {
        "libssl.so.3": Path("/conda/libssl.so.3"),
        "libz.so.1": Path("/lib/libz.so.1"),
        "libc.so.6": Path("/conda/libc.so.6"),
        "libnss_dns.so.2": Path("/conda/libnss_dns.so.2"),
        "libpython3.13.so.1.0": Path("/conda/libpython3.13.so.1.0"),
    }
    assert own_libraries(own, shared).keys() == {"libssl.so.3", "libpython3.13.so.1.0"}


def test_the_shared_directory_is_laid_out_and_relocated(tmp_path: Path) -> None:
    relocator, log = logging_relocator(tmp_path)
    libraries = lay_glibc(tmp_path / "system")
    write_elf(tmp_path / "system/libssl.so.3", "libc.so.6", runpath="/opt/ssl/lib")
    into = tmp_path / "native/lib"
    copy_shared(shared_libraries(libraries), into, relocator)
    assert (into / "libc.so.6").stat().st_mode & 0o777 == 0o755
    assert log.read_text() == (
        f"--force-rpath --set-rpath $ORIGIN:/native/lib {into / 'libssl.so.3'}\n"
    )


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    relocator, _ = logging_relocator(tmp_path)
    (tmp_path / "native").write_text("a file where a directory should be")
    found = shared_libraries(lay_glibc(tmp_path / "system"))
    with pytest.raises(UnfitError, match="cannot copy the libraries"):
        copy_shared(found, tmp_path / "native/lib", relocator)
