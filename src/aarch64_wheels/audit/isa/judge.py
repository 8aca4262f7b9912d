"""Which of the later instructions in an object run without asking the processor first."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from aarch64_wheels.audit.isa.guards import is_guarded
from aarch64_wheels.audit.isa.model import Hit
from aarch64_wheels.audit.isa.variants import names_variant

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from aarch64_wheels.audit.isa.code import Code
    from aarch64_wheels.audit.isa.functions import Functions

#: How many uses are named.
MAX_USES = 8
#: What compilers use wherever they may, without being asked: atomic operations.
_COMMON = frozenset({"FEAT_LSE", "FEAT_LRCPC", "FEAT_LRCPC2"})
#: In how many functions at least, and in which part of all, an object that asks the processor for
#: something uses these, if it was compiled for a later processor as a whole. Such builds have them
#: in every tenth function; variants that are chosen at run time, in less than every thousandth.
_LEAST, _PART = 10, 100


def suspects(code: Code, functions: Functions, hits: Sequence[Hit]) -> list[Hit]:
    """Choose what to suspect in an object that asks the processor: what is all over the object.

    For the rest it is trusted to choose by the answer.
    """
    using = defaultdict[str, set[int]](set)
    for hit in hits:
        starts = using[hit.feature]
        if hit.feature in _COMMON and hit.start not in starts and not _is_guarded(code, hit):
            starts.add(hit.start)
    least = max(_LEAST, functions.count // _PART)
    everywhere = {feature for feature, starts in using.items() if len(starts) >= least}
    return [hit for hit in hits if hit.feature in everywhere]


def unguarded(
    code: Code, functions: Functions, hits: Iterable[Hit], certain: Container[int]
) -> list[Hit]:
    """Choose the first few hits that nothing guards, the first of each function before others.

    Functions whose names say that they are variants for a processor are called by somebody's
    choice; not so what is certain to run.
    """
    firsts, others, variants = dict[int, Hit](), list[Hit](), dict[int, bool]()
    for hit in hits:
        if len(firsts) == MAX_USES:
            break
        if hit.start in firsts and len(others) == MAX_USES:
            continue
        if hit.address not in certain and hit.feature not in _COMMON:
            if hit.start not in variants:
                variants[hit.start] = names_variant(functions.name(hit.start))
            if variants[hit.start]:
                continue
        if not _is_guarded(code, hit):
            if hit.start in firsts:
                others.append(hit)
            else:
                firsts[hit.start] = hit
    return [*firsts.values(), *others][:MAX_USES]


def _is_guarded(code: Code, hit: Hit) -> bool:
    return is_guarded(code, hit.address, hit.feature, hit.start)
