"""Where an object's code calls functions of other objects."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from aarch64_wheels.audit.isa.table import WORD, Encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aarch64_wheels.audit.isa.code import Code

_PAGE = 0xFFF
#: The bits of `ldr x, [x, #offset]` without its registers.
LOAD_MASK = 0xFFFFFC00
#: How far before a load its page is looked for, and how far behind it the call.
_NEAR = 32
#: The registers of a stub for calls (AAELF64, "Program Linkage Table"), and how it may begin.
_STUB = (16, 17)
_BTI_C = 0xD503245F
#: The most stubs of one function that are looked at, and calls of them.
_MAX_STUBS, _MAX_CALLS = 8, 1000


def load_of(slot: int) -> Encoding:
    """Give the encoding of an instruction that loads a slot of the global offset table."""
    return Encoding("ldr", "", LOAD_MASK, 0xF9400000 | (slot & _PAGE) >> 3 << 10)


def calls(code: Code, loads: Iterable[tuple[int, int]], slots: Iterable[int]) -> list[int]:
    """Find the instructions that call functions whose addresses are in some slots.

    A call goes to a stub, which loads the address and jumps there, or loads it itself.

    Args:
        code: of the object.
        loads: addresses and words of instructions that may load one of the slots.
        slots: of the global offset table.
    """
    wanted, stubs, found = frozenset(slots), list[int](), list[int]()
    for address, word in loads:
        place = _loaded(code, address, word)
        if place is None or place not in wanted:
            continue
        if (word >> 5 & 31, word & 31) == _STUB:
            stubs.append(address - WORD)
            if code.word(address - 2 * WORD) == _BTI_C:
                stubs.append(address - 2 * WORD)
        else:
            found.append(_call_behind(code, address, word & 31))
    if stubs:
        found += islice(code.jumps_to(stubs[:_MAX_STUBS]), _MAX_CALLS)
    return found[:_MAX_CALLS]


def _loaded(code: Code, address: int, word: int) -> int | None:
    """Give the address that a load reads, if its page is set shortly before."""
    adrp = 0x90000000 | word >> 5 & 31
    for back, before in enumerate(reversed(code.before(address, _NEAR)), 1):
        if before & 0x9F00001F == adrp:
            return _page(before, address - back * WORD) + (word >> 10 & _PAGE) * 8
    return None


def _page(word: int, address: int) -> int:
    """Give the page that an `adrp` at an address names."""
    distance = (word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3
    if distance >> 20:
        distance -= 1 << 21
    return (address & ~_PAGE) + (distance << 12)


def _call_behind(code: Code, load: int, register: int) -> int:
    """Find the call of an address that was loaded to a register, else the load."""
    branches = {0xD63F0000 | register << 5, 0xD61F0000 | register << 5}
    behind: Iterator[int] = (
        load + at * WORD for at, word in enumerate(code.words(load, _NEAR)) if word in branches
    )
    return next(behind, load)
