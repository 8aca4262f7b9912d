"""Which of the later instructions in an object run without asking the processor first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aarch64_wheels.audit.isa.guards import is_guarded
from aarch64_wheels.audit.isa.variants import names_variant

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from aarch64_wheels.audit.isa.code import Code
    from aarch64_wheels.audit.isa.functions import Functions
    from aarch64_wheels.audit.isa.model import Hit

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


@dataclass(frozen=True)
class Chosen:
    """The first few hits, the first of each function before others."""

    firsts: dict[int, Hit] = field(default_factory=dict)
    others: list[Hit] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether there are as many functions as are named."""
        return len(self.firsts) == MAX_USES

    def wants(self, hit: Hit) -> bool:
        """Whether a hit may yet be among what is named."""
        return len(self.others) < MAX_USES if hit.start in self.firsts else not self.is_full

    def add(self, hit: Hit) -> None:
        """Take a hit."""
        if hit.start in self.firsts:
            self.others.append(hit)
        else:
            self.firsts[hit.start] = hit

    @property
    def hits(self) -> list[Hit]:
        """What is named."""
        return [*self.firsts.values(), *self.others][:MAX_USES]


def judge(
    code: Code, functions: Functions, hits: Iterable[Hit], certain: Container[int]
) -> tuple[Chosen, Chosen]:
    """Choose from the hits that nothing guards: those of all code, and those excused by a name.

    Functions whose names say that they are variants for a processor are called by somebody's
    choice; not so what is certain to run.
    """
    plain, named, variants = Chosen(), Chosen(), dict[int, bool]()
    for hit in hits:
        if plain.is_full:
            break
        chosen = plain
        if hit.address not in certain and hit.feature not in _COMMON:
            if hit.start not in variants:
                variants[hit.start] = names_variant(functions.name(hit.start))
            chosen = named if variants[hit.start] else plain
        if chosen.wants(hit) and not _is_guarded(code, hit):
            chosen.add(hit)
    return plain, named


def _is_guarded(code: Code, hit: Hit) -> bool:
    return is_guarded(code, hit.address, hit.feature, hit.start)
