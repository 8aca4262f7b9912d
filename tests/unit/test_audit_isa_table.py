"""What single words of code are, and that searches of whole pieces of code miss none of them."""

from __future__ import annotations

import random
import struct
import time

import pytest

from aarch64_wheels.audit.isa.search import jumps, numbers, sifted
from aarch64_wheels.audit.isa.table import Encoding, Sieve, table
from tests.unit.isa_words import BASE, LATER

#: A piece of code that is of ARMv8.0 all over, in words.
PIECE = [word for word, _ in BASE] * 8


@pytest.mark.parametrize(
    ("feature", "word"), [row[:2] for row in LATER], ids=[row[2] for row in LATER]
)
def test_a_later_instruction(feature: str, word: int) -> None:
    encoding = table().find(word)
    assert encoding is not None
    assert encoding.feature == feature
    for at in (0, 7, len(PIECE)):
        code = [*PIECE[:at], word, *PIECE[at:]]
        assert 4 * at in set(sifted(struct.pack(f"<{len(code)}I", *code), table().sieves))


@pytest.mark.parametrize("word", [row[0] for row in BASE], ids=[row[1] for row in BASE])
def test_an_instruction_of_armv8_0(word: int) -> None:
    assert table().find(word) is None


def test_every_feature_has_an_example() -> None:
    assert {row.feature for row in table().rows if row.feature} - {row[0] for row in LATER} == {
        "FEAT_CSV2_2",
        "FEAT_F16F32DOT",
        "FEAT_F16F32MM",
        "FEAT_F16MM",
        "FEAT_F8F16MM",
        "FEAT_F8F32MM",
        "FEAT_FPMR",
        "FEAT_S1POE",
        "FEAT_TEV",
    }


def test_a_sieve_lets_through_all_that_an_encoding_allows() -> None:
    chance = random.Random(8)  # noqa: S311 - words, not secrets
    for row in table().rows:
        words = [chance.getrandbits(32) & ~row.mask | row.value for _ in range(20)]
        found = sifted(struct.pack("<20I", *words), table().sieves)
        expected = {at * 4 for at, word in enumerate(words) if table().find(word)}
        assert expected <= set(found), row.name


def test_encodings_of_as_many_fixed_bits_do_not_overlap() -> None:
    rows = [(row, row.mask.bit_count()) for row in table().rows]
    both = [
        (one.name, other.name)
        for at, (one, bits) in enumerate(rows)
        for other, others in rows[:at]
        if bits == others and not (one.value ^ other.value) & one.mask & other.mask
    ]
    assert both == []


def test_millions_of_words_are_looked_at_within_a_moment() -> None:
    piece = struct.pack(f"<{len(PIECE)}I", *PIECE)
    code = (piece * (1 + (1 << 20) // len(piece)))[: 1 << 20]
    count = len(code) // len(piece) * sum(1 for _ in sifted(piece, table().sieves))
    started = time.perf_counter()
    found = sum(1 for _ in sifted(code, table().sieves))
    assert time.perf_counter() - started < 0.5
    assert found >= count


@pytest.mark.parametrize("link", [0x94000000, 0x14000000], ids=["bl", "b"])
@pytest.mark.parametrize("distance", [-70000, -1, 0, 1, 499, 80000])
def test_jumps_are_found_by_their_target(link: int, distance: int) -> None:
    words = [0xFFFFFFFF, 0xF9400000, 0x54000001] * 200
    words[100] = link | 7
    for at in (0, 3, 598):
        words[at] = link | (distance - at) & 0x3FFFFFF
    piece = struct.pack("<600I", *words)
    assert list(jumps(piece, [distance], numbers(1 << 18))) == [0, 12, 2392]
    assert list(jumps(piece, [5, 107], numbers(1 << 18))) == [400]


def test_a_sieve_tells_groups_apart_only_together() -> None:
    groups = [[Encoding("one", "X", 0xFFFFFFFF, 1)], [Encoding("two", "X", 0xFFFFFFFF, 1 << 24)]]
    piece = struct.pack("<4I", 1, 1 << 24, 1 | 1 << 24, 0)
    assert list(sifted(piece, [Sieve.of(groups)])) == [0, 4]
