"""Where an illegal instruction is: file, function and instruction, from what the process told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from aarch64_wheels.audit.elf_format import SegmentType
from aarch64_wheels.audit.isa import instruction_at
from aarch64_wheels.stages.job import TESTS
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from aarch64_wheels.audit.elf_image import ElfImage
    from aarch64_wheels.audit.isa import Use
    from aarch64_wheels.audit.run.extensions import Importable
    from aarch64_wheels.audit.run.outcome import Outcome

#: Where a wheel is installed.
ENVIRONMENT = TESTS / "environment"
#: What an installer puts there, beside site-packages (PEP 427).
_DATA = re.compile(r"[^/]+\.data/data/")


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place of an instruction.

    Attributes:
        file: the wheel's member, empty if it is in another file or nobody knows.
        object: the file in the container, empty if nobody knows.
        function: what it belongs to, empty if nobody knows. words: the instruction, for people.
        gives_up: the instruction is one that is never defined (`udf`): compilers put it where code
            must not get to.
    """

    file: str
    object: str
    function: str
    words: str
    gives_up: bool = False

    @property
    def is_foreign(self) -> bool:
        """It is known, and in a file that the wheel has not brought."""
        return bool(self.object and not self.file)

    @classmethod
    def of(cls, outcome: Outcome, wheel: Importable) -> Self:
        """Find out what there is to know."""
        if outcome.state != "illegal" or not outcome.word:
            return cls(file="", object="", function="", words="it is not known which instruction")
        word, object_ = _word(outcome.word), one_line(outcome.object)
        member = _member(outcome, wheel)
        address, use = _find(wheel, member, outcome.offset) if member else (None, None)
        where = _where(outcome, object_, member)
        return cls(
            file=member,
            object=object_,
            function=one_line(use.function) if use else "",
            words=_named(use, address) or f"the instruction {word:#010x}{where}",
            gives_up=word >> 16 == 0,
        )


def _member(outcome: Outcome, wheel: Importable) -> str:
    """Find the wheel's member that a file was installed from, empty if it is of elsewhere."""
    if outcome.below:
        return wheel.installed.get(outcome.below, "")
    below = outcome.object.removeprefix(f"{ENVIRONMENT}/")
    data = (row for row in wheel.installed.values() if _DATA.match(row))
    return next((row for row in data if _DATA.sub("", row, count=1) == below), "")


def _where(outcome: Outcome, object_: str, member: str) -> str:
    if not object_:
        return " in memory that is no file's"
    return f" at offset {outcome.offset:#x}" + (
        "" if member else f" of {object_}, not of the wheel"
    )


def _find(wheel: Importable, member: str, offset: int) -> tuple[int | None, Use | None]:
    """Find the address in memory of a place in a file, and what is there."""
    try:
        with wheel.image(member) as image:
            address = _address_of(image, offset)
            return address, None if address is None else instruction_at(image, address)
    except ValueError:
        return None, None


def _address_of(image: ElfImage, offset: int) -> int | None:
    """Find the address in memory, from the object's base, of a byte of the file."""
    for segment in image.segments:
        if segment.kind == SegmentType.LOAD and 0 <= offset - segment.offset < segment.size:
            return segment.address + offset - segment.offset
    return None


def _named(use: Use | None, address: int | None) -> str:
    if use is None or address is None:
        return ""
    feature = f" ({use.feature})" if use.feature else ""
    return one_line(f"{use.instruction}{feature} at {address:#x}")


def _word(text: str) -> int:
    """Read an instruction's bytes, which are in memory's order."""
    try:
        return int.from_bytes(bytes.fromhex(text)[:4], "little")
    except ValueError:
        return -1
