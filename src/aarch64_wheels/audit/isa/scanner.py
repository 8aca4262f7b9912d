"""The scan itself: find later instructions and detection, judge what is left, put it in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.audit.isa.code import Code
from aarch64_wheels.audit.isa.detection import Detection
from aarch64_wheels.audit.isa.entries import run_at_import
from aarch64_wheels.audit.isa.functions import Functions
from aarch64_wheels.audit.isa.judge import judge, suspects
from aarch64_wheels.audit.isa.model import Hit, LaterCode, Use
from aarch64_wheels.audit.isa.relocations import Relocations
from aarch64_wheels.audit.isa.table import WORD, Encoding, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aarch64_wheels.audit.elf_image import ElfImage

#: The most later instructions that are looked at one by one; the largest library known has half
#: as many.
_MAX_HITS = 1 << 20


def scan(image: ElfImage) -> LaterCode:
    """Look for instructions above ARMv8.0 in an object for AArch64."""
    code = Code.of(image)
    functions, relocations = Functions(image, code), Relocations(image)
    detection = Detection(image, code, functions, relocations)
    features, hits = set[str](), list[Hit]()
    for hit in _hits(code, functions, detection):
        features.add(hit.feature)
        if len(hits) < _MAX_HITS:
            hits.append(hit)
    signs = detection.signs()
    certain = run_at_import(image, code, relocations) if hits else set[int]()
    if signs:
        loaded = [hit for hit in hits if hit.address in certain]
        rest = [hit for hit in hits if hit.address not in certain]
        hits = [*loaded, *suspects(code, functions, rest)]
    plain, named = judge(code, functions, hits, certain)
    return LaterCode(
        features=tuple(sorted(features)),
        detection=signs,
        unguarded=_uses(functions, plain.hits),
        named=_uses(functions, named.hits),
    )


def instruction_at(image: ElfImage, address: int) -> Use | None:
    """Tell what instruction is at an address; None where there is no code."""
    code = Code.of(image)
    word = code.word(address)
    if word is None:
        return None
    return _use(Functions(image, code), address, word, table().find(word))


def _hits(code: Code, functions: Functions, detection: Detection) -> Iterator[Hit]:
    """Find the later instructions in functions, in order; show detection what else it wants."""
    encodings = table()
    start, end, inside = 0, 0, False
    for address, word in code.sift((*encodings.sieves, detection.sieve)):
        encoding = encodings.find(word)
        if encoding is None:
            detection.see(address, word)
            continue
        if not start <= address < end:
            start, end, inside = functions.stretch(address)
        if inside and not functions.is_data(address):
            yield Hit(address, word, encoding, start)


def _uses(functions: Functions, hits: Iterable[Hit]) -> tuple[Use, ...]:
    return tuple(_use(functions, hit.address, hit.word, hit.encoding) for hit in hits)


def _use(functions: Functions, address: int, word: int, encoding: Encoding | None) -> Use:
    return Use(
        address=address,
        function=functions.name(address),
        instruction=_text(address, word, encoding),
        feature=encoding.feature if encoding else "",
    )


def _text(address: int, word: int, encoding: Encoding | None) -> str:
    """Write an instruction as assembler, or what is known of it."""
    import capstone  # for what is found alone: most wheels have nothing

    reader = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    for _, _, mnemonic, operands in reader.disasm_lite(word.to_bytes(WORD, "little"), address, 1):
        return f"{mnemonic} {operands}".strip()
    return f"{encoding.name if encoding else '.inst'} {word:#010x}"
