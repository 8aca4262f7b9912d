"""What becomes of later instructions: whether anybody in the wheel asks the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from aarch64_wheels.audit.archive import WheelContent
from aarch64_wheels.audit.checks.processor import baseline
from aarch64_wheels.audit.elf import ElfFacts
from aarch64_wheels.audit.isa import LaterCode, Use

if TYPE_CHECKING:
    from collections.abc import Mapping

ASKS = ("calls getauxval in 1 function",)


def use(feature: str, function: str) -> Use:
    return Use(address=0x1234, function=function, instruction="cntb x0", feature=feature)


def code(*uses: Use, detection: tuple[str, ...] = (), named: tuple[Use, ...] = ()) -> LaterCode:
    return LaterCode(features=("FEAT_SVE",), detection=detection, unguarded=uses, named=named)


SVE = use("FEAT_SVE", "compute")
GUARDED = code(detection=ASKS)
NAMED = (use("FEAT_SVE", "dot_sve"),)
WHEELS: dict[str, tuple[dict[str, LaterCode], list[tuple[str, str]]]] = {
    "nobody-asks": ({"a.so": code(SVE)}, [("a.so", "error")]),
    "it-asks": ({"a.so": GUARDED}, []),
    "it-asks-too-late": ({"a.so": code(SVE, detection=ASKS)}, [("a.so", "error")]),
    "another-asks": ({"a.so": code(SVE), "b.so": GUARDED}, [("a.so", "warning")]),
    "a-graft-asks-for-itself": (
        {"a.so": code(SVE), "fast.libs/b.so": GUARDED},
        [("a.so", "error")],
    ),
    "all-of-them": (
        {"a.so": code(SVE), "b.so": code(SVE), "c.so": code()},
        [("a.so", "error"), ("b.so", "error")],
    ),
    "a-name-alone": ({"a.so": code(named=NAMED)}, [("a.so", "warning")]),
    "a-name-and-it-asks": ({"a.so": code(named=NAMED, detection=ASKS)}, []),
    "a-name-and-another-asks": ({"a.so": code(named=NAMED), "b.so": GUARDED}, []),
    "a-name-and-a-graft-asks": (
        {"a.so": code(named=NAMED), "fast.libs/b.so": GUARDED},
        [("a.so", "warning")],
    ),
    "a-name-and-more": (
        {"a.so": code(SVE, named=NAMED)},
        [("a.so", "error"), ("a.so", "warning")],
    ),
}


def content(codes: Mapping[str, LaterCode]) -> WheelContent:
    head = {"machine": "EM_AARCH64", "bits": 64, "little_endian": True, "kind": "ET_DYN"}
    elfs = {name: ElfFacts(**head, code=one) for name, one in codes.items()}  # type: ignore[arg-type]
    return WheelContent(
        name="fast",
        version=Version("1.0"),
        tags=frozenset(),
        declared=None,
        info="fast-1.0.dist-info",
        names=tuple(elfs),
        elfs=elfs,
    )


@pytest.mark.parametrize(("codes", "expected"), WHEELS.values(), ids=WHEELS.keys())
def test_who_asks(codes: dict[str, LaterCode], expected: list[tuple[str, str]]) -> None:
    rows = list(baseline(content(codes)))
    assert [(row.file, str(row.level)) for row in rows] == expected
    assert {row.check for row in rows} <= {"cpu-baseline"}


def test_function_and_instruction_are_named() -> None:
    uses = (SVE, use("FEAT_LSE", "count"), use("FEAT_SVE", "compute"), use("FEAT_SVE", "more"))
    (row,) = baseline(content({"a.so": code(*uses)}))
    assert row.symbol == "compute"
    assert row.message == "a.so uses FEAT_SVE without asking the processor"
    assert row.evidence == "cntb x0 at 0x1234 in compute; also FEAT_LSE, in count, in more"


def test_who_asks_is_named() -> None:
    (row,) = baseline(content({"a.so": code(SVE), "b.so": GUARDED}))
    assert row.evidence.endswith("in compute; b.so asks, perhaps for it")


def test_what_the_name_promises_is_told() -> None:
    (row,) = baseline(content({"a.so": code(named=NAMED)}))
    assert row.symbol == "dot_sve"
    promise = "its name says that somebody asks first; nothing in the object does"
    assert row.evidence == f"cntb x0 at 0x1234 in dot_sve; {promise}"
