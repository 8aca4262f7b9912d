"""Uses of later instructions that are guarded on the spot, as compilers' runtimes do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.audit.isa.table import WORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aarch64_wheels.audit.isa.code import Code

_ATOMICS = frozenset({"FEAT_LSE", "FEAT_LSE128"})
_MATRICES = frozenset({"FEAT_SME", "FEAT_SVE"})
#: How far before an instruction its guard may be, in instructions, and how far into a function.
_NEAR, _FIRST = 16, 8
#: How much of a function is looked at for the unwinder's question.
_FUNCTION = 1024
_CHKFEAT = 0xD503251F


def is_guarded(code: Code, address: int, feature: str, start: int) -> bool:
    """Whether an instruction is guarded where it stands, whatever else its object does.

    Args:
        code: of the object.
        address: where the instruction is.
        feature: what it belongs to.
        start: where its function begins.
    """
    if feature in _ATOMICS:
        return tests_flag(_before(code, address, start))
    if feature == "FEAT_GCS":
        return _CHKFEAT in _before(code, address, start)
    if feature in _MATRICES:
        count = min(_FIRST, (address - start) // WORD + 1)
        return _is_of_sme(code.words(start, count)) or _is_of_unwinder(code, address, start)
    return feature == "FEAT_MTE" and _is_of_unwinder(code, address, start)


def tests_flag(words: Iterable[int]) -> bool:
    """Whether instructions load a byte of the object's own and branch on it.

    That is how outline atomics begin, libgcc's, compiler-rt's and Go's: `adrp`, `ldrb`, `cbz`.
    """
    pages, loaded = set[int](), set[int]()
    for word in words:
        if word & 0x9F000000 == 0x90000000:  # noqa: PLR2004 - adrp
            pages.add(word & 31)
        elif word & 0xFFC00000 == 0x39400000 and word >> 5 & 31 in pages:  # noqa: PLR2004 - ldrb
            loaded.add(word & 31)
        elif word & 0x7C000000 == 0x34000000 and word & 31 in loaded:  # noqa: PLR2004
            return True  # cbz, cbnz, tbz or tbnz
    return False


def _before(code: Code, address: int, start: int) -> Sequence[int]:
    return code.before(address, min(_NEAR, max(address - start, 0) // WORD))


def _is_of_sme(words: Sequence[int]) -> bool:
    """Whether a function begins as the support routines for SME do (AAPCS64).

    They test a flag, as outline atomics; but `__arm_tpidr2_restore`, which only code that uses SME
    may call, reads TPIDR2_EL0 at once.
    """
    return tests_flag(words) or any(word & ~31 == 0xD53BD0A0 for word in words[:2])  # noqa: PLR2004


def _is_of_unwinder(code: Code, address: int, start: int) -> bool:
    """Whether it is libgcc's unwinder that reads the length of vectors, or tags memory.

    It does so for frames that say they have vectors or tags, which only code with SVE or MTE does.
    It is known by its question for register 46 (AADWARF64: VG).
    """
    word = code.word(address) or 0
    if word & ~31 not in (0x04E0E3E0, 0xD9200800 | (word & 31) << 5):  # cntd x, stg x, [x]
        return False
    return any(word & ~0x3E0 == 0x7100B81F for word in code.words(start, _FUNCTION))  # noqa: PLR2004
