from __future__ import annotations

from dataclasses import replace

from bench.model import Check, Results, Way
from bench.tables import render, table

from tests.unit.bench_samples import measured, results


def section(text: str, title: str) -> str:
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def sample() -> Results:
    return results(
        measured(12.0, number=0, cold=True),
        *(measured(10.0 + number, number=number) for number in (1, 2)),
        *(measured(20.0, number=number, way=Way.GCC) for number in (1, 2)),
        measured(150.0, way=Way.EMULATED, cold=True),
        measured(0.0, way=Way.CIBUILDWHEEL, error="docker | ended"),
    )


def test_a_table_cannot_be_broken_by_its_cells() -> None:
    assert table(("a", "b"), [("x|y", "one\ntwo")]).splitlines() == [
        "| a | b |",
        "| --- | ---: |",
        "| x\\|y | one two |",
    ]


def test_medians_say_how_many_builds_and_whether_cold() -> None:
    text = section(render(sample(), "c.svg"), "Environment + build + repair")
    assert "| kiwi | - | 150.0* (1) | 11.5 | - | 20.0 | - |" in text
    assert "| cherry | - | - | - | - | - | - |" in text


def test_first_builds_have_their_own_table() -> None:
    text = section(render(sample(), "c.svg"), "First builds")
    assert "| kiwi | 1.2 | 9.6 | 1.2 | 12.0 | 13.0 |" in text


def test_failures_are_listed_with_their_reason() -> None:
    text = section(render(sample(), "c.svg"), "What failed")
    assert "| kiwi | cibuildwheel, QEMU | 1 | docker \\| ended |" in text


def test_ratios_and_their_mean() -> None:
    text = section(render(sample(), "c.svg"), "Ratios")
    assert "| kiwi | - | 13.64 | 0.57 | - |" in text
    assert "| **geometric mean** | **-** | **13.64** | **0.57** | **-** |" in text


def test_a_run_that_was_cut_off_says_so() -> None:
    assert "cut off" not in render(sample(), "c.svg")
    assert "cut off" in render(replace(sample(), complete=False), "c.svg")


def test_what_was_not_measured_has_no_section() -> None:
    text = render(results(measured(1.0)), "c.svg")
    assert "For one source only" not in text
    assert "The big source" not in text
    assert "What failed" not in text


def test_the_big_source_has_its_times_and_checks() -> None:
    rows = (measured(200.0, source="melon", way=Way.NATIVE_ONLY),)
    checks = (Check(name="same answers", ok=True, found="120 answers"),)
    whole = replace(results(*rows, heavy="melon 3"), checks=checks)
    text = section(render(whole, "c.svg"), "The big source: melon 3")
    assert "| accelerated, native only | 20.0 | 160.0 | 20.0 | 200.0 |" in text
    assert "| same answers | yes | 120 answers |" in text
