"""A wheel that the native backend made is only used if the target could have made it."""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.native.wheelcheck import check_wheel
from tests.unit.audit_samples import EXTENSION, INFO, X86_64, elf, write_wheel
from tests.unit.backend_samples import facts

if TYPE_CHECKING:
    from pathlib import Path

NAME = "fast-1.0-cp313-cp313-linux_aarch64.whl"
TRACE = "/native/python/cp313/lib"

GOOD_NAMES = {
    "own-abi": NAME,
    "stable-abi": "fast-1.0-cp39-abi3-linux_aarch64.whl",
    "no-abi": "fast-1.0-py3-none-linux_aarch64.whl",
    "tagged-by-the-backend": "fast-1.0-cp313-cp313-manylinux_2_28_aarch64.whl",
}


@pytest.mark.parametrize("name", GOOD_NAMES.values(), ids=GOOD_NAMES.keys())
def test_a_good_wheel(tmp_path: Path, name: str) -> None:
    assert check_wheel(write_wheel(tmp_path, name), facts()) == ()


BAD_NAMES = {
    "platform": ("fast-1.0-cp313-cp313-linux_x86_64.whl", "its tag says linux_x86_64"),
    "one-of-two": (
        "fast-1.0-cp313-cp313-linux_aarch64.linux_x86_64.whl",
        "its tag says linux_x86_64",
    ),
    "version": (
        "fast-1.0-cp312-cp312-linux_aarch64.whl",
        "its tag says cp312, and the target's ABI is cp313",
    ),
    "free-threaded": (
        "fast-1.0-cp313-cp313t-linux_aarch64.whl",
        "its tag says cp313t, and the target's ABI is cp313",
    ),
}


@pytest.mark.parametrize(("name", "expected"), BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_a_tag_of_another_interpreter(tmp_path: Path, name: str, expected: str) -> None:
    assert check_wheel(write_wheel(tmp_path, name), facts()) == (expected,)


@pytest.mark.parametrize(
    ("soabi", "name"),
    [
        ("cpython-313t-aarch64-linux-gnu", "fast-1.0-cp313-cp313t-linux_aarch64.whl"),
        ("pypy311-pp73", "fast-1.0-pp311-pypy311_pp73-linux_aarch64.whl"),
    ],
    ids=["free-threaded", "pypy"],
)
def test_other_abis_are_right_for_their_own_target(tmp_path: Path, soabi: str, name: str) -> None:
    found = facts(config={"SOABI": soabi})
    assert check_wheel(write_wheel(tmp_path, name), found) == ()


NATIVE = "fast.cpython-313-x86_64-linux-gnu.so"
FILES: dict[str, tuple[dict[str, Any], str]] = {
    "machine": ({EXTENSION: elf(machine=X86_64)}, f"{EXTENSION} is of machine X86_64"),
    "suffix": (
        {NATIVE: elf()},
        f"{NATIVE} is not of the target's suffix .cpython-313-aarch64-linux-gnu.so",
    ),
    "suffix-below": (
        {f"a.b/{NATIVE}": elf()},
        f"a.b/{NATIVE} is not of the target's suffix .cpython-313-aarch64-linux-gnu.so",
    ),
    "text": ({"fast/config.py": f"x = '{TRACE}'".encode()}, "fast/config.py names the native"),
    "loaded": ({EXTENSION: elf(needed=(f"{TRACE}/libx.so",))}, f"{EXTENSION} names the native"),
    "damaged": ({EXTENSION: b"\x7fELF" + bytes(60)}, f"{EXTENSION} cannot be read as ELF"),
}


@pytest.mark.parametrize(("files", "expected"), FILES.values(), ids=FILES.keys())
def test_a_file_of_the_build_machine(
    tmp_path: Path, files: dict[str, bytes], expected: str
) -> None:
    (found,) = check_wheel(write_wheel(tmp_path, NAME, files), facts())
    assert found.startswith(expected)


HARMLESS: dict[str, dict[str, bytes]] = {
    "stable-abi": {"fast.abi3.so": elf()},
    "no-tag-in-the-suffix": {"fast.so": elf()},
    "a-library": {"fast.libs/libx-1.2.so.3": elf()},
    # Past the sections: as debug information, which no process has in memory.
    "debug-information": {EXTENSION: elf() + TRACE.encode()},
    "the-environment": {"config.py": b"python = '/aarch64-wheels/environment/bin/python'"},
    "another-place": {"config.py": b"x = '/native/pythonic'"},
    "a-script": {f"{INFO[:8]}.data/scripts/fast": b"#!python\nimport fast\n"},
}


@pytest.mark.parametrize("files", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_does_no_harm(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert check_wheel(write_wheel(tmp_path, NAME, files), facts()) == ()


def test_every_finding_is_told(tmp_path: Path) -> None:
    name = "fast-1.0-cp313-cp313-linux_x86_64.whl"
    path = write_wheel(tmp_path, name, {NATIVE: elf(machine=X86_64)})
    assert len(check_wheel(path, facts())) == 3


@pytest.mark.parametrize("content", [None, b"", b"PK nothing"], ids=["missing", "empty", "broken"])
def test_a_file_that_is_no_wheel(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / NAME).write_bytes(content)
    (found,) = check_wheel(tmp_path / NAME, facts())
    assert found.startswith(f"{NAME} cannot be read")


def test_a_trace_on_the_edge_of_what_is_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aarch64_wheels.native.wheelcheck._PIECE", 7)
    files = {"config.py": b"x" * 12 + TRACE.encode(), EXTENSION: elf(needed=(f"{TRACE}/x.so",))}
    found = check_wheel(write_wheel(tmp_path, NAME, files), facts())
    assert {line.partition(" ")[0] for line in found} == {"config.py", EXTENSION}


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_CONTENT", 1000), ("SMALL_CONTENT", 1000)], ids=["size", "ratio"]
)
def test_a_bomb_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(f"aarch64_wheels.audit.archive.{limit}", value)
    path = write_wheel(tmp_path, NAME, {"zeros": bytes(1 << 20)})
    (found,) = check_wheel(path, facts())
    assert found.startswith(f"{NAME} cannot be read: it would unpack to ")


def test_damaged_data_is_a_finding(tmp_path: Path) -> None:
    """What zlib says of it is no error that zipfile knows."""
    path = write_wheel(tmp_path, NAME, {"a.py": b"abc" * 1000})
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("a.py").header_offset
    names = struct.unpack_from("<HH", content, start + 26)
    at = start + 30 + sum(names)
    content[at : at + 8] = b"\xff" * 8
    path.write_bytes(content)
    (found,) = check_wheel(path, facts())
    assert found.startswith(f"{NAME} cannot be read: ")
