"""The records of a wheel's objects: compilers, signatures, hashes, packages."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from auditwheel import sboms
from hypothesis import given
from hypothesis import strategies as st

from aarch64_wheels.audit.model import ObjectSummary
from aarch64_wheels.bill import Compilers, describe, signatures
from aarch64_wheels.bill.objects import is_grafted
from aarch64_wheels.bill.packages import SYSROOT
from aarch64_wheels.embedded.recipe import load_recipe
from aarch64_wheels.native.provenance import parse_calls

if TYPE_CHECKING:
    from aarch64_wheels.report.model import ObjectRecord

NAME = "demo-1.0-cp313-cp313-linux_aarch64.whl"
COMPILERS = Compilers(native="clang 22.1.8", image="gcc 10.2.1")
DEBIAN = "GCC: (Debian 10.2.1-6) 10.2.1 20210110"
CLANG, LLD = "clang version 22.1.8", "Linker: LLD 22.1.8"
RUST = "rustc version 1.91.0 (f8297e351 2026-10-28)"
CORE, YAML = "demo/_core.so", "demo.libs/libyaml-0-0abfff80.so.2.0.6"
PURL = "pkg:deb/debian/libyaml-0-2@0.2.2-1?distro=debian-11"
CALLS = (
    "native\tcc\t0\t1\t-\tff\t/b\t/b/_core.so\t/b/a.c\n"
    "fallback\tcc\t0\t1\topenmp\tff\t/b\t/b/_omp.so\t/b/o.c\n"
    "fallback\tcc\t0\t1\topenmp\tff\t/b\t/b/libyaml-0.so.2.0.6\t/b/y.c\n"
)

SIGNED = {
    "debian": (DEBIAN, {"gcc 10.2.1"}),
    "red-hat": ("GCC: (GNU) 14.2.1 20250110 (Red Hat 14.2.1-7)", {"gcc 14.2.1"}),
    "ubuntu": ("GCC: (Ubuntu 11.4.0-1ubuntu1~22.04) 11.4.0", {"gcc 11.4.0"}),
    "nested": ("GCC: (Arm Toolchain 10.3-2021.07 (arm-10.29)) 10.3.1 20210621", {"gcc 10.3.1"}),
    "clang": (CLANG, {"clang 22.1.8"}),
    "clang-of-debian": ("Debian clang version 14.0.6", {"clang 14.0.6"}),
    "rust": (RUST, {"rustc 1.91.0"}),
    "flang": ("flang version 20.1.0 (https://h.example/x)", {"flang 20.1.0"}),
    "linker": (LLD, set()),
    "words": ("GCC: nothing", set()),
    "empty": ("", set()),
}


@pytest.mark.parametrize(("text", "expected"), SIGNED.values(), ids=SIGNED.keys())
def test_signatures_name_compilers(text: str, expected: set[str]) -> None:
    assert signatures.gccs([text]) | signatures.others([text]) == expected


@given(texts=st.lists(st.text(max_size=400), max_size=60))
def test_any_signature_is_told_harmlessly(texts: list[str]) -> None:
    lines = signatures.shown(texts)
    assert len(lines) <= 32
    assert all(len(line) <= 200 and line.isprintable() for line in lines)
    assert signatures.gccs(texts) | signatures.others(texts) is not None


def test_a_signature_with_a_login_is_told_without() -> None:
    (line,) = signatures.shown(["clang version 9 (https://u:secret@h.example/llvm)"])
    assert "secret" not in line


def record(
    place: Path,
    member: str,
    *producers: str,
    calls: str | None = CALLS,
    bill: object = None,
) -> ObjectRecord:
    """Describe a wheel of one object."""
    wheel = place / NAME
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(member, f"code of {member}")
        if bill is not None:
            text = bill if isinstance(bill, str) else json.dumps(bill)
            archive.writestr("demo-1.0.dist-info/sboms/auditwheel.cdx.json", text)
    summary = ObjectSummary(file=member, producers=producers)
    parsed = None if calls is None else parse_calls(calls.encode())
    (found,) = describe(wheel, [summary], parsed, COMPILERS)
    return found


def test_an_object_has_the_hash_of_its_bytes(tmp_path: Path) -> None:
    found = record(tmp_path, CORE, CLANG, DEBIAN)
    assert found.sha256 == hashlib.sha256(f"code of {CORE}".encode()).hexdigest()
    assert (found.path, found.producers) == (CORE, (DEBIAN, CLANG))


RECORDED = {
    "native": (CORE, (CLANG, DEBIAN), ("clang 22.1.8",)),
    "fallback": ("demo/_omp.so", (DEBIAN,), ("gcc 10.2.1",)),
    "start-files-compile-nothing": (CORE, (DEBIAN,), ("clang 22.1.8",)),
    "unknown": ("demo/_other.so", (DEBIAN, CLANG), ("unknown",)),
    "rust-calls-nobody": ("demo/_rust.so", (DEBIAN, RUST), ("rustc 1.91.0",)),
    "rust-with-c": (CORE, (CLANG, RUST), ("clang 22.1.8", "rustc 1.91.0")),
}


@pytest.mark.parametrize(("member", "signed", "expected"), RECORDED.values(), ids=RECORDED.keys())
def test_recorded_calls_say_what_compiled(
    member: str, signed: tuple[str, ...], expected: tuple[str, ...], tmp_path: Path
) -> None:
    assert record(tmp_path, member, *signed).compilers == expected


UNRECORDED = {
    "no-signature": ((), ("gcc 10.2.1",)),
    "the-image-s-own": ((DEBIAN,), ("gcc 10.2.1",)),
    "with-older-start-files": ((DEBIAN, "GCC: (GNU) 4.8.5 20150623"), ("gcc 10.2.1",)),
    "another-gcc": (("GCC: (GNU) 12.2.0",), ("gcc 12.2.0",)),
    "a-compiler-of-the-project-s": (
        (DEBIAN, "clang version 14.0.6"),
        ("clang 14.0.6", "gcc 10.2.1"),
    ),
    "rust": ((DEBIAN, RUST), ("gcc 10.2.1", "rustc 1.91.0")),
}


@pytest.mark.parametrize(("signed", "expected"), UNRECORDED.values(), ids=UNRECORDED.keys())
def test_without_a_record_signatures_and_the_image_say_it(
    signed: tuple[str, ...], expected: tuple[str, ...], tmp_path: Path
) -> None:
    assert record(tmp_path, CORE, *signed, calls=None).compilers == expected


def _bill(*paths: str, purl: str = PURL) -> dict[str, Any]:
    """What auditwheel writes of libraries of a package; it asks the system for that alone."""
    package = SimpleNamespace(purl=purl, package_name="libyaml-0-2", package_version="0.2.2-1")
    given = dict.fromkeys(paths, package)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sboms, "whichprovides", lambda _paths: given)
        found = sboms.create_sbom_for_wheel(NAME, [Path(path) for path in paths])
    assert found is not None
    return {**found}


TWO = _bill("/x/a.so", "/x/b.so")
#: Of a library that no package owns auditwheel writes nothing, and another one's may be gone.
WHEEL_ALONE = {"components": TWO["components"][:1]}
GRAFTED: dict[str, tuple[object, tuple[str, ...], str]] = {
    "of-the-image": (_bill("/usr/lib/aarch64-linux-gnu/libyaml-0.so.2.0.6"), ("image",), PURL),
    "of-red-hat": (_bill("/lib64/libyaml-0.so.2.0.6"), ("image",), PURL),
    "of-the-sysroot": (
        _bill("/opt/gcc-10/usr/lib/aarch64-linux-gnu/libyaml-0.so.2.0.6"),
        ("image",),
        PURL,
    ),
    "from-elsewhere": (_bill("/opt/yaml/libyaml-0.so.2.0.6"), ("image",), PURL),
    "of-two-it-may-be": (TWO, ("gcc 10.2.1",), ""),
    "of-the-wheel-alone": (WHEEL_ALONE, ("gcc 10.2.1",), ""),
    "no-bill": (None, ("gcc 10.2.1",), ""),
    "no-json": ("{", ("gcc 10.2.1",), ""),
    "no-list": ({"components": {}}, ("gcc 10.2.1",), ""),
    "no-tables": ({"components": [1, {"purl": 1, "bom-ref": 2}]}, ("gcc 10.2.1",), ""),
    "no-purl": (_bill("/lib64/libyaml-0.so.2.0.6", purl="pkg:\nx"), ("gcc 10.2.1",), ""),
}


@pytest.mark.parametrize(("bill", "compilers", "package"), GRAFTED.values(), ids=GRAFTED.keys())
def test_a_grafted_library_is_of_the_image_or_of_the_project(
    bill: object, compilers: tuple[str, ...], package: str, tmp_path: Path
) -> None:
    found = record(tmp_path, YAML, bill=bill)
    assert (found.compilers, found.package) == (compilers, package)


def test_the_sysroot_is_that_of_the_embedded_image() -> None:
    assert load_recipe().sysroot == PurePosixPath(SYSROOT)


@pytest.mark.parametrize("calls", [None, ""], ids=["no-record", "not-recorded"])
def test_what_nobody_recorded_is_of_the_image(calls: str | None, tmp_path: Path) -> None:
    assert record(tmp_path, YAML, DEBIAN, calls=calls).compilers == ("image",)


@pytest.mark.parametrize(
    ("member", "expected"), [(YAML, True), (CORE, False), ("demo.libs.py", False)]
)
def test_grafted_libraries_have_a_directory(member: str, expected: bool) -> None:  # noqa: FBT001
    assert is_grafted(member) is expected
