"""The embedded image's compilers: wrappers, links that stay inside, symbol versions."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from aarch64_wheels.embedded.toolchain import (
    _choose_oldest,
    install_wrappers,
    lower_glibc,
    prefer_static_libraries,
    relink,
)
from aarch64_wheels.errors import UnfitError
from tests.unit.audit_samples import Elf, Section, Strings

SYSROOT = PurePosixPath("/opt/gcc-10")
LIBRARIES = "opt/gcc-10/lib/aarch64-linux-gnu"
HIDDEN = 0x8000
NAMES = {1: "libm.so.6", 2: "GLIBC_2.17", 3: "GLIBC_2.29", 4: "GLIBC_2.9", 5: "GLIBC_PRIVATE"}

CHOICES: dict[str, tuple[list[str], list[int], list[int]]] = {
    "newest-is-default": (["pow", "pow"], [2 | HIDDEN, 3], [2, 3 | HIDDEN]),
    "order-does-not-matter": (["pow", "pow"], [3, 2 | HIDDEN], [3 | HIDDEN, 2]),
    "oldest-is-default": (["pow", "pow"], [2, 3 | HIDDEN], [2, 3 | HIDDEN]),
    "numbers-not-text": (["pow", "pow"], [2, 4 | HIDDEN], [2 | HIDDEN, 4]),
    "three": (["f", "f", "f"], [2 | HIDDEN, 3, 4 | HIDDEN], [2 | HIDDEN, 3 | HIDDEN, 4]),
    "single": (["exp", "log"], [3, 2], [3, 2]),
    "no-default": (["old", "old"], [2 | HIDDEN, 3 | HIDDEN], [2 | HIDDEN, 3 | HIDDEN]),
    "private-is-newest": (["f", "f"], [5, 2 | HIDDEN], [5 | HIDDEN, 2]),
    "private-never-wins": (["f", "f"], [5 | HIDDEN, 3], [5 | HIDDEN, 3]),
    "local-and-global": (["f", "f", "f"], [0, 1, 3], [0, 1, 3]),
}


@pytest.mark.parametrize(("symbols", "before", "after"), CHOICES.values(), ids=CHOICES.keys())
def test_the_oldest_version_becomes_the_default(
    symbols: list[str], before: list[int], after: list[int]
) -> None:
    versions = list(before)
    changed = _choose_oldest([(name, 7) for name in symbols], versions, NAMES)
    assert (versions, changed) == (after, int(before != after))


def test_imports_have_no_default_to_choose() -> None:
    versions = [2 | HIDDEN, 3]
    symbols: list[tuple[str, str | int]] = [("pow", "SHN_UNDEF"), ("pow", 7)]
    assert (_choose_oldest(symbols, versions, NAMES), versions) == (0, [2 | HIDDEN, 3])


class Versioned(Elf):
    """A library that defines `pow` as GLIBC_2.17 (hidden) and GLIBC_2.29 (default)."""

    def to_bytes(self) -> bytes:
        strings = Strings()
        name = strings.add("pow")
        symbols = bytes(24) + 2 * struct.pack("<IBBHQQ", name, 0x12, 0, 1, 64, 0)
        _chosen, defined = _table(0, 2 | HIDDEN, 3), self._definitions(strings)
        return self._assemble(
            [
                Section(name=".dynstr", kind=3, data=strings.data),
                Section(name=".dynsym", kind=11, data=symbols, link=1, info=1, entry=24),
                Section(
                    name=".gnu.version", kind=0x6FFFFFFF, data=_table(0, 2 | HIDDEN, 3), link=2
                ),
                Section(name=".gnu.version_d", kind=0x6FFFFFFD, data=defined, link=1, info=3),
                Section(name=".dynamic", kind=6, data=bytes(16), link=1, entry=16),
            ]
        )

    def _definitions(self, strings: Strings) -> bytes:
        out = b""
        for index, name in [(1, "libm.so.6"), (2, "GLIBC_2.17"), (3, "GLIBC_2.29")]:
            out += struct.pack("<HHHHIII", 1, int(index == 1), index, 1, 0, 20, 28 * (index < 3))
            out += struct.pack("<II", strings.add(name), 0)
        return out


def _table(*versions: int) -> bytes:
    return struct.pack(f"<{len(versions)}H", *versions)


def test_a_library_is_changed_in_place_and_nowhere_else(tmp_path: Path) -> None:
    library = tmp_path / LIBRARIES / "libm-2.31.so"
    library.parent.mkdir(parents=True)
    content = Versioned().to_bytes()
    library.write_bytes(content)
    other = library.with_name("libm.so.6.old")
    other.write_bytes(content)

    assert lower_glibc(tmp_path, SYSROOT) == 1
    before, after = _table(0, 2 | HIDDEN, 3), _table(0, 2, 3 | HIDDEN)
    assert content.count(before) == 1
    assert library.read_bytes() == content.replace(before, after)
    assert other.read_bytes() == content
    assert lower_glibc(tmp_path, SYSROOT) == 0


def test_a_library_without_versions_is_refused(tmp_path: Path) -> None:
    library = tmp_path / LIBRARIES / "libm-2.31.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(Versioned().to_bytes().replace(b".gnu.version\0", b".gnu.verse\0\0\0"))
    with pytest.raises(UnfitError, match=r"no section \.gnu\.version"):
        lower_glibc(tmp_path, SYSROOT)


LINKS = {
    "absolute": ("usr/lib/libm.so", "/lib/libm.so.6", "../../lib/libm.so.6"),
    "same-directory": ("lib/libm.so", "/lib/libm.so.6", "libm.so.6"),
    "relative": ("usr/lib/libm.so", "../../lib/libm.so.6", "../../lib/libm.so.6"),
    "dangling": ("etc/alternatives/cc", "/usr/bin/gcc", "../../usr/bin/gcc"),
    "directory": ("usr/lib64", "/lib", "../lib"),
}


@pytest.mark.parametrize(("name", "before", "after"), LINKS.values(), ids=LINKS.keys())
def test_links_stay_inside_the_sysroot(tmp_path: Path, name: str, before: str, after: str) -> None:
    top = tmp_path / "opt/gcc-10"
    (top / "lib").mkdir(parents=True)
    (top / "lib/libm.so.6").write_text("the sysroot's")
    link = top / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(before)
    relink(tmp_path, SYSROOT)
    assert str(link.readlink()) == after


def test_links_outside_of_the_sysroot_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "opt/gcc-10").mkdir(parents=True)
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr/cc").symlink_to("/usr/bin/gcc")
    relink(tmp_path, SYSROOT)
    assert str((tmp_path / "usr/cc").readlink()) == "/usr/bin/gcc"


def _installed(tmp_path: Path) -> tuple[Path, PurePosixPath]:
    """Wrappers for a sysroot whose programs print their name and arguments."""
    root, sysroot = tmp_path / "root", tmp_path / "sysroot"
    programs = sysroot / "usr/bin"
    programs.mkdir(parents=True)
    for name in ("gcc", "g++", "cpp", "gcc-ar", "gcc-nm", "gcc-ranlib", "gcov"):
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


def test_only_the_static_library_is_left_to_link_with(tmp_path: Path) -> None:
    directory = tmp_path / "opt/gcc-10/usr/lib/gcc/aarch64-linux-gnu/10"
    directory.mkdir(parents=True)
    for name in ("libstdc++.so", "libstdc++.a", "libgcc_s.so"):
        (directory / name).touch()
    prefer_static_libraries(tmp_path, SYSROOT, "10")
    assert sorted(path.name for path in directory.iterdir()) == ["libgcc_s.so", "libstdc++.a"]
