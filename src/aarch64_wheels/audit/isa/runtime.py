"""What compilers' runtimes ask the processor for themselves, which excuses nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.audit.isa.search import jump_distance

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How many instructions behind a call its answer is followed.
_NEAR = 24
#: Bits of AT_HWCAP and AT_HWCAP2: HWCAP_ATOMICS, HWCAP2_SME.
_ATOMICS, _SME = 8, 23


def is_flag(answer: Sequence[int]) -> bool:
    """Whether a call's answer goes as one bit to one byte: the flag of outline atomics, or SME's.

    Other bits are a library's own flags. This is how libgcc's and compiler-rt's constructors go
    on behind their call of getauxval.
    """
    has_bit = False
    for word in answer[:_NEAR]:
        if word & 0x7F80FC00 in (0x53000000 | bit << 10 for bit in (_ATOMICS, _SME)):  # ubfx
            has_bit = word >> 16 & 63 in (_ATOMICS, _SME)
        elif word & 0xFFC00000 == 0x39000000:  # noqa: PLR2004 - strb
            return has_bit
        elif word == 0xD65F03C0 or word & 0xFC000000 in (0x94000000, 0x54000000):  # noqa: PLR2004
            break  # the return, a call, a condition
    return False


def hands_on(answer: Sequence[int]) -> int | None:
    """Tell how far behind a call its answer is handed on with the mark of a resolver, if it is.

    So do libgcc's and compiler-rt's constructors for versions of functions, which are linked in
    with outline atomics whether or not a function has versions. If one has, it is indirect.

    Returns:
        The distance of what it is handed to, in words.
    """
    marked = False
    for at, word in enumerate(answer[:_NEAR]):
        marked = marked or word & 0xFFFFFC00 == 0xB2420000  # noqa: PLR2004 - orr x, x, #1 << 62
        distance = jump_distance(word)
        if marked and distance is not None:
            return at + distance
    return None
