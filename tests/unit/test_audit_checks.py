"""The checks that look into objects, each on a wheel with just that fault."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit import Level
from aarch64_wheels.audit.check import audit_wheel
from tests.unit.audit_samples import EXTENSION, GOOD_NAME, INFO, PAGE, Section, elf, write_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_judged")

DEBUG = Section(name=".debug_info", kind=1, data=bytes(2000), flags=0)
PRODUCERS = Section(name=".comment", kind=1, data=b"\0clang 22\0GCC: 10\0clang 22\0", flags=0)
CODE = Section(name=".text", kind=1, data=b"\xc0\x03\x5f\xd6", flags=6)
PYTHON = ("PyModule_Create2", "PyErr_Occurred")
GRAFT = "fast.libs/libspeed-1a2b3c4d.so.1"


def rodata(text: bytes, name: str = ".rodata") -> Section:
    return Section(name=name, kind=1, data=b"x\0" + text + b"\0y")


def found(tmp_path: Path, files: dict[str, bytes], name: str = GOOD_NAME) -> list[tuple[str, ...]]:
    result = audit_wheel(write_wheel(tmp_path, name, files))
    return [(row.check, str(row.level), row.file, row.evidence) for row in result.findings]


LOADING = {
    "good": (elf(), []),
    "pages-of-4-kib": (
        elf(align=0x1000),
        [("page-alignment", "error", "the segment at 0x0 is aligned to 0x1000")],
    ),
    "pages-of-16-kib": (
        elf(align=0x4000),
        [("page-alignment", "error", "the segment at 0x0 is aligned to 0x4000")],
    ),
    "pages-beyond": (elf(align=2 * PAGE), []),
    "executable-stack": (elf(stack=7), [("executable-stack", "error", "RWE")]),
    "writable-code": (elf(flags=7, more=(CODE,)), [("writable-code", "error", "RWE")]),
    "text-relocations": (
        elf(text_relocations=True),
        [("text-relocations", "error", "TEXTREL")],
    ),
    "debug-info": (elf(more=(DEBUG,)), [("debug-info", "warning", "2000 bytes")]),
    "no-init-function": (
        elf(symbol="PyInit_slow", imports=PYTHON),
        [("init-function", "error", "it defines PyInit_slow")],
    ),
    "no-function-at-all": (
        elf(symbol="fast", imports=PYTHON),
        [("init-function", "error", "it defines no init function")],
    ),
    "export-hook": (elf(symbol="PyModExport_fast", imports=PYTHON), []),
    "library-for-ctypes": (elf(symbol="fast"), []),
    "libpython": (
        elf(needed=("libpython3.13.so.1.0", "libc.so.6")),
        [("forbidden-library", "error", "NEEDED libpython3.13.so.1.0")],
    ),
    "libpython-grafted": (
        elf(needed=("libpython3-1a2b3c4d.13.so.1.0", "libc.so.6")),
        [("forbidden-library", "error", "NEEDED libpython3-1a2b3c4d.13.so.1.0")],
    ),
}


@pytest.mark.parametrize(("content", "expected"), LOADING.values(), ids=LOADING.keys())
def test_an_extension(tmp_path: Path, content: bytes, expected: list[tuple[str, str, str]]) -> None:
    rows = [(check, level, EXTENSION, evidence) for check, level, evidence in expected]
    assert found(tmp_path, {EXTENSION: content}) == rows


ABSOLUTE, RELATIVE, ABOVE = (
    "an absolute path",
    "relative to the working directory",
    "above site-packages",
)
PATHS = {
    "own-directory": ("a/b.so", "$ORIGIN", None, ""),
    "own-directory-in-braces": ("a/b.so", "${ORIGIN}/.", None, ""),
    "the-grafts": ("a/b/c.so", "$ORIGIN/../../a.libs", None, ""),
    "a-neighbour": ("a/b.so", "$ORIGIN/../nvidia/lib", None, ""),
    "above": ("a/b.so", "$ORIGIN/../..", Level.ERROR, ABOVE),
    "above-platlib": ("fast-1.0.data/platlib/a/b.so", "$ORIGIN/../..", Level.ERROR, ABOVE),
    "in-platlib": ("fast-1.0.data/platlib/a/b.so", "$ORIGIN/..", None, ""),
    "scripts-are-elsewhere": ("fast-1.0.data/scripts/b.so", "$ORIGIN/../lib", None, ""),
    "absolute": ("a/b.so", "/opt/build/lib", Level.ERROR, ABSOLUTE),
    "of-the-system": ("a/b.so", "/usr/local/lib64", Level.WARNING, ABSOLUTE),
    "of-debian": ("a/b.so", "/usr/lib/aarch64-linux-gnu", Level.WARNING, ABSOLUTE),
    "below-the-system": ("a/b.so", "/usr/lib/mine", Level.ERROR, ABSOLUTE),
    "relative": ("a/b.so", "lib", Level.ERROR, RELATIVE),
    "not-origin": ("a/b.so", "$ORIGINAL/lib", Level.ERROR, RELATIVE),
}


@pytest.mark.parametrize(("name", "path", "level", "reason"), PATHS.values(), ids=PATHS.keys())
def test_search_paths(
    tmp_path: Path, name: str, path: str, level: Level | None, reason: str
) -> None:
    expected = [("rpath", str(level), name, f"{path}: {reason}")] if level else []
    assert found(tmp_path, {name: elf(search_path=path)}) == expected


def test_each_entry_of_a_search_path_counts(tmp_path: Path) -> None:
    rows = found(tmp_path, {EXTENSION: elf(search_path="$ORIGIN:/home/a::/home/b")})
    assert [row[3].partition(":")[0] for row in rows] == ["/home/a", "an empty entry", "/home/b"]


LEFT = {
    "of-cargo": (b"/root/.cargo/registry/src/index-1/memchr-2.7/src/lib.rs", True),
    "of-a-runner": (b"/home/runner/work/fast/fast/src/fast.c", True),
    "in-a-word": (b"assertion/project/src/deep/one.rs/project/src/two.rs", False),
    "a-table": (b"/0/1/2/a/c/e/i/o.E.F.G.H.S", False),
    "no-end": (b"/" + b"." * 98 + b"@", False),
    "of-the-system": (b"/usr/include/c++/10/bits/stl_vector.h", False),
    "of-an-interpreter": (b"/opt/_internal/cpython-3.13.1/include/python3.13/object.h", False),
    "of-rust": (b"/rustc/0123456789/library/core/src/fmt/mod.rs", False),
    "relative": (b"src/deep/down/fast.c", False),
    "no-source": (b"/etc/ssl/certs/ca-certificates.crt", False),
    "a-url": (b"https://example.org/docs/manual/intro.c", False),
    "a-format": (b"%s/lib/deep/fast.c", False),
    "at-the-root": (b"/fast.c", False),
}


@pytest.mark.parametrize(("text", "is_left"), LEFT.values(), ids=LEFT.keys())
def test_paths_of_the_build_machine(tmp_path: Path, text: bytes, *, is_left: bool) -> None:
    rows = found(tmp_path, {EXTENSION: elf(more=(rodata(text),))})
    expected = [("build-path", "warning", EXTENSION, text.decode())] if is_left else []
    assert rows == expected


def test_paths_are_counted_and_debug_information_may_have_them(tmp_path: Path) -> None:
    text = b"/home/me/work/fast/b.c\0/home/me/work/fast/a.c\0/home/me/work/fast/b.c"
    code = elf(more=(rodata(text), Section(name=".debug_str", kind=1, data=text, flags=0)))
    rows = [row for row in found(tmp_path, {EXTENSION: code}) if row[0] == "build-path"]
    assert [row[3] for row in rows] == ["/home/me/work/fast/a.c, 2 in all"]


SYSTEM = {
    "libc": ("fast.libs/libc-1a2b3c4d.so.6", True),
    "libc-by-version": ("fast.libs/libc-2.17.so", True),
    "loader": ("fast/ld-linux-aarch64.so.1", True),
    "libpthread": ("fast/libpthread.so.0", True),
    "musl": ("fast.libs/libc.musl-aarch64.so.1", True),
    "libpython": ("fast/libpython3.13.so.1.0", True),
    "libcrypt": ("fast/libcrypt-1a2b3c4d.so.1", False),
    "libm-is-not-libmpdec": ("fast/libmpdec.so.3", False),
}


@pytest.mark.parametrize(("name", "is_refused"), SYSTEM.values(), ids=SYSTEM.keys())
def test_libraries_of_the_system(tmp_path: Path, name: str, *, is_refused: bool) -> None:
    files = {EXTENSION: elf(), name: elf(symbol="x"), f"{INFO}/licenses/L": b"libc.so crypt"}
    rows = [row for row in found(tmp_path, files) if row[0] == "forbidden-library"]
    assert [row[2] for row in rows] == ([name] if is_refused else [])


def bill(*components: Mapping[str, object]) -> bytes:
    return json.dumps({"bomFormat": "CycloneDX", "components": components}).encode()


SPEED = {"name": "libspeed1", "purl": "pkg:deb/debian/libspeed1@1.0"}
WHEEL = {"name": "fast", "purl": "pkg:pypi/fast@1.0"}
LICENSED = {**SPEED, "licenses": [{"license": {"id": "MIT", "name": "libspeed"}}]}
GRAFTS: dict[str, tuple[dict[str, bytes], set[str]]] = {
    "neither": ({}, {"sbom", "licence"}),
    "bill-alone": ({"sboms/a.cdx.json": bill(WHEEL, SPEED)}, {"licence"}),
    "bill-of-the-wheel": ({"sboms/a.cdx.json": bill(WHEEL)}, {"sbom", "licence"}),
    "broken-bill": ({"sboms/a.cdx.json": b"[" * 5000}, {"sbom", "licence"}),
    "odd-bill": ({"sboms/a.cdx.json": b'{"components": [1, {"purl": 1}]}'}, {"sbom", "licence"}),
    "licence-alone": ({"licenses/NOTICE": b"The Speed library is\nfree"}, {"sbom"}),
    "licence-by-its-name": ({"licenses/LICENSE.speed": b"free"}, {"sbom"}),
    "licence-in-the-bill": ({"sboms/a.cdx.json": bill(LICENSED)}, set()),
    "both": ({"sboms/a.json": bill(SPEED), "LICENSE": b"libspeed: MIT"}, set()),
}


@pytest.mark.parametrize(("files", "expected"), GRAFTS.values(), ids=GRAFTS.keys())
def test_grafted_libraries_come_with_their_papers(
    tmp_path: Path, files: dict[str, bytes], expected: set[str]
) -> None:
    told = {f"{INFO}/{name}": text for name, text in files.items()}
    rows = found(tmp_path, {EXTENSION: elf(), GRAFT: elf(symbol="x"), **told})
    assert {row[0] for row in rows} == expected
    assert {row[1] for row in rows} <= {"warning"}
    assert all("libspeed.so.1" in row[3] for row in rows)


def test_gccs_libraries_share_a_licence(tmp_path: Path) -> None:
    told = {
        f"{INFO}/LICENSE": b"with the GCC Runtime\n Library Exception",
        f"{INFO}/sboms/a.cdx.json": bill(SPEED),
    }
    files = {EXTENSION: elf(), "fast.libs/libgomp-1a2b3c4d.so.1.0.0": elf(symbol="x")}
    assert found(tmp_path, {**files, **told}) == []


def test_what_an_object_says_of_its_compilers(tmp_path: Path) -> None:
    result = audit_wheel(write_wheel(tmp_path, files={EXTENSION: elf(more=(PRODUCERS,))}))
    assert [(row.file, row.producers) for row in result.objects] == [
        (EXTENSION, ("GCC: 10", "clang 22"))
    ]


def test_the_highest_versions_are_told(tmp_path: Path) -> None:
    old = elf(versions={"libc.so.6": ("GLIBC_2.17",), "libstdc++.so.6": ("GLIBCXX_3.4.9",)})
    new = elf(versions={"libc.so.6": ("GLIBC_2.9", "GLIBC_PRIVATE")})
    name = "fast-1.0-cp313-cp313-linux_aarch64.whl"
    result = audit_wheel(write_wheel(tmp_path, name, {"old.so": old, "new.so": new}))
    assert [(row.name, row.version, row.file) for row in result.versions] == [
        ("GLIBC", "2.17", "old.so"),
        ("GLIBCXX", "3.4.9", "old.so"),
    ]


def test_a_version_of_a_library_in_the_wheel_is_its_own(tmp_path: Path) -> None:
    asks = elf(versions={"libstdc++-1a2b3c4d.so.6": ("GLIBCXX_3.4.30",)})
    brought = "fast.libs/libstdc++-1a2b3c4d.so.6"
    papers = {f"{INFO}/LICENSE": b"stdc++", f"{INFO}/sboms/a.json": bill(SPEED)}
    assert found(tmp_path, {EXTENSION: asks, brought: elf(symbol="x"), **papers}) == []


def test_paths_are_looked_for_in_a_time_that_grows_with_the_data(tmp_path: Path) -> None:
    text = (b"/" + b"." * 98 + b"@") * 80_000
    started = time.monotonic()
    assert found(tmp_path, {EXTENSION: elf(more=(rodata(text),))}) == []
    assert time.monotonic() - started < 5


def test_words_of_a_librarys_name_are_few(tmp_path: Path) -> None:
    words = "".join(f"w{chr(97 + number % 26)}{number}xyz-" for number in range(4000))
    files = {EXTENSION: elf(), f"fast.libs/lib{words}.so": elf(symbol="x")}
    told = {f"{INFO}/LICENSE": b"free " * 200_000, f"{INFO}/sboms/a.json": bill(SPEED)}
    started = time.monotonic()
    assert {row[0] for row in found(tmp_path, {**files, **told})} == {"licence"}
    assert time.monotonic() - started < 5


PURLS = {"deb": [], "rpm": [], "apk": [], "cargo": ["sbom"], "pypi": ["sbom"], "npm": ["sbom"]}


@pytest.mark.parametrize(("kind", "expected"), PURLS.items(), ids=PURLS.keys())
def test_only_systems_packages_bring_libraries(
    tmp_path: Path, kind: str, expected: list[str]
) -> None:
    told = {
        f"{INFO}/LICENSE": b"speed: free",
        f"{INFO}/sboms/a.json": bill({"name": "speed", "purl": f"pkg:{kind}/speed@1.0"}),
    }
    rows = found(tmp_path, {EXTENSION: elf(), GRAFT: elf(symbol="x"), **told})
    assert [row[0] for row in rows] == expected
