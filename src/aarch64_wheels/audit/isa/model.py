"""What a scan tells of an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aarch64_wheels.audit.isa.table import Encoding


@dataclass(frozen=True, kw_only=True)
class Use:
    """One instruction.

    Attributes:
        address: in the object's memory, as its headers lay it out.
        function: the name of the function it is in, or where that begins.
        instruction: as assembler.
        feature: the feature of the architecture it belongs to, empty for ARMv8.0.
    """

    address: int
    function: str
    instruction: str
    feature: str


@dataclass(frozen=True, kw_only=True)
class LaterCode:
    """What an object has above ARMv8.0.

    Attributes:
        features: of all its later instructions, guarded or not, sorted.
        detection: how it finds out at run time what the processor can do, empty if it does not.
        unguarded: the first few uses that run without asking, of different functions first.
        named: the same of functions whose names say that they are variants for later processors,
            so that somebody may ask before calling them.
    """

    features: tuple[str, ...]
    detection: tuple[str, ...]
    unguarded: tuple[Use, ...]
    named: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A later instruction that was found, and the start of the function it is in."""

    address: int
    word: int
    encoding: Encoding
    start: int

    @property
    def feature(self) -> str:
        """The feature it belongs to."""
        return self.encoding.feature
