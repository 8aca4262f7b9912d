"""Whether code runs on every aarch64 processor: ARMv8.0-A is what the tags promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.isa import Use
    from aarch64_wheels.audit.model import Finding


def baseline(content: WheelContent) -> Iterator[Finding]:
    """Find later instructions that run without asking the processor for them.

    An object that does not ask may be one that is loaded only after another one has asked. Whether
    it is cannot be seen, so that is a warning. Grafted libraries ask for themselves alone. A name
    such as `dot_sve` promises that somebody asks; that is a warning only if nobody does.
    """
    askers = [name for name in content.objects if _asks(content, name)]
    for name, facts in content.objects.items():
        others = askers if not facts.code.detection else []
        if facts.code.unguarded:
            more = f"; {others[0]} asks, perhaps for it" if others else ""
            level = Level.WARNING if others else None
            yield _found(name, facts.code.unguarded, more, level)
        if facts.code.named and not askers and not facts.code.detection:
            more = "; its name says that somebody asks first; nothing in the object does"
            yield _found(name, facts.code.named, more, Level.WARNING)


def _found(name: str, uses: Sequence[Use], more: str, level: Level | None) -> Finding:
    first = uses[0]
    where = f"{first.instruction} at {first.address:#x} in {first.function}"
    return found(
        "cpu-baseline",
        f"{name} uses {first.feature} without asking the processor",
        evidence=f"{where}{_more(uses)}{more}",
        file=name,
        section=".text",
        symbol=first.function,
        level=level,
    )


def _asks(content: WheelContent, name: str) -> bool:
    return bool(content.objects[name].code.detection) and name not in content.grafted


def _more(uses: Sequence[Use]) -> str:
    """Name what else is used in the same way."""
    first, *rest = uses
    others = sorted({use.feature for use in rest} - {first.feature})
    where = list(dict.fromkeys(use.function for use in rest if use.function != first.function))
    more = [*others, *(f"in {name}" for name in where[:3])]
    return f"; also {', '.join(more)}" if more else ""
