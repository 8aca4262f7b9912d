"""The corpus: what is in the objects, as compilers and linkers have made them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aarch64_wheels.audit.model import Level
from tests.integration.audit_corpus import Case, Objects, adding, good, holding
from tests.integration.sample_wheel import EXTENSION, INFO, SampleWheel

if TYPE_CHECKING:
    from collections.abc import Callable

_LIBRARY = "fast.libs/libhelp-1a2b3c4d.so.1"
_PYTHON = "fast.libs/libpython3.13.so.1.0"
_LIBC = "fast.libs/libc-1a2b3c4d.so.6"
_STABLE = {"tag": "cp311-abi3-manylinux2014_aarch64.manylinux_2_17_aarch64"}
_STABLE_NAME = "fast/_fast.abi3.so"
_BILL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.4",
    "version": 1,
    "components": [
        {"type": "library", "name": "help", "version": "1.2", "purl": "pkg:deb/debian/help@1.2"}
    ],
}
_BILLED = {f"{INFO}/sboms/auditwheel.cdx.json": json.dumps(_BILL).encode()}
_LICENSED = {f"{INFO}/licenses/libhelp/COPYING": b"libhelp: you may copy it.\n"}


def _grafted(
    extension: str, library: str, member: str, files: dict[str, bytes]
) -> Callable[[Objects], SampleWheel]:
    """Make a wheel with a library as a repair grafts it."""

    def make(objects: Objects) -> SampleWheel:
        return SampleWheel.of(objects[extension]).adding({member: objects[library], **files})

    return make


def _helped(files: dict[str, bytes]) -> Callable[[Objects], SampleWheel]:
    return _grafted("grafted", "libhelp", _LIBRARY, files)


def _all(member: str) -> dict[str, bytes]:
    """Give bill and licence for a library, so that nothing else is found."""
    return {**_BILLED, f"{INFO}/licenses/{member.rpartition('/')[2]}.txt": member.encode()}


def _stable(name: str) -> Callable[[Objects], SampleWheel]:
    return lambda objects: SampleWheel.of(objects[name], _STABLE_NAME).but(**_STABLE)


def fuzz_seed(objects: Objects) -> SampleWheel:
    """Make the wheel that the fuzz tests spoil: a copy of it is in tests/unit/data.

    It has what a reader of objects goes through: guarded code, versions of libraries, outlined
    atomics, a graft.
    """
    more = {
        EXTENSION.replace("fast/", "fast/b/"): objects["new-libstdcxx"],
        EXTENSION.replace("fast/", "fast/c/"): objects["outline"],
        _LIBRARY: objects["libhelp"],
    }
    return SampleWheel.of(objects["asking"]).adding({**more, **_BILLED, **_LICENSED})


def _cut(share: float) -> Callable[[Objects], SampleWheel]:
    """Make the good wheel with an object of which a full disk has kept the beginning."""

    def make(objects: Objects) -> SampleWheel:
        data = objects["good"]
        return good(objects).adding({"fast/libcut.so": data[: int(len(data) * share)]})

    return make


def _case(check: str, what: str, held: str, *says: str) -> Case:
    """Make a case of one object: the finding names it."""
    return Case(check=check, what=what, make=holding(held), file=EXTENSION, says=says)


_MACHINES = (
    Case(check="elf", what="cut off in the header", make=_cut(0.005), file="fast/libcut.so"),
    Case(check="elf", what="cut off in the middle", make=_cut(0.3), file="fast/libcut.so"),
    Case(check="elf", what="cut off at the end", make=_cut(0.9), file="fast/libcut.so"),
    Case(
        check="machine",
        what="an object of the host beside",
        make=lambda objects: good(objects).adding({"fast/libx.so": objects["foreign"]}),
        file="fast/libx.so",
        says=("EM_X86_64", "ELF header"),
    ),
    Case(
        check="machine",
        what="a program as data",
        make=lambda objects: good(objects).adding({"fast/x": objects["foreign-program"]}),
        file="fast/x",
        says=("EM_X86_64",),
        level=Level.WARNING,
    ),
    Case(
        check="suffix",
        what="as a cross compiler makes it",
        make=holding("good", "fast/_fast.cpython-313-x86_64-linux-gnu.so"),
        file="fast/_fast.cpython-313-x86_64-linux-gnu.so",
        says=(".cpython-313-aarch64-linux-gnu.so",),
    ),
    Case(
        check="suffix",
        what="of another interpreter",
        make=holding("good", "fast/_fast.cpython-312-aarch64-linux-gnu.so"),
        file="fast/_fast.cpython-312-aarch64-linux-gnu.so",
    ),
    _case("init-function", "of another name", "other-init", "PyInit__fast", "PyInit__other"),
)
_LIBRARIES = (
    _case("libc", "musl's", "musl", "libc.musl-aarch64.so.1"),
    _case("symbol-version", "glibc", "new-glibc", "pow@GLIBC_2.29", "libm.so.6"),
    _case("symbol-version", "libstdc++", "new-libstdcxx", "GLIBCXX_3.4.30", "__glibcxx_assert"),
    Case(
        check="policy",
        what="a library from outside",
        make=holding("grafted"),
        says=("libhelp-1a2b3c4d.so.1",),
    ),
    _case("forbidden-library", "libpython is asked for", "links-python", "libpython3.13.so.1.0"),
    Case(
        check="forbidden-library",
        what="libpython is grafted",
        make=_grafted("grafted-python", "libpython", _PYTHON, _all(_PYTHON)),
        file=_PYTHON,
    ),
    Case(
        check="forbidden-library",
        what="libc is grafted",
        make=_grafted("grafted-libc", "libc", _LIBC, _all(_LIBC)),
        file=_LIBC,
    ),
    Case(
        check="sbom",
        what="a graft without",
        make=_helped(_LICENSED),
        says=("libhelp.so.1",),
    ),
    Case(
        check="licence",
        what="a graft without",
        make=_helped(_BILLED),
        file=_LIBRARY,
        says=("libhelp.so.1",),
    ),
)
_LOADED = (
    _case("page-alignment", "4 KiB", "page", "0x1000", "LOAD"),
    _case("executable-stack", "of the linker", "stack", "GNU_STACK", "RWE"),
    _case("text-relocations", "a number in the code", "absolute", "TEXTREL"),
    _case("writable-code", "a section for both", "writable", "LOAD", "RWE"),
    _case("rpath", "absolute", "rpath-absolute", "/opt/vendor/lib", ".dynamic"),
    _case("rpath", "out of site-packages", "rpath-out", "$ORIGIN/../../../lib", ".dynamic"),
)
_CODE = (
    _case("cpu-baseline", "SVE", "sve", "FEAT_SVE", " in sum"),
    _case("cpu-baseline", "SVE, by GCC and with its atomics", "sve-outline", "FEAT_SVE"),
    _case("cpu-baseline", "LSE", "lse", "FEAT_LSE", "ldaddal", "answer"),
    _case("debug-info", "lines", "debug", ".debug_", "bytes"),
    _case("build-path", "of a source", "place", "/home/builder/fast/src/place.c", ".rodata"),
    Case(
        check="abi3",
        what="a function of one version",
        make=_stable("unstable"),
        file=_STABLE_NAME,
        says=("PyCode_NewEmpty",),
    ),
)
OBJECT_CASES = (*_MACHINES, *_LIBRARIES, *_LOADED, *_CODE)
#: Wheels in which nothing must be found.
GOOD_OBJECTS = {
    "clang": good,
    "gcc": holding("gcc"),
    "stable ABI": _stable("stable"),
    "bill and licence": _helped({**_BILLED, **_LICENSED}),
    "atomics by libgcc": holding("outline"),
    "SVE after getauxval": holding("asking"),
    "SVE by an indirect function": holding("indirect"),
    "data of another kind": adding({"fast/data.bin": b"\x7fEL" + bytes(64)}),
}
