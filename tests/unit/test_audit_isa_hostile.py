"""Files that lie to the scan for later instructions: it ends soon, and raises nothing."""

from __future__ import annotations

import random
import struct
import time
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit.elf_image import ElfImage
from aarch64_wheels.audit.isa import instruction_at, scan
from tests.unit.isa_samples import (
    ATOMICS_BIT,
    CNTD,
    FLAG,
    HWCAP,
    KEEP,
    LDADD,
    NOP,
    RET,
    TEXT,
    WHILELO,
    Call,
    Sample,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Callable

#: What a scan of a small file may take, in seconds, on a busy machine.
SOON = 4.0
SEEDS, CASES = 4, 100
E_SHOFF, E_SHNUM = 40, 60
#: Numbers that lies are made of.
VALUES = (0, 1, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 31, 1 << 40, 1 << 63, (1 << 64) - 1)


def _sample(known_by: str, *, asks: bool) -> bytes:
    functions: dict[str, Words] = {
        "ask": (HWCAP, Call("getauxval"), *(() if asks else (ATOMICS_BIT, *KEEP)), RET),
        "helper": (*FLAG, LDADD, RET),
        "compute": (NOP, WHILELO, RET),
        "PyInit_fast": (Call("compute"), RET),
    }
    return Sample(
        functions=functions,
        imports=("getauxval",),
        initial=("ask",),
        marks=((TEXT, "$x"), (TEXT + 8, "$d")),
        known_by=known_by,
    ).to_bytes()


SAMPLES = [
    _sample(known_by, asks=asks)
    for known_by in ("symbols", "frames", "nothing")
    for asks in (True, False)
]


def _mutated(chance: random.Random) -> bytes:
    """Change a few bytes of a sample, mostly numbers in its tables."""
    data = bytearray(chance.choice(SAMPLES))
    (tables,) = struct.unpack_from("<Q", data, E_SHOFF)
    for _ in range(chance.randrange(1, 12)):
        low, high = chance.choice(((0, 232), (TEXT, len(data)), (tables, len(data))))
        size = chance.choice((1, 2, 4, 8))
        at = chance.randrange(low, high) // size * size
        value = chance.choice((*VALUES, chance.randrange(len(data)), chance.getrandbits(64)))
        data[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    cut = chance.randrange(64, len(data))
    return bytes(data[: chance.choice((len(data), len(data), cut))])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_mutated_files(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - cases, not secrets
    scanned = 0
    for _ in range(CASES):
        try:
            image = ElfImage(_mutated(chance))
        except ValueError:
            continue
        if image.is_readable:
            scanned += 1
            assert len(scan(image).unguarded) <= 8
            instruction_at(image, chance.choice((TEXT, *VALUES)))
    assert scanned > CASES // 2


def _thousands_of_sections() -> bytes:
    """Give sections that all name the same bytes, at thousands of addresses."""
    data = bytearray(_sample("symbols", asks=True))
    struct.pack_into("<Q", data, E_SHOFF, len(data))
    struct.pack_into("<H", data, E_SHNUM, 60000)
    size = len(data)
    row = struct.Struct("<IIQQQQIIQQ")
    rows = (row.pack(0, 1, 6, at * size, 0, size, 0, 0, 4, 0) for at in range(60000))
    return bytes(data) + b"".join(rows)


def _one_long_function(word: int) -> Callable[[], bytes]:
    def make() -> bytes:
        functions: dict[str, Words] = {
            "ask": (HWCAP, Call("getauxval"), RET),
            "PyInit_fast": (word,) * 100_000,
        }
        return Sample(
            functions=functions, imports=("getauxval",), initial=("PyInit_fast",) * 3000
        ).to_bytes()

    return make


def _endless_calls() -> bytes:
    functions: dict[str, Words] = {
        f"f{at}": (CNTD, Call(f"f{(at + 1) % 3000}"), Call(f"f{at // 2}"), RET)
        for at in range(3000)
    }
    return Sample(functions=functions, initial=tuple(functions), texts=b"/proc/cpuinfo").to_bytes()


def _calls_all_over() -> bytes:
    calls: Words = (HWCAP, Call("getauxval")) * 50_000
    return Sample(
        functions={"ask": calls, "compute": (CNTD, RET)}, imports=("getauxval",) * 2
    ).to_bytes()


def _functions_in_functions() -> bytes:
    functions: dict[str, Words] = {f"f{at}": (CNTD,) for at in range(2000)}
    data = Sample(functions=functions).to_bytes()
    own = struct.pack("<Q", 4)
    return data.replace(own, struct.pack("<Q", 1 << 62))


HOSTILE: dict[str, Callable[[], bytes]] = {
    "thousands-of-sections": _thousands_of_sections,
    "later-all-over": _one_long_function(CNTD),
    "atomics-all-over": _one_long_function(LDADD),
    "endless-calls": _endless_calls,
    "calls-all-over": _calls_all_over,
    "functions-in-functions": _functions_in_functions,
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_would_keep_a_scan_busy(make: Callable[[], bytes]) -> None:
    image = ElfImage(make())
    started = time.perf_counter()
    result = scan(image)
    assert time.perf_counter() - started < SOON
    assert result.features
