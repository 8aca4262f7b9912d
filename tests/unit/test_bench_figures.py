from __future__ import annotations

import pytest
from bench.figures import Figures, mean_of_ratios, seconds
from bench.model import Measurement, Results, Stages, Way

from tests.unit.bench_samples import measured, results


def figures(*rows: Measurement) -> Figures:
    return Figures(measurements=rows)


def test_the_median_is_of_the_rounds_and_leaves_warming_up_and_failures_out() -> None:
    rows = [measured(value, number=number) for number, value in enumerate((99.0, 3.0, 9.0, 4.0))]
    rows.append(measured(0.0, number=4, error="gone"))
    assert figures(*rows).median("kiwi", Way.ACCELERATED, seconds) == 4.0


def test_where_only_cold_builds_are_they_count_and_are_known_as_such() -> None:
    cold = measured(50.0, way=Way.EMULATED, cold=True)
    assert figures(cold).of("kiwi", Way.EMULATED) == (cold,)
    assert figures(cold).is_cold("kiwi", Way.EMULATED)


def test_a_warm_build_puts_the_cold_one_out() -> None:
    cold = measured(50.0, way=Way.EMULATED, cold=True)
    warm = measured(40.0, way=Way.EMULATED, number=2)
    both = figures(cold, warm)
    assert both.of("kiwi", Way.EMULATED) == (warm,)
    assert both.cold_of("kiwi", Way.EMULATED) == cold
    assert not both.is_cold("kiwi", Way.EMULATED)


def test_a_ratio_is_of_builds_of_one_round() -> None:
    rows = [
        *(measured(value, number=number) for number, value in enumerate((10.0, 20.0, 30.0), 1)),
        *(measured(value, way=Way.GCC, number=number) for number, value in ((1, 5.0), (3, 60.0))),
    ]
    found = figures(*rows)
    assert found.ratios("kiwi", Way.ACCELERATED, Way.GCC) == (2.0, 0.5)
    assert found.ratio("kiwi", Way.ACCELERATED, Way.GCC) == 1.25


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param((), id="nothing"),
        pytest.param((measured(1.0),), id="one side"),
        pytest.param((measured(1.0), measured(1.0, way=Way.GCC, number=2)), id="other rounds"),
        pytest.param(
            (measured(1.0), measured(1.0, way=Way.GCC, source="cherry")), id="other sources"
        ),
    ],
)
def test_there_is_no_ratio_of(rows: tuple[Measurement, ...]) -> None:
    assert figures(*rows).ratio("kiwi", Way.ACCELERATED, Way.GCC) is None


def test_whole_commands_have_ratios_too() -> None:
    rows = (measured(9.0), measured(29.0, way=Way.FIVE))
    assert figures(*rows).ratio_of_walls("kiwi", Way.FIVE, Way.ACCELERATED) == 3.0


def test_several_targets_at_once_are_timed_as_a_whole() -> None:
    row = Measurement(source="kiwi", round=1, way=Way.FIVE, stages=Stages(build=5.0), wall=7.0)
    assert row.seconds == 7.0


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        pytest.param([2.0, 8.0], 4.0, id="two"),
        pytest.param([2.0, None, 8.0], 4.0, id="one missing"),
        pytest.param([], None, id="none"),
        pytest.param([None], None, id="only missing ones"),
    ],
)
def test_geometric_mean(values: list[float | None], mean: float | None) -> None:
    assert mean_of_ratios(values) == (mean if mean is None else pytest.approx(mean))


def test_results_come_back_from_json_as_they_were() -> None:
    rows = (measured(1.5, cold=True), measured(0.0, way=Way.CLANG, error="no clang"))
    assert Results.from_json(results(*rows).to_json()) == results(*rows)


def test_results_of_another_schema_are_refused() -> None:
    with pytest.raises(ValueError, match="another schema"):
        Results.from_json('{"schema": 0}')
