"""The few facts of an ELF file that the audit's rules look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

if TYPE_CHECKING:
    from collections.abc import Iterable

MAGIC = b"\x7fELF"


@dataclass(frozen=True, kw_only=True)
class ElfFacts:
    """What an ELF header says, and the libraries the file asks for.

    `machine` and `kind` are the names of the ELF specification (`EM_AARCH64`, `ET_DYN`),
    or the number as text where the specification has no name for it.
    """

    machine: str
    bits: int
    little_endian: bool
    kind: str
    needed: tuple[str, ...]

    @classmethod
    def read(cls, stream: IO[bytes]) -> Self:
        """Read the facts from a seekable stream.

        Raises:
            ValueError: the file begins like ELF, but can't be read as such.
        """
        try:
            elf = ELFFile(stream)
            return cls(
                machine=str(elf.header["e_machine"]),
                bits=elf.elfclass,
                little_endian=elf.little_endian,
                kind=str(elf.header["e_type"]),
                needed=_needed(elf),
            )
        # pyelftools lets these through on headers that point outside the file.
        except (ELFError, KeyError, IndexError, TypeError, OverflowError, UnicodeError) as error:
            raise ValueError(str(error) or type(error).__name__) from error

    @property
    def is_aarch64(self) -> bool:
        """AArch64, 64 bits, little-endian: what Linux calls aarch64."""
        return self.machine == "EM_AARCH64" and self.bits == 64 and self.little_endian  # noqa: PLR2004

    @property
    def is_shared_object(self) -> bool:
        """A shared object (or a position-independent program, which looks the same)."""
        return self.kind == "ET_DYN"

    def describe(self) -> str:
        """Put the machine in words, for evidence."""
        order = "little" if self.little_endian else "big"
        return f"{self.machine}, {self.bits}-bit, {order}-endian"


def _needed(elf: ELFFile) -> tuple[str, ...]:
    names: list[str] = []
    for segment in elf.iter_segments():
        if isinstance(segment, DynamicSegment):
            # `needed` is set by name at run time, which pyelftools' types do not say.
            tags: Iterable[Any] = segment.iter_tags("DT_NEEDED")
            names.extend(str(tag.needed) for tag in tags)
    return tuple(names)
