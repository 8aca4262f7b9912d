"""Objects for AArch64 with code of known instructions, made in memory."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from aarch64_wheels.audit.elf_image import ElfImage
from tests.unit.audit_samples import Strings

RET, NOP, BRANCH, BTI_C = 0xD65F03C0, 0xD503201F, 0x54000060, 0xD503245F
CNTD, WHILELO, LDADD, CRC32B, TPIDR2 = 0x04E0E3E0, 0x25A20FE0, 0xB8200041, 0x1AC54083, 0xD53BD0AE
#: An outline atomic's guard: `adrp x16`, `ldrb w16, [x16, #16]`, `cbz w16`.
FLAG = (0x90000010, 0x39404210, 0x34000090)
#: `mov x0, #…` of entries of the auxiliary vector.
HWCAP, HWCAP2, PAGE_SIZE = 0xD2800200, 0xD2800340, 0xD28000C0
#: `ubfx x0, x0, #…, #1`, then `adrp x1` and `strb w0, [x1, #16]`.
ATOMICS_BIT, CRC32_BIT, SME_BIT = 0xD3482000, 0xD3471C00, 0xD3575C00
KEEP = (0x90000001, 0x39004020)
#: `mrs x0, ID_AA64ISAR0_EL1`, and `orr x0, x0, #1 << 62`.
IDENTITY, RESOLVE = 0xD5380600, 0xB2420000

TEXT = 0x1000
_CALL, _JUMP = 0x94000000, 0x14000000
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")


@dataclass(frozen=True)
class Call:
    """A call of a function, of the object or another one.

    `how` is `call` or `jump`, through a stub if it is another object's, or `load`: an `ldr` of its
    address out of the slot, behind which the `blr` must follow. An `adrp` belongs before that.
    """

    name: str
    how: str = "call"


@dataclass(frozen=True)
class Page:
    """An `adrp x16` of a slot's page."""

    name: str


Words = tuple[int | Call | Page, ...]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """An object.

    Attributes:
        functions: words by name, in order; a name in brackets is of words outside of functions.
        imports: functions of other objects, each with a slot and a stub.
        initial: functions that run at loading.
        indirect: functions whose symbols are of that type.
        texts: what its data says.
        marks: symbols such as `$d` in `.symtab`, by address.
        known_by: `frames` (tables for unwinding), `symbols`, or `nothing`.
        has_sections: whether there are section headers.
    """

    functions: dict[str, Words]
    imports: tuple[str, ...] = ()
    initial: tuple[str, ...] = ()
    indirect: tuple[str, ...] = ()
    texts: bytes = b""
    marks: tuple[tuple[int, str], ...] = ()
    known_by: str = "symbols"
    has_sections: bool = True

    def address(self, name: str) -> int:
        """Where a function is."""
        before = list(self.functions)[: list(self.functions).index(name)]
        return TEXT + 4 * sum(len(self.functions[one]) for one in before)

    def image(self) -> ElfImage:
        return ElfImage(self.to_bytes())

    def to_bytes(self) -> bytes:
        return _Layout(self).to_bytes()


@dataclass
class _Layout:
    """An object as it is laid out: addresses are offsets in the file."""

    sample: Sample
    data: bytearray = field(default_factory=lambda: bytearray(TEXT))

    def __post_init__(self) -> None:
        self.size = 4 * sum(map(len, self.sample.functions.values()))
        self.stubs = TEXT + -(-self.size // 16) * 16
        self.slots = (self.stubs + 16 * len(self.sample.imports) + 0xFFF) & ~0xFFF
        self.own = [name for name in self.sample.functions if not name.startswith("(")]

    def to_bytes(self) -> bytes:
        self._put(self._code(), TEXT)
        self._put(b"".join(map(self._stub, self.sample.imports)), self.stubs)
        self._put(bytes(8 * len(self.sample.imports)), self.slots)
        strings = Strings()
        symbols, names = self._put(self._symbols(strings)), self._put(strings.data)
        starts = self._put(struct.pack(f"<{len(self.sample.initial)}Q", *self._initial()))
        relocations = self._put(b"".join(self._relocations()))
        self._put(self.sample.texts)
        dynamic = self._put(
            struct.pack(
                "<20Q",
                *(5, names, 6, symbols, 10, len(strings.data)),
                *(7, relocations, 8, len(self.data) - relocations, 23, relocations),
                *(2, 24 * len(self.sample.imports), 25, starts, 27, 8 * len(self.sample.initial)),
                *(0, 0),
            )
        )
        frames = self._frames() if self.sample.known_by == "frames" else 0
        headers = self._sections(symbols, names) if self.sample.has_sections else b""
        self._put(self._header(self._put(headers), len(headers) // 64, dynamic, frames), 0)
        return bytes(self.data)

    def _put(self, data: bytes, at: int | None = None) -> int:
        start = -(-len(self.data) // 16) * 16 if at is None else at
        self.data.extend(bytes(max(0, start + len(data) - len(self.data))))
        self.data[start : start + len(data)] = data
        return start

    def _code(self) -> bytes:
        words = [word for words in self.sample.functions.values() for word in words]
        return b"".join(
            struct.pack("<I", word if isinstance(word, int) else self._word(word, TEXT + 4 * at))
            for at, word in enumerate(words)
        )

    def _word(self, word: Call | Page, at: int) -> int:
        if isinstance(word, Page):
            return _adrp(at, self._slot(word.name))
        if word.how == "load":
            return 0xF9400210 | (self._slot(word.name) & 0xFFF) >> 3 << 10
        target = (
            self.stubs + 16 * self.sample.imports.index(word.name)
            if word.name in self.sample.imports
            else self.sample.address(word.name)
        )
        return (_CALL if word.how == "call" else _JUMP) | (target - at) >> 2 & 0x3FFFFFF

    def _slot(self, name: str) -> int:
        return self.slots + 8 * self.sample.imports.index(name)

    def _stub(self, name: str) -> bytes:
        at = self.stubs + 16 * self.sample.imports.index(name)
        low = self._slot(name) & 0xFFF
        words = (_adrp(at, self._slot(name)), 0xF9400211 | low >> 3 << 10, NOP, 0xD61F0220)
        return struct.pack("<4I", *words)

    def _symbols(self, strings: Strings) -> bytes:
        known = self.sample.known_by == "symbols"
        rows = [
            (
                strings.add(name),
                0x10 | (10 if name in self.sample.indirect else 2),
                self.sample.address(name),
                4 * len(self.sample.functions[name]) if known else 0,
            )
            for name in self.own
        ]
        own = b"".join(_SYMBOL.pack(name, info, 0, 1, at, size) for name, info, at, size in rows)
        others = (_SYMBOL.pack(strings.add(name), 0x12, 0, 0, 0, 0) for name in self.sample.imports)
        return bytes(24) + own + b"".join(others)

    def _initial(self) -> list[int]:
        return [self.sample.address(name) for name in self.sample.initial]

    def _relocations(self) -> list[bytes]:
        first = 1 + len(self.own)
        return [
            _RELOCATION.pack(self._slot(name), first + at << 32 | 1026, 0)
            for at, name in enumerate(self.sample.imports)
        ]

    def _frames(self) -> int:
        common = struct.pack("<IIB", 20, 0, 1) + b"zR\0\x04\x78\x1e\x01\x1b" + bytes(7)
        start = self._put(common)
        rows = []
        for name in self.own:
            at = len(self.data)
            size = 4 * len(self.sample.functions[name])
            place = self.sample.address(name) - (at + 8)
            self.data += struct.pack("<IIiI8x", 20, at + 4 - start, place, size)
            rows.append((self.sample.address(name), at))
        table = -(-len(self.data) // 16) * 16
        pairs = b"".join(struct.pack("<ii", at - table, entry - table) for at, entry in rows)
        return self._put(struct.pack("<4BiI", 1, 0x1B, 3, 0x3B, 0, len(rows)) + pairs)

    def _sections(self, symbols: int, names: int) -> bytes:
        strings = Strings()
        rows = [_SYMBOL.pack(strings.add(name), 0, 0, 3, at, 0) for at, name in self.sample.marks]
        all_symbols, all_names = self._put(b"".join(rows)), self._put(strings.data)
        count = 24 * (1 + len(self.own) + len(self.sample.imports))
        return bytes(64) + b"".join(
            struct.pack("<IIQQQQIIQQ", 0, kind, flags, at, at, size, link, 0, 8, 24)
            for kind, flags, at, size, link in (
                (11, 2, symbols, count, 2),
                (3, 2, names, len(self.data) - names, 0),
                (1, 6, TEXT, self.size, 0),
                (1, 6, self.stubs, 16 * len(self.sample.imports), 0),
                (2, 0, all_symbols, 24 * len(rows), 6),
                (3, 0, all_names, len(strings.data), 0),
            )
        )

    def _header(self, sections: int, count: int, dynamic: int, frames: int) -> bytes:
        segments = (
            (1, 5, 0, len(self.data)),
            (2, 6, dynamic, 160),
            (0x6474E550 if frames else 0, 4, frames, len(self.data) - frames),
        )
        head = struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0, 64, sections, 0, 64, 56, 3, 64, count, 0)
        return (
            b"\x7fELF\x02\x01\x01"
            + bytes(9)
            + head
            + b"".join(
                struct.pack("<IIQQQQQQ", kind, flags, at, at, at, size, size, 16)
                for kind, flags, at, size in segments
            )
        )


def _adrp(at: int, target: int) -> int:
    pages = (target >> 12) - (at >> 12)
    return 0x90000010 | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
