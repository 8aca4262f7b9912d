"""Looks at a wheel that the native backend made: whether it is what the target would have made.

Strings of debug information may name the native tools: the image's compiler would have recorded
its own places there, and nobody reads files by them. The environment's path is the same with
both backends, so whatever records it does so with the emulated one as well.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from aarch64_wheels.audit.elf import MAGIC
from aarch64_wheels.native.places import INTERPRETERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aarch64_wheels.native.facts import Facts

_TRACE = str(INTERPRETERS).encode() + b"/"
_BROKEN = (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError)


def check_wheel(path: Path, facts: Facts) -> tuple[str, ...]:
    """Check one wheel.

    Args:
        path: the wheel, not yet repaired.
        facts: of the target's interpreter.

    Returns:
        What is wrong with it, one line each; nothing if all is well.
    """
    try:
        findings = list(_tags(path.name, facts))
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                findings += _file(name, archive.read(name), facts)
    except _BROKEN as error:
        return (f"{path.name} cannot be read: {error}",)
    return tuple(findings)


def _tags(filename: str, facts: Facts) -> Iterator[str]:
    try:
        tags = parse_wheel_filename(filename)[-1]
    except InvalidWheelFilename as error:
        yield str(error)
        return
    for tag in sorted(str(tag) for tag in tags):
        abi, platform = tag.split("-")[1:]
        if platform != "any" and not platform.endswith("_aarch64"):
            yield f"its tag says {platform}"
        elif abi not in ("none", "abi3", "abi3t", _abi(facts)):
            yield f"its tag says {abi}, and the target's ABI is {_abi(facts)}"


def _abi(facts: Facts) -> str:
    """Give the target's ABI tag (PEP 425) from SOABI, as wheel builders do."""
    implementation, version, *_ = [*str(facts.config.get("SOABI")).split("-"), ""]
    return f"cp{version}" if implementation == "cpython" else f"{implementation}_{version}"


def _file(name: str, content: bytes, facts: Facts) -> Iterator[str]:
    if content[:4] == MAGIC:
        yield from _elf(name, content)
        yield from _suffix(name, facts)
    elif _TRACE in content:
        yield f"{name} names the native interpreter"


def _suffix(name: str, facts: Facts) -> Iterator[str]:
    """Look at a suffix with a tag in it: another system's is never imported (PEP 3149)."""
    tagged = "." + name.rpartition("/")[2].partition(".")[2]
    if tagged.startswith((".cpython-", ".pypy")) and tagged not in facts.suffixes:
        yield f"{name} is not of the target's suffix {facts.suffixes[0]}"


def _elf(name: str, content: bytes) -> Iterator[str]:
    try:
        elf = ELFFile(io.BytesIO(content))
        machine = str(elf.header["e_machine"])
        traces = any(_TRACE in data for data in _loaded(elf))
    # pyelftools lets these through on headers that point outside the file.
    except (ELFError, KeyError, IndexError, TypeError, OverflowError, UnicodeError) as error:
        yield f"{name} cannot be read as ELF: {error}"
        return
    if machine != "EM_AARCH64":
        yield f"{name} is of machine {machine.removeprefix('EM_')}"
    if traces:
        yield f"{name} names the native interpreter"


def _loaded(elf: ELFFile) -> Iterator[bytes]:
    """Give what a process would have in memory: not the debug information."""
    for section in elf.iter_sections():
        if section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_type"] != "SHT_NOBITS":
            yield section.data()
