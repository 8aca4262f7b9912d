"""Whether code runs on every aarch64 processor: ARMv8.0-A is what the tags promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.elf import ElfFacts
    from aarch64_wheels.audit.model import Finding


def baseline(content: WheelContent) -> Iterator[Finding]:
    """Find later instructions that run without asking the processor for them.

    An object that does not ask may be one that is loaded only after another one has asked. Whether
    it is cannot be seen, so that is a warning. Grafted libraries ask for themselves alone.
    """
    askers = [name for name in content.objects if _asks(content, name)]
    for name, facts in content.objects.items():
        others = askers if not facts.code.detection else []
        for use in facts.code.unguarded[:1]:
            more = f"; {others[0]} asks, perhaps for it" if others else ""
            where = f"{use.instruction} at {use.address:#x} in {use.function}"
            yield found(
                "cpu-baseline",
                f"{name} uses {use.feature} without asking the processor",
                evidence=f"{where}{_more(facts)}{more}",
                file=name,
                section=".text",
                symbol=use.function,
                level=Level.WARNING if others else None,
            )


def _asks(content: WheelContent, name: str) -> bool:
    return bool(content.objects[name].code.detection) and name not in content.grafted


def _more(facts: ElfFacts) -> str:
    """Name what else is used in the same way."""
    first, *rest = facts.code.unguarded
    others = sorted({use.feature for use in rest} - {first.feature})
    where = list(dict.fromkeys(use.function for use in rest if use.function != first.function))
    more = [*others, *(f"in {name}" for name in where[:3])]
    return f"; also {', '.join(more)}" if more else ""
