from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench.model import Way
from bench.schedule import make_schedule
from bench.sources import Change, load_catalogue

from tests.unit.bench_samples import CHERRY, KIWI

if TYPE_CHECKING:
    from pathlib import Path


def ways(number: int, source: str, *, rounds: int = 2, quick: bool = False) -> list[Way]:
    tasks = make_schedule((KIWI, CHERRY), rounds, quick=quick)
    return [task.way for task in tasks if task.round == number and task.source.name == source]


def test_rounds_come_one_after_the_other_over_all_sources() -> None:
    tasks = make_schedule((KIWI, CHERRY), 3)
    order = list(dict.fromkeys((task.round, task.source.name) for task in tasks))
    assert order == [(number, name) for number in range(4) for name in ("kiwi", "cherry")]


def test_caches_are_filled_before() -> None:
    assert ways(0, "kiwi") == [Way.ACCELERATED, Way.NATIVE_ONLY, Way.GCC, Way.FIVE]
    assert ways(0, "kiwi", quick=True) == [Way.ACCELERATED]
    assert ways(0, "cherry") == [Way.ACCELERATED, Way.NATIVE_ONLY, Way.GCC]


def test_slow_ways_have_fewer_rounds() -> None:
    slow = {Way.EMULATED, Way.CIBUILDWHEEL}
    assert slow < set(ways(1, "kiwi"))
    assert not slow & set(ways(2, "kiwi"))
    assert slow < set(ways(2, "cherry"))


def test_every_second_round_runs_backwards() -> None:
    assert ways(2, "cherry") == ways(1, "cherry")[::-1]


def test_some_ways_are_for_one_source() -> None:
    special = {Way.FIVE, Way.CIBUILDWHEEL_ACCELERATED}
    assert special < set(ways(1, "kiwi"))
    assert not special & set(ways(1, "cherry"))


def test_the_catalogue_pins_all_sources_and_has_one_main_one() -> None:
    catalogue = load_catalogue()
    assert len([source for source in catalogue.sources if source.main]) == 1
    assert all(source.version for source in (*catalogue.sources, catalogue.heavy.source))
    assert catalogue.python in catalogue.five


def test_a_change_is_made_or_refused(tmp_path: Path) -> None:
    (tmp_path / "meson.build").write_text("needs >=10.3\n")
    change = Change(file="meson.build", old=">=10.3", new=">=10.2")
    change.apply(tmp_path)
    assert (tmp_path / "meson.build").read_text() == "needs >=10.2\n"
    with pytest.raises(ValueError, match=r"there is no >=10\.3 in meson\.build"):
        change.apply(tmp_path)


def test_sources_are_picked_by_name_in_the_catalogue_s_order() -> None:
    catalogue = load_catalogue()
    picked = catalogue.pick(["markupsafe", "kiwisolver"])
    assert [source.name for source in picked] == ["kiwisolver", "markupsafe"]
    assert catalogue.pick([]) == catalogue.sources


def test_an_unknown_source_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no source durian; there are kiwisolver, "):
        load_catalogue().pick(["durian"])
