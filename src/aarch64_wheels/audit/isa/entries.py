"""What runs for certain when an object is loaded or imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.audit.isa.search import jump_distance
from aarch64_wheels.audit.isa.table import WORD

if TYPE_CHECKING:
    from aarch64_wheels.audit.elf_image import ElfImage
    from aarch64_wheels.audit.isa.code import Code
    from aarch64_wheels.audit.isa.relocations import Relocations

#: How a module's own function for importing it is called (PEP 489, PEP 793).
_IMPORT = ("PyInit_", "PyModExport_")
#: How many instructions are followed from one place on, in all, and how deep calls are.
_STEPS, _ALL, _DEPTH = 4096, 1 << 18, 16


def run_at_import(image: ElfImage, code: Code, relocations: Relocations) -> set[int]:
    """Give the instructions that certainly run when an object is loaded or imported."""
    entries = relocations.initial()
    entries += [
        symbol.value
        for symbol in image.symbols
        if symbol.section and symbol.name.startswith(_IMPORT)
    ]
    seen = set[int]()
    for entry in entries:
        follow(code, entry, seen)
    return seen


def follow(code: Code, entry: int, seen: set[int]) -> None:
    """Add the instructions that run for certain if a function does, up to the first decision.

    What is called is followed the same way, and returns: it may end the process, but then says why.
    """
    waiting, most = [entry], min(len(seen) + _STEPS, _ALL)
    while waiting:
        at = waiting.pop()
        while at not in seen and len(seen) < most:
            word = code.word(at)
            if word is None or _decides(word):
                break
            seen.add(at)
            distance = jump_distance(word)
            if distance is not None and word >> 31 and len(waiting) < _DEPTH:  # bl: come back here
                waiting.append(at + WORD)
            at += WORD if distance is None else distance * WORD


def _decides(word: int) -> bool:
    """Whether it is not certain what runs next: conditional and indirect branches, returns."""
    return (
        word & 0xFE000000 in (0x54000000, 0xD6000000)
        or word & 0x7C000000 == 0x34000000  # noqa: PLR2004 - cbz, cbnz, tbz, tbnz
        or word >> 24 == 0xD4  # noqa: PLR2004 - exceptions
        or word >> 16 == 0
    )
