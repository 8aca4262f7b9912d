"""Signs in an object that its code asks at run time what the processor can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from aarch64_wheels.audit.elf_format import SegmentType
from aarch64_wheels.audit.isa.calls import LOAD_MASK, calls, load_of
from aarch64_wheels.audit.isa.functions import INDIRECT
from aarch64_wheels.audit.isa.runtime import hands_on, is_flag
from aarch64_wheels.audit.isa.table import WORD, Encoding, Sieve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aarch64_wheels.audit.elf_image import ElfImage
    from aarch64_wheels.audit.isa.code import Code
    from aarch64_wheels.audit.isa.functions import Functions
    from aarch64_wheels.audit.isa.relocations import Relocations

_ASKING = frozenset({"getauxval", "__getauxval", "elf_aux_info"})
#: Entries of the auxiliary vector that tell of the processor: AT_HWCAP, and its continuations.
_HWCAPS = frozenset({16, 26, 29, 30})
#: Functions of libraries that answer for the processor's features.
_ANSWERING = frozenset({"__init_cpu_features_resolver", "cpuinfo_initialize", "cpuinfo_isa"})
_FILES = (b"/proc/cpuinfo", b"/proc/self/auxv")
#: The registers that identify the processor (`ID_AA64ISAR0_EL1` and its kin): a program may read
#: them, Linux answers in the processor's place.
_IDENTITY = Encoding("mrs", "", 0xFFFFF800, 0xD5380000)
#: How many instructions before a call its argument may be set.
_NEAR = 12
#: The most instructions that are taken note of.
_MOST = 1 << 16
#: How many behind it are looked at.
_FAR = 32


@dataclass
class Detection:
    """What is seen of detection in an object, and what is made of it.

    `see` is shown the words of code that `sieve` lets through; then `signs` tells.
    """

    image: ElfImage
    code: Code
    functions: Functions
    relocations: Relocations
    _reads: list[int] = field(default_factory=list)
    _loads: list[tuple[int, int]] = field(default_factory=list)

    @cached_property
    def sieve(self) -> Sieve:
        """What words of code are to be seen."""
        return Sieve.of([[_IDENTITY], [load_of(slot) for slot in self._slots]])

    def see(self, address: int, word: int) -> None:
        """Take note of a word of code."""
        if _IDENTITY.fits(word) and len(self._reads) < _MOST:
            self._reads.append(address)
        elif word & LOAD_MASK in self._patterns and len(self._loads) < _MOST:
            self._loads.append((address, word))

    def signs(self) -> tuple[str, ...]:
        """Give the signs, in words."""
        return (*self._asked(), *self._read(), *self._indirect(), *self._named())

    @cached_property
    def _slots(self) -> list[int]:
        """Where addresses of functions that can be asked are kept."""
        symbols = [row.index for row in self.image.symbols if row.name in _ASKING]
        return [slot for index in symbols[: len(_ASKING)] for slot in self.relocations.slots(index)]

    @cached_property
    def _patterns(self) -> frozenset[int]:
        return frozenset(load_of(slot).value for slot in self._slots)

    @cached_property
    def _calls(self) -> list[int]:
        return calls(self.code, self._loads, self._slots) if self._loads else []

    @cached_property
    def _readers(self) -> set[int]:
        """The runtime's readers of all features, by where they begin."""
        found = ((call, hands_on(self._answer(call))) for call in self._calls)
        return {
            self.functions.start(call + WORD + distance * WORD)
            for call, distance in found
            if distance is not None
        }

    def _asked(self) -> Iterator[str]:
        found = {
            self.functions.start(call)
            for call in self._calls
            if self._asks(call)
            and not is_flag(self._answer(call))
            and hands_on(self._answer(call)) is None
        }
        if found:
            yield f"calls getauxval in {_functions(len(found))}"
        imports = {row.name for row in self.image.symbols if not row.section}
        yield from (f"calls {name}" for name in sorted(imports & _ANSWERING))

    def _asks(self, call: int) -> bool:
        """Whether a call asks for features: others are for the size of a page, or randomness."""
        start = self.functions.start(call)
        for word in reversed(self.code.before(call, min(_NEAR, (call - start) // WORD))):
            if word & 0x7FE0001F == 0x52800000:  # noqa: PLR2004 - mov w0, or x0
                return word >> 5 & 0xFFFF in _HWCAPS
        return True

    def _answer(self, call: int) -> Sequence[int]:
        """Read the instructions behind a call, up to the end of its function."""
        _, end, inside = self.functions.stretch(call)
        count = (end - call) // WORD - 1 if inside else _FAR
        return self.code.words(call + WORD, min(count, _FAR))

    def _read(self) -> Iterator[str]:
        inside = {self.functions.start(at) for at in self._reads if self.functions.stretch(at)[2]}
        if inside - self._readers:
            yield f"reads identification registers in {_functions(len(inside - self._readers))}"

    def _indirect(self) -> Iterator[str]:
        symbols = any(row.kind == INDIRECT and row.section for row in self.image.symbols)
        if symbols or self.relocations.has_indirect:
            yield "has indirect functions"

    def _named(self) -> Iterator[str]:
        for name in _FILES:
            if self.image.data.find(name) >= 0 and any(
                segment.kind == SegmentType.LOAD
                and self.image.data.find(name, segment.offset, segment.offset + segment.size) >= 0
                for segment in self.image.segments
            ):
                yield f"names {name.decode()}"


def _functions(number: int) -> str:
    return "1 function" if number == 1 else f"{number} functions"
