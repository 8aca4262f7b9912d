"""The program that calls auditwheel's library: whom it takes, whom it refuses, what it strips."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.native import repairer
from tests.unit.audit_samples import ARM, ET_EXEC, ET_REL, X86_64, Section, elf, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

UNREPAIRED = "fast-1.0-cp313-cp313-linux_aarch64.whl"
BOTH = "fast-1.0-cp313-cp313-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"
NEWER = elf(versions={"libc.so.6": ("GLIBC_2.34",)})


def repair(
    tmp_path: Path, wheel: Path, *words: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run it on this host, whatever that is, in a process of its own: auditwheel needs one."""
    argv = [sys.executable, "-P", repairer.__file__, *words]
    argv += ["--wheel-dir", str(tmp_path / "out"), str(wheel)]
    # Nothing is to be changed in these, and so no patchelf is needed.
    variables = {"PATH": "/nowhere", "AUDITWHEEL_PATCHER": "none", **variables}
    return subprocess.run(argv, env=variables, capture_output=True, text=True, check=False)


def repaired(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "out").iterdir())


GOOD: dict[str, tuple[bytes, list[str], dict[str, str], str]] = {
    "asked-for": (elf(), ["--plat", "manylinux_2_17_aarch64"], {}, BOTH),
    "by-its-alias": (elf(), ["--plat", "manylinux2014_aarch64"], {}, BOTH),
    "the-variable": (elf(), [], {"AUDITWHEEL_PLAT": "manylinux2014_aarch64"}, BOTH),
    "the-best": (elf(), ["--plat", "auto"], {}, BOTH),
    "nothing-asked": (elf(), [], {}, BOTH),
    "newer": (NEWER, [], {}, "fast-1.0-cp313-cp313-manylinux_2_34_aarch64.whl"),
}


@pytest.mark.parametrize(("code", "words", "variables", "name"), GOOD.values(), ids=GOOD)
def test_a_wheel_gets_the_tag(
    tmp_path: Path, code: bytes, words: list[str], variables: dict[str, str], name: str
) -> None:
    wheel = write_wheel(tmp_path, UNREPAIRED, {"fast.cpython-313-aarch64-linux-gnu.so": code})
    done = repair(tmp_path, wheel, *words, **variables)
    assert done.returncode == 0, done.stderr
    assert repaired(tmp_path) == [name]


def test_a_better_tag_than_asked_for_is_told_too(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, UNREPAIRED)
    assert repair(tmp_path, wheel, "--plat", "manylinux_2_28_aarch64").returncode == 0
    (name,) = repaired(tmp_path)
    assert name.endswith("manylinux2014_aarch64.manylinux_2_17_aarch64.manylinux_2_28_aarch64.whl")


def test_what_is_repaired_twice_stays_as_it_was(tmp_path: Path) -> None:
    first = write_wheel(tmp_path, UNREPAIRED)
    plat = ("--plat", "manylinux_2_17_aarch64")
    assert repair(tmp_path, first, *plat, SOURCE_DATE_EPOCH="1700000000").returncode == 0
    again = tmp_path / "out" / BOTH
    before = again.read_bytes()
    assert repair(tmp_path, again, *plat, SOURCE_DATE_EPOCH="1700000000").returncode == 0
    assert again.read_bytes() == before


MUSL = "fast-1.0-cp313-cp313-musllinux_1_2_aarch64.whl"
REFUSED: dict[str, tuple[str, bytes, str, str]] = {
    "symbols": (
        UNREPAIRED,
        NEWER,
        "manylinux_2_17_aarch64",
        "too-recent versioned symbols (at best manylinux_2_34_aarch64)",
    ),
    "another-architecture": (UNREPAIRED, elf(), "manylinux2014_x86_64", "no platform of aarch64"),
    "another-wheel": (
        "fast-1.0-cp313-cp313-linux_x86_64.whl",
        elf(machine=X86_64),
        "manylinux2014_aarch64",
        "it is a wheel for x86_64",
    ),
    "other-code": (UNREPAIRED, elf(machine=ARM), "manylinux2014_aarch64", "'aarch64' architecture"),
    "another-libc": (MUSL, elf(), "manylinux2014_aarch64", "it is a wheel for musl"),
    "unknown": (UNREPAIRED, elf(), "manylinux_9_9_aarch64", "no policy named"),
    "no-code": (UNREPAIRED, b"text", "auto", "does not look like a platform wheel"),
    "library": (
        UNREPAIRED,
        elf(needed=("libc.so.6", "libnowhere.so.1")),
        "manylinux2014_aarch64",
        'library "libnowhere.so.1" could not be located',
    ),
}


@pytest.mark.parametrize(("name", "code", "plat", "why"), REFUSED.values(), ids=REFUSED)
def test_a_wheel_is_refused_in_one_line(
    tmp_path: Path, name: str, code: bytes, plat: str, why: str
) -> None:
    wheel = write_wheel(tmp_path, name, {"fast.cpython-313-aarch64-linux-gnu.so": code})
    done = repair(tmp_path, wheel, "--plat", plat)
    assert done.returncode == 1
    assert f"cannot repair {name} to {plat}: " in done.stderr
    assert why in done.stderr
    assert "Traceback" not in done.stderr


STRIP = """\
#!/bin/sh
[ "$1" = --strip-all ] && shift
for file; do echo stripped > "$file"; done
"""
SYMBOLS = Section(name=".symtab", kind=2, data=bytes(24), link=1, entry=24)
FILES = {
    "fast.cpython-313-aarch64-linux-gnu.so": elf(more=(SYMBOLS,)),
    "fast/lib/libinner.so": elf(symbol="inner", more=(SYMBOLS,)),
    "fast/clean.so": elf(symbol="clean"),
    "fast/part.o": elf(kind=ET_REL, symbol="part", more=(SYMBOLS,)),
    "fast/text.so": b"text",
}


def test_something_to_strip_needs_a_program_for_it(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, UNREPAIRED, FILES)
    done = repair(tmp_path, wheel, "--strip")
    assert done.returncode == 1
    assert "there is no `strip` on PATH" in done.stderr


def test_only_files_of_the_wheel_with_symbols_are_stripped(tmp_path: Path) -> None:
    """The program is called once for them all, and before anything is changed."""
    strip = tmp_path / "bin/strip"
    strip.parent.mkdir()
    strip.write_text(STRIP)
    strip.chmod(0o755)
    wheel = write_wheel(tmp_path, UNREPAIRED, FILES)
    done = repair(tmp_path, wheel, "--strip", PATH=str(strip.parent))
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "out" / BOTH) as archive:
        changed = [name for name in FILES if archive.read(name) != FILES[name]]
        assert {archive.read(name) for name in changed} == {b"stripped\n"}
    assert changed == ["fast.cpython-313-aarch64-linux-gnu.so", "fast/lib/libinner.so"]
    told = [line for line in done.stderr.splitlines() if "stripping" in line]
    assert len(told) == 1
    assert told[0].endswith("stripping 2 files")


SECTIONS = {
    "symbols": (elf(more=(SYMBOLS,)), True),
    "debug": (elf(more=(Section(name=".debug_info", kind=1, data=b"x", flags=0),)), True),
    "zipped": (elf(more=(Section(name=".zdebug_info", kind=1, data=b"x", flags=0),)), True),
    "program": (elf(kind=ET_EXEC, more=(SYMBOLS,)), True),
    "nothing": (elf(), False),
    "object": (elf(kind=ET_REL, more=(SYMBOLS,)), False),
    "other-machine": (elf(machine=X86_64, more=(SYMBOLS,)), False),
    "cut": (elf(more=(SYMBOLS,))[:100], False),
    "empty": (b"", False),
    "magic-alone": (b"\x7fELF", False),
}


@pytest.mark.parametrize(("content", "expected"), SECTIONS.values(), ids=SECTIONS)
def test_what_has_something_to_strip(tmp_path: Path, content: bytes, *, expected: bool) -> None:
    path = tmp_path / "x.so"
    path.write_bytes(content)
    assert repairer.has_symbols(path) is expected
