from __future__ import annotations

from dataclasses import replace

import pytest
from bench.model import Check, Measurement, Way
from bench.verdicts import Outcome, Verdict, verdicts

from tests.unit.bench_samples import measured, results


def verdict(part: str, *rows: Measurement, heavy: str = "") -> Verdict:
    (found,) = [row for row in verdicts(results(*rows, heavy=heavy)) if part in row.asked]
    return found


def both(way: Way, kiwi: float, cherry: float) -> tuple[Measurement, Measurement]:
    return measured(kiwi, way=way), measured(cherry, way=way, source="cherry")


ONE = both(Way.ACCELERATED, 10.0, 10.0)


@pytest.mark.parametrize(
    ("part", "rows", "outcome", "number"),
    [
        pytest.param(
            "than cibuildwheel",
            (*ONE, *both(Way.CIBUILDWHEEL, 50.0, 200.0)),
            Outcome.MET,
            "10.00",
            id="ten times on the mean",
        ),
        pytest.param(
            "than cibuildwheel",
            (*ONE, *both(Way.CIBUILDWHEEL, 99.0, 99.0)),
            Outcome.MISSED,
            "9.90",
            id="not quite ten times",
        ),
        pytest.param(
            "than cibuildwheel",
            (*ONE, measured(120.0, way=Way.CIBUILDWHEEL)),
            Outcome.MET,
            "12.00 (1 of 2 sources)",
            id="one source only",
        ),
        pytest.param(
            "slower than emulated",
            (*ONE, *both(Way.EMULATED, 20.0, 9.0)),
            Outcome.MISSED,
            "0.90 (cherry)",
            id="slower than emulated on one",
        ),
        pytest.param(
            "with gcc (geometric mean)",
            (*ONE, *both(Way.GCC, 5.0, 20.0)),
            Outcome.MET,
            "1.00",
            id="as fast as gcc on the mean",
        ),
        pytest.param(
            "with gcc on any source",
            (*ONE, *both(Way.GCC, 5.0, 20.0)),
            Outcome.MISSED,
            "2.00 (kiwi)",
            id="too slow on one",
        ),
        pytest.param(
            "five CPythons",
            (measured(9.0), measured(31.0, way=Way.FIVE)),
            Outcome.MISSED,
            "3.20",
            id="five take more than three times one",
        ),
        pytest.param(
            "accelerated image",
            (
                measured(100.0, way=Way.CIBUILDWHEEL),
                measured(20.0, way=Way.CIBUILDWHEEL_ACCELERATED),
            ),
            Outcome.MET,
            "5.00",
            id="accelerated image",
        ),
        pytest.param(
            "native-only",
            (
                measured(1.0, way=Way.NATIVE_ONLY),
                measured(0.0, way=Way.NATIVE_ONLY, source="cherry", error="no"),
            ),
            Outcome.MISSED,
            "1 of 2: not cherry",
            id="one needs a fallback",
        ),
        pytest.param(
            "native-only", both(Way.NATIVE_ONLY, 1.0, 1.0), Outcome.MET, "2 of 2", id="all native"
        ),
    ],
)
def test_verdict(part: str, rows: tuple[Measurement, ...], outcome: Outcome, number: str) -> None:
    found = verdict(part, *rows)
    assert (found.outcome, found.number) == (outcome, number)


def test_nothing_is_met_by_not_being_measured() -> None:
    assert {row.outcome for row in verdicts(results())} == {Outcome.NOT_MEASURED}


def test_the_big_source_is_judged_when_there_is_one() -> None:
    rows = (
        measured(90.0, source="melon", way=Way.NATIVE_ONLY),
        measured(100.0, source="melon", way=Way.GCC),
    )
    assert verdict("melon", *rows, heavy="melon 3").outcome is Outcome.MET


def test_checks_are_verdicts_too() -> None:
    checks = (Check(name="the tests pass", ok=False, found="1 failed"),)
    found = verdicts(replace(results(), checks=checks))[-1]
    assert found == Verdict(asked="the tests pass", outcome=Outcome.MISSED, number="1 failed")
