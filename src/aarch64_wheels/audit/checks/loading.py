"""What the kernel and the dynamic loader look at before any code of an object runs."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.elf import writable_code
from aarch64_wheels.audit.elf_format import Flag, SegmentType
from aarch64_wheels.audit.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.elf import ElfFacts
    from aarch64_wheels.audit.model import Finding

#: The largest page of aarch64 kernels, in bytes.
_PAGE = 1 << 16
# `$ORIGIN/x`, `${ORIGIN}/x`
_ORIGIN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})(?=/|$)")
# Only root writes there, and the loader looks there anyway or finds nothing of that name.
_SYSTEM = re.compile(r"/(?:usr/(?:local/)?)?lib(?:64)?(?:/aarch64-linux-(?:gnu|musl))?/?")
# What of a wheel is installed into site-packages: all but NAME.data's other directories (PEP 427).
_DATA = re.compile(r"[^/]+\.data/(?P<scheme>[^/]+)/")
_SITE = ("platlib", "purelib")


def segments(content: WheelContent) -> Iterator[Finding]:
    """Find segments that some systems do not load."""
    for name, facts in content.objects.items():
        yield from _alignment(name, facts)
        yield from _permissions(name, facts)


def _permissions(name: str, facts: ElfFacts) -> Iterator[Finding]:
    """Find memory that would be writable and executable, for a while or for good."""
    stack = [row.flags for row in facts.segments if row.kind == SegmentType.GNU_STACK]
    if any(flags & Flag.EXECUTE for flags in stack):
        message = f"{name} asks for an executable stack"
        yield found("executable-stack", message, file=name, section="GNU_STACK", evidence="RWE")
    if facts.text_relocations:
        message = f"{name} has relocations in its code"
        yield found("text-relocations", message, file=name, section=".dynamic", evidence="TEXTREL")
    if writable_code(facts.segments):
        message = f"{name} has a segment that is writable and executable"
        yield found("writable-code", message, file=name, section="LOAD", evidence="RWE")


def _alignment(name: str, facts: ElfFacts) -> Iterator[Finding]:
    """Find segments that a kernel with the largest pages cannot map."""
    for row in facts.segments:
        is_fit = row.align % _PAGE == 0 and (row.address - row.offset) % _PAGE == 0
        if row.kind == SegmentType.LOAD and not is_fit:
            evidence = f"the segment at {row.address:#x} is aligned to {row.align:#x}"
            message = f"{name} is not aligned for pages of 64 KiB"
            yield found("page-alignment", message, file=name, section="LOAD", evidence=evidence)
            return


def search_paths(content: WheelContent) -> Iterator[Finding]:
    """Find directories that libraries are looked for in and that are not the wheel's."""
    for name, facts in content.objects.items():
        for path in dict.fromkeys(facts.search_paths):
            if reason := _outside(name, path):
                level = Level.WARNING if _SYSTEM.fullmatch(path) else None
                message = f"{name} looks for libraries outside of the wheel"
                evidence = f"{path or 'an empty entry'}: {reason}"
                yield found(
                    "rpath", message, file=name, section=".dynamic", evidence=evidence, level=level
                )


def _outside(name: str, path: str) -> str:
    """Say why an entry of RPATH or RUNPATH leads out of site-packages; empty if it does not."""
    if path.startswith("/"):
        return "an absolute path"
    match = _ORIGIN.match(path)
    if match is None:
        return "relative to the working directory"
    data = _DATA.match(name)
    if data and data["scheme"] not in _SITE:
        return ""  # where it is installed to depends on the system
    directory = posixpath.dirname(name[data.end() :] if data else name)
    place = posixpath.normpath(posixpath.join(directory, path[match.end() :].lstrip("/")))
    return "above site-packages" if place.startswith("..") else ""
