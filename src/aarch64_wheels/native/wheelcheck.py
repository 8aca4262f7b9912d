"""Looks at a wheel that the native backend made: whether it is what the target would have made.

Strings of debug information may name the native tools: the image's compiler would have recorded
its own places there, and nobody reads files by them. The environment's path is the same with
both backends, so whatever records it does so with the emulated one as well.
"""

from __future__ import annotations

import tempfile
import zipfile
from bisect import bisect_left
from typing import IO, TYPE_CHECKING

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from aarch64_wheels.audit.archive import BROKEN, IN_MEMORY, refuse_harm
from aarch64_wheels.audit.elf_image import MAGIC
from aarch64_wheels.native.places import INTERPRETERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from aarch64_wheels.native.facts import Facts

_TRACE = str(INTERPRETERS).encode() + b"/"
#: Bytes of a member that are read at once.
_PIECE = 1 << 20
#: So many traces in one file are enough.
_ENOUGH = 10_000


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
            members = [member for member in archive.infolist() if not member.is_dir()]
            refuse_harm(members, path.stat().st_size)
            for member in members:
                findings += _file(archive, member, facts)
    except (OSError, *BROKEN) as error:
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


def _file(archive: zipfile.ZipFile, member: zipfile.ZipInfo, facts: Facts) -> Iterator[str]:
    name = member.filename
    with archive.open(member) as source:
        is_elf = source.read(len(MAGIC)) == MAGIC
    with archive.open(member) as source, tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as copy:
        traces = _traces(source, copy if is_elf else None)
        if is_elf:
            yield from _elf(name, copy, traces)
            yield from _suffix(name, facts)
        elif traces:
            yield f"{name} names the native interpreter"


def _traces(source: IO[bytes], copy: IO[bytes] | None) -> list[int]:
    """Find where a file names the native tools, in one pass that also copies it."""
    found: list[int] = []
    start, kept = 0, b""
    while piece := source.read(_PIECE):
        if copy is not None:
            copy.write(piece)
        window = kept + piece
        at = window.find(_TRACE)
        while at >= 0 and len(found) < _ENOUGH:
            found.append(start + at)
            at = window.find(_TRACE, at + 1)
        kept = window[1 - len(_TRACE) :]
        start += len(window) - len(kept)
    return found


def _suffix(name: str, facts: Facts) -> Iterator[str]:
    """Look at a suffix with a tag in it: another system's is never imported (PEP 3149)."""
    tagged = "." + name.rpartition("/")[2].partition(".")[2]
    if tagged.startswith((".cpython-", ".pypy")) and tagged not in facts.suffixes:
        yield f"{name} is not of the target's suffix {facts.suffixes[0]}"


def _elf(name: str, content: IO[bytes], traces: Sequence[int]) -> Iterator[str]:
    try:
        content.seek(0)
        elf = ELFFile(content)
        machine = str(elf.header["e_machine"])
        is_named = len(traces) >= _ENOUGH or (bool(traces) and _is_loaded(elf, traces))
    # pyelftools lets these through on headers that point outside the file.
    except (ELFError, KeyError, IndexError, TypeError, OverflowError, ValueError) as error:
        yield f"{name} cannot be read as ELF: {error}"
        return
    if machine != "EM_AARCH64":
        yield f"{name} is of machine {machine.removeprefix('EM_')}"
    if is_named:
        yield f"{name} names the native interpreter"


def _is_loaded(elf: ELFFile, traces: Sequence[int]) -> bool:
    """Tell whether a process would have any of them in memory: not the debug information."""
    for section in elf.iter_sections():
        if section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_type"] != "SHT_NOBITS":
            first = bisect_left(traces, section["sh_offset"])
            if first < len(traces) and traces[first] < section["sh_offset"] + section["sh_size"]:
                return True
    return False
