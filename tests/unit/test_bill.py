"""The bill of a wheel: what is in the document, and what never is."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.bill import Bill, Compilers, Origin, added_to, built_by, make_bill, target_tools
from aarch64_wheels.report.model import ImageRecord, ObjectRecord, ToolRecord
from tests.unit.backend_samples import facts

if TYPE_CHECKING:
    from pathlib import Path

WHEEL = "demo-1.0+local.1-cp313-cp313-manylinux2014_aarch64.whl"
URL = "pkg:pypi/demo@1.0%2Blocal.1"
CORE = ObjectRecord(
    path="demo/_core.so",
    compilers=("clang 22.1.8", "gcc 10.2.1"),
    producers=("GCC: (Debian 10.2.1-6) 10.2.1 20210110", "clang version 22.1.8"),
    sha256="5" * 64,
)
ZLIB = ObjectRecord(
    path="demo.libs/libz-1a2b3c4d.so.1",
    compilers=("image",),
    sha256="6" * 64,
    package="pkg:deb/debian/zlib1g@1.2.11",
)
IMAGE = ImageRecord(
    reference="registry.example/image:1", id="sha256:" + "1" * 64, digest="sha256:" + "2" * 64
)
ORIGIN = Origin(
    source="demo",
    source_sha256="3" * 64,
    commit="7" * 40,
    sdist="demo-1.0.tar.gz",
    image=IMAGE,
    mode="accelerated",
    backend="native",
    interpreter="cpython 3.13.5",
    tools=(ToolRecord(name="uv", version="0.13.9"), ToolRecord(name="clang", version="22.1.8")),
)
BILL = Bill(filename=WHEEL, objects=(CORE, ZLIB), origin=ORIGIN)


def document(bill: Bill = BILL) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(make_bill(bill))
    return read


def properties(row: dict[str, Any]) -> list[tuple[str, str]]:
    prefix = "aarch64-wheels:"
    assert all(one["name"].startswith(prefix) for one in row["properties"])
    return [(one["name"].removeprefix(prefix), one["value"]) for one in row["properties"]]


def test_the_wheel_is_what_the_bill_is_of() -> None:
    found = document()
    wheel = found["metadata"]["component"]
    assert (found["bomFormat"], found["specVersion"], found["version"]) == ("CycloneDX", "1.6", 1)
    assert (wheel["name"], wheel["version"], wheel["purl"]) == ("demo", "1.0+local.1", URL)
    # Its own hash changes with the bill in it.
    assert "hashes" not in wheel
    assert properties(wheel) == [
        ("source", "demo"),
        ("source-sha256", "3" * 64),
        ("commit", "7" * 40),
        ("sdist", "demo-1.0.tar.gz"),
        ("image", "registry.example/image:1"),
        ("image-digest", IMAGE.digest),
        ("mode", "accelerated"),
        ("backend", "native"),
        ("interpreter", "cpython 3.13.5"),
    ]


def test_each_object_is_a_file_with_its_hash_and_compilers() -> None:
    zlib, core = document()["components"]
    assert (core["type"], core["name"]) == ("file", "demo/_core.so")
    assert core["hashes"] == [{"alg": "SHA-256", "content": "5" * 64}]
    assert properties(core) == [
        ("compiler", "clang 22.1.8"),
        ("compiler", "gcc 10.2.1"),
        ("producer", "GCC: (Debian 10.2.1-6) 10.2.1 20210110"),
        ("producer", "clang version 22.1.8"),
    ]
    assert properties(zlib) == [("compiler", "image"), ("package", ZLIB.package)]


def test_references_lead_somewhere() -> None:
    found = document()
    files = [row["bom-ref"] for row in found["components"]]
    assert files == [f"{URL}#demo.libs/libz-1a2b3c4d.so.1", f"{URL}#demo/_core.so"]
    assert found["dependencies"] == [{"ref": URL, "dependsOn": files}]


def test_tools_are_named_in_order() -> None:
    assert document()["metadata"]["tools"]["components"] == [
        {"type": "application", "name": "clang", "version": "22.1.8"},
        {"type": "application", "name": "uv", "version": "0.13.9"},
    ]


def test_the_same_facts_give_the_same_bytes() -> None:
    other_order = replace(
        BILL, objects=(ZLIB, CORE), origin=replace(ORIGIN, tools=ORIGIN.tools[::-1])
    )
    assert make_bill(other_order) == make_bill(BILL)


def test_other_facts_give_another_serial_number() -> None:
    other = replace(BILL, objects=(CORE,))
    assert document(other)["serialNumber"] != document()["serialNumber"]


TIMES = {
    "unset": (None, None),
    "begin": (0, "1970-01-01T00:00:00Z"),
    "later": (1_700_000_000, "2023-11-14T22:13:20Z"),
    "too-late": (10**18, None),
}


@pytest.mark.parametrize(("epoch", "timestamp"), TIMES.values(), ids=TIMES.keys())
def test_the_time_is_that_of_the_source(epoch: int | None, timestamp: str | None) -> None:
    assert document(replace(BILL, epoch=epoch))["metadata"].get("timestamp") == timestamp


SECRETS = {
    "source": replace(ORIGIN, source="git+https://user:secret@h.example/demo@0123abc"),
    "source-of-another-name": replace(ORIGIN, source="https://u:12/secret@h.example/x@0123abc"),
    "source-s-odd-password": replace(ORIGIN, source="git+https://u:a@b/secret@h.example/x@0123abc"),
    "source-at-a-port": replace(ORIGIN, source="git+https://u:secret@gitea:3000/o/x@0123abc"),
    "image": replace(ORIGIN, image=replace(IMAGE, reference="https://u:secret@r.example/i:1")),
}


@pytest.mark.parametrize("origin", SECRETS.values(), ids=SECRETS.keys())
def test_no_login_gets_in(origin: Origin) -> None:
    assert b"secret" not in make_bill(replace(BILL, origin=origin))


CLEAN = {
    "a-host-and-port": "git+https://gitea:3000/o/x@0123abc",
    "a-package-in-it": f"git+https://h.example/o/x@{'7' * 40}#subdirectory=a/b",
    "an-address": "git+http://[::1]:8080/x@0123abc",
    "an-at-in-the-path": "git+https://h.example/~me@corp/x@0123abc",
    "a-name": "demo 0123abc",
}


@pytest.mark.parametrize("source", CLEAN.values(), ids=CLEAN)
def test_a_source_without_a_login_stays_as_it_is(source: str) -> None:
    wheel = document(replace(BILL, origin=replace(ORIGIN, source=source)))["metadata"]["component"]
    assert properties(wheel)[0] == ("source", source)


def test_the_engine_s_own_id_of_an_image_is_no_part_of_a_wheel() -> None:
    other = replace(ORIGIN, image=replace(IMAGE, id="sha256:" + "8" * 64))
    assert make_bill(replace(BILL, origin=other)) == make_bill(BILL)


def test_names_of_a_hostile_wheel_are_text_and_nothing_else() -> None:
    hostile = replace(CORE, path='demo/\x1b[2J"\n::error::x\u202e.so', compilers=("a\x00b",))
    (row,) = document(replace(BILL, objects=(hostile,)))["components"]
    assert row["name"].isprintable()
    assert row["bom-ref"].isascii()
    assert properties(row)[0] == ("compiler", "ab")


def test_what_is_not_known_is_left_out() -> None:
    bare = Origin(source="demo", source_sha256="3" * 64, image=None, mode="native")
    found = document(replace(BILL, origin=bare, objects=(ObjectRecord(path="a.so", compilers=()),)))
    assert [name for name, _ in properties(found["metadata"]["component"])] == [
        "source",
        "source-sha256",
        "mode",
    ]
    (row,) = found["components"]
    assert (row["properties"], "hashes" in row) == ([], False)


def _wheel(place: Path) -> Path:
    path = place / WHEEL
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("demo/_core.so", "demo-1.0+local.1.dist-info/RECORD"):
            archive.writestr(name, "")
    return path


def test_the_bill_has_its_place_in_the_wheel(tmp_path: Path) -> None:
    added = added_to(_wheel(tmp_path), (CORE, ZLIB), ORIGIN, None)
    name = "demo-1.0+local.1.dist-info/sboms/aarch64-wheels.cdx.json"
    assert added == {name: make_bill(BILL)}


def test_a_wheel_without_objects_gets_none(tmp_path: Path) -> None:
    assert added_to(_wheel(tmp_path), (), ORIGIN, None) == {}


BUILT = {
    "all-known": ("22.1.8", "10.2.1", Compilers(native="clang 22.1.8", image="gcc 10.2.1")),
    "no-gcc": ("22.1.8", "", Compilers(native="clang 22.1.8")),
    "no-native-tools": ("", "4.8.5", Compilers(image="gcc 4.8.5")),
}


@pytest.mark.parametrize(("clang", "gcc", "expected"), BUILT.values(), ids=BUILT.keys())
def test_compilers_have_their_versions(clang: str, gcc: str, expected: Compilers) -> None:
    tools = (ToolRecord(name="clang", version=clang),) if clang else ()
    origin = built_by(replace(ORIGIN, tools=tools), "emulated", facts(gcc=gcc))
    assert (origin.compilers, origin.backend) == (expected, "emulated")
    assert origin.interpreter == "cpython 3.13.5"


def test_a_target_s_own_tools() -> None:
    cpython = ToolRecord(name="cpython", version="3.13.5")
    assert target_tools(facts()) == (cpython, ToolRecord(name="gcc", version="10.2.1"))
    assert target_tools(facts(gcc="")) == (cpython,)
