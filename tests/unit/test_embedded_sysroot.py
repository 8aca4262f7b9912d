"""The embedded image's sysroot: links that stay inside, old headers, old symbol versions."""

from __future__ import annotations

import struct
from pathlib import Path, PurePosixPath

import pytest

from aarch64_wheels.embedded.sysroot import (
    _choose_oldest,
    lower_glibc,
    lower_headers,
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


@pytest.mark.parametrize("before", [3, 3 | HIDDEN], ids=["default", "hidden"])
def test_what_is_asked_for_weakly_has_no_default(before: int) -> None:
    versions = [before]
    changed = _choose_oldest([("__cxa_thread_atexit_impl", 7)], versions, NAMES)
    assert (versions, changed) == ([3 | HIDDEN], int(before == 3))


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
        defined = self._definitions(strings)
        return self._assemble(
            [
                Section(name=".dynstr", kind=3, data=strings.data),
                Section(name=".dynsym", kind=11, data=symbols, link=1, info=1, entry=24),
                Section(
                    name=".gnu.version", kind=0x6FFFFFFF, data=_table(0, 2 | HIDDEN, 3), link=2
                ),
                Section(name=".gnu.version_d", kind=0x6FFFFFFD, data=defined, link=1, info=3),
                Section(name=".dynamic", kind=6, data=bytes(16), link=1, entry=16),
            ],
            [(0, 0)],
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


def test_only_the_static_library_is_left_to_link_with(tmp_path: Path) -> None:
    directory = tmp_path / "opt/gcc-10/usr/lib/gcc/aarch64-linux-gnu/10"
    directory.mkdir(parents=True)
    static = ["libgfortran.a", "libstdc++.a"]
    for name in (*static, "libstdc++.so", "libgfortran.so", "libgcc_s.so"):
        (directory / name).touch()
    prefer_static_libraries(tmp_path, SYSROOT, "10")
    assert sorted(path.name for path in directory.iterdir()) == ["libgcc_s.so", *static]


#: The places in the two headers that matter, among others that do not.
FCNTL = """\
/* Do the file control operation described by CMD on FD. */
#ifndef __USE_FILE_OFFSET64
extern int fcntl (int __fd, int __cmd, ...);
#else
# ifdef __REDIRECT
extern int __REDIRECT (fcntl, (int __fd, int __cmd, ...), fcntl64);
# else
#  define fcntl fcntl64
# endif
#endif
#ifdef __USE_LARGEFILE64
extern int fcntl64 (int __fd, int __cmd, ...);
#endif
"""

CXX_CONFIG = """\
#define _GLIBCXX_USE_PTHREAD_COND_CLOCKWAIT 1
#define _GLIBCXX_USE_PTHREAD_MUTEX_CLOCKLOCK 1
#define _GLIBCXX_USE_PTHREAD_RWLOCK_CLOCKLOCK 1
#define _GLIBCXX_USE_SCHED_YIELD 1
"""


def _headers(root: Path, fcntl: str, config: str) -> tuple[Path, Path]:
    includes = root / "opt/gcc-10/usr/include"
    paths = includes / "fcntl.h", includes / "aarch64-linux-gnu/c++/10/bits/c++config.h"
    for path, text in zip(paths, (fcntl, config), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return paths


def test_headers_ask_for_nothing_newer_than_the_policy(tmp_path: Path) -> None:
    fcntl, config = _headers(tmp_path, FCNTL, CXX_CONFIG)
    lower_headers(tmp_path, SYSROOT)
    assert fcntl.read_text().splitlines() == [
        "/* Do the file control operation described by CMD on FD. */",
        "extern int fcntl (int __fd, int __cmd, ...);",
        "#ifdef __USE_LARGEFILE64",
        "extern int fcntl64 (int __fd, int __cmd, ...);",
        "#endif",
    ]
    defined = [line for line in config.read_text().splitlines() if line.startswith("#define")]
    assert defined == ["#define _GLIBCXX_USE_SCHED_YIELD 1"]


UNEXPECTED = {
    "fcntl": (FCNTL.replace("__cmd", "__command"), CXX_CONFIG, "header usr/include/fcntl.h"),
    "c++": (FCNTL, CXX_CONFIG.replace("MUTEX", "SPIN"), "c++config.h"),
}


@pytest.mark.parametrize(("fcntl", "config", "named"), UNEXPECTED.values(), ids=UNEXPECTED.keys())
def test_a_header_that_says_something_else_is_refused(
    tmp_path: Path, fcntl: str, config: str, named: str
) -> None:
    """Else wheels would quietly ask for a newer glibc."""
    _headers(tmp_path, fcntl, config)
    with pytest.raises(UnfitError, match="is not as expected") as caught:
        lower_headers(tmp_path, SYSROOT)
    assert named in str(caught.value)
    assert caught.value.found.startswith("no '#")
