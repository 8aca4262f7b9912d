"""Small wheels that are made to keep a reader busy, or to fill its memory."""

from __future__ import annotations

import json
import os
import string
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit.elf_format import SectionType, Tag
from aarch64_wheels.audit.elf_image import MAX_NAME
from tests.unit import forged_elf
from tests.unit.audit_samples import EXTENSION, INFO, elf, write_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).parents[2]
#: Seconds of the processor, and MiB; each takes a tenth of that.
PATIENCE, MEMORY = 15.0, 768
_SVE, _LSE, _MRS, _BL, _CBZ, _RET = (
    *(0xA5E0A020, 0xF8E00020, 0xD5380400, 0x97FFFFF0, 0xB4000020, 0xD65F03C0),
)
_PATHS = b"/aaaaaaaa/bbbbbbbb/cccccccc.d" * 100_000
_HEAD = "Metadata-Version: 2.1\nName: fast\nVersion: 1.0\n"

#: ELF files.
OBJECTS: dict[str, Callable[[], bytes]] = {
    "sections of one place": lambda: forged_elf.sections(_PATHS, 2, 20_000),
    "code of one place": lambda: forged_elf.sections(bytes(1 << 20), 6, 20_000),
    "sections of one name": lambda: forged_elf.sections(b"", 2, 65_000),
    "dynamic symbols": lambda: forged_elf.symbols(400_000, SectionType.DYNSYM),
    "symbols": lambda: forged_elf.symbols(400_000, SectionType.SYMTAB),
    "needed": lambda: forged_elf.tags(Tag.NEEDED, forged_elf.LONG, 65_000),
    "search paths": lambda: forged_elf.tags(Tag.RUNPATH, _entries(), 65_000),
    "versions": lambda: forged_elf.versions(16_000),
    "vectors": lambda: forged_elf.code(_SVE, times=1 << 20),
    "atomics": lambda: forged_elf.code(_LSE, times=1 << 20),
    "questions": lambda: forged_elf.code(_MRS, times=1 << 20),
    "jumps": lambda: forged_elf.code(_SVE, _CBZ, _BL, _RET, times=1 << 18),
}
#: Other members, by name.
MEMBERS: dict[str, Callable[[], dict[str, bytes]]] = {
    "members": lambda: {f"d{number}/x.py": b"" for number in range(30_000)},
    "licences": lambda: {
        **{f"fast.libs/lib{_word(number)}{number}.so.1": elf() for number in range(1000)},
        **{f"{INFO}/licenses/{number}": b"abc " * 500_000 for number in range(7)},
    },
    "bills": lambda: {
        "fast.libs/libx.so.1": elf(),
        f"{INFO}/sboms/a.cdx.json": b"[" * 4_000_000,
        f"{INFO}/sboms/b.cdx.json": b'{"components":[' + b"{}," * 1_000_000 + b"{}]}",
    },
    "a requirement": lambda: _metadata("Requires-Dist: a; " + "(" * 20_000),
    "a version": lambda: _metadata("Requires-Python: " + ">=1," * 100_000),
    "a licence expression": lambda: _metadata("License-Expression: " + "(" * 20_000 + "MIT"),
    "a field": lambda: _metadata("Keywords: " + "a," * 1_000_000),
    "fields": lambda: _metadata("Classifier: A :: B\n" * 100_000),
}


def _entries() -> bytes:
    return b"".join(b"/%d:" % number for number in range(3000))[: MAX_NAME - 1] + b"\0"


def _word(number: int) -> str:
    return string.ascii_lowercase[number % 26] * 6


def _metadata(lines: str) -> dict[str, bytes]:
    return {f"{INFO}/METADATA": f"{_HEAD}{lines}\n".encode()}


def _audit(wheel: Path, place: Path) -> None:
    """Audit in a process with limits."""
    argv = [sys.executable, "-P", "-m", "tests.unit.fuzz_child", str(place), str(wheel)]
    env = {
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "src")]),
        "MALLOC_ARENA_MAX": "1",
    }
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-1500:]
    said = json.loads(done.stdout)
    print(said)
    assert said["seconds"] < PATIENCE
    assert said["memory"] < MEMORY


@pytest.mark.parametrize("name", OBJECTS)
def test_objects(name: str, tmp_path: Path) -> None:
    _audit(write_wheel(tmp_path, files={EXTENSION: OBJECTS[name]()}), tmp_path)


@pytest.mark.parametrize("name", MEMBERS)
def test_members(name: str, tmp_path: Path) -> None:
    _audit(write_wheel(tmp_path, files={EXTENSION: elf(), **MEMBERS[name]()}), tmp_path)


def test_tags(tmp_path: Path) -> None:
    letters = ".".join(string.ascii_lowercase)
    pythons = ".".join(f"cp3{number}" for number in range(9))
    files = {f"{number}.abi3.so": b"x" for number in range(3000)}
    wheel = write_wheel(tmp_path, f"fast-1.0-{pythons}-{letters}-{letters}.whl", files)
    _audit(wheel, tmp_path)
