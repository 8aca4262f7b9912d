"""What each target's backend is given, and how the cores are shared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from aarch64_wheels.commands.setups import Setups
from aarch64_wheels.hostindex import IndexSettings
from aarch64_wheels.native.bundle import Bundle
from aarch64_wheels.native.setup import NativeTools
from aarch64_wheels.plan import Interpreter, Plan, Target
from tests.unit.report_samples import DEBIAN, plan


def _tools() -> NativeTools:
    return NativeTools(
        tools=Bundle(directory=Path("/kept/tools"), key="k0"),
        interpreters={"cp313": Bundle(directory=Path("/kept/cp313"), key="k13")},
        missing={"pp311": "there is no native pp311"},
        configuration=Path("/kept/image.tar"),
    )


def _plan(targets: int, jobs: int) -> Plan:
    rows = [Interpreter(tag=f"cp31{n}", version=f"3.1{n}", directory=f"cp31{n}") for n in range(9)]
    chosen = tuple(
        Target(identifier=row.tag, interpreter=row, image=DEBIAN) for row in rows[:targets]
    )
    return replace(plan(), jobs=jobs).with_targets(chosen)


def _setups(
    directory: Path, sample: Plan, cores: int, tools: NativeTools | None, given: str = ""
) -> Setups:
    return Setups(
        plan=sample,
        image_id="sha256:1",
        cache_dir=directory,
        index=IndexSettings(index_url=None, extra_index_urls=(), ca_bundle=None),
        reuse=True,
        tools=tools,
        cores=cores,
        at_once=min(sample.jobs or cores, len(sample.targets)),
        given=given,
    )


@pytest.mark.parametrize(
    ("targets", "jobs", "cores", "expected"),
    [
        pytest.param(1, 0, 2, 2, id="one target has all of few cores"),
        pytest.param(1, 0, 64, 64, id="one target has all of many cores"),
        pytest.param(5, 0, 2, 2, id="never more than there are"),
        pytest.param(5, 0, 64, 13, id="many cores are shared"),
        pytest.param(5, 2, 64, 32, id="by those built at once"),
        pytest.param(8, 8, 4, 2, id="two at the least"),
        pytest.param(3, 0, 1, 1, id="one core"),
    ],
)
def test_targets_share_the_cores(
    tmp_path: Path, targets: int, jobs: int, cores: int, expected: int
) -> None:
    sample = _plan(targets, jobs)
    setup = _setups(tmp_path, sample, cores, _tools()).of(sample.targets[0])
    assert setup.parallel == expected


def test_a_target_gets_its_native_interpreter_or_the_reason_why_not(tmp_path: Path) -> None:
    rows = [
        Target(
            identifier=tag,
            interpreter=Interpreter(tag=tag, version="3.13", directory=tag),
            image=DEBIAN,
        )
        for tag in ("cp313", "pp311")
    ]
    setups = _setups(tmp_path, plan().with_targets(tuple(rows)), 2, _tools())
    with_one, without = (setups.of(row) for row in rows)
    assert with_one.python == PurePosixPath("/native/python/cp313/bin/python3")
    assert (with_one.key, with_one.missing) == ("k13", "")
    assert (without.python, without.key) == (None, "")
    assert without.missing == "there is no native pp311"


def test_without_native_tools_nothing_is_native(tmp_path: Path) -> None:
    sample = _plan(1, 0)
    setup = _setups(tmp_path, sample, 8, None).of(sample.targets[0])
    assert (setup.python, setup.key, setup.missing, setup.parallel) == (None, "", "", 1)


def test_environments_depend_on_what_containers_are_given(tmp_path: Path) -> None:
    sample = _plan(1, 0)
    names = {
        _setups(tmp_path, sample, 8, None, given)
        .environments()
        .name(sample.targets[0].interpreter, ["setuptools"])
        for given in ("", "a", "b")
    }
    assert len(names) == 3
