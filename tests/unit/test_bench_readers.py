"""What is read from other programs' output."""

from __future__ import annotations

import pytest
from bench.answers import differences, read_answers
from bench.cibw import read_stages
from bench.heavy import failures, with_setup
from bench.machine import cpu_model
from bench.model import Stages, Way
from bench.ours import measurement
from bench.schedule import Task

from tests.unit.bench_samples import KIWI

CIBUILDWHEEL = """\
Starting container image debian...

                                                                       ✓ 2.34s
Setting up build environment...

    + which python
                                                                       ✓ 2.36s
Building wheel...

* Building wheel...
Compiling the sources: kiwi...
                                                                      ✓ 142.89s
Repairing wheel...

                                                                       done 5.90s
✓ cp313-manylinux_aarch64 finished in 2 minutes
Copying wheels back to host...

                                                                       ✓ 0.12s
"""


def test_cibuildwheel_tells_the_time_of_its_steps() -> None:
    assert read_stages(CIBUILDWHEEL) == Stages(environment=2.36, build=142.89, repair=5.9)


def test_a_missing_step_is_no_zero() -> None:
    with pytest.raises(ValueError, match="no time of repair"):
        read_stages(CIBUILDWHEEL.replace("Repairing", "Mending"))


def test_a_report_s_stages_become_a_measurement() -> None:
    task = Task(source=KIWI, way=Way.ACCELERATED, round=2)
    found = measurement(task, {"targets": [target("cp313", 1.0, 7.0, 0.5)]}, 9.8765)
    assert found.stages == Stages(environment=1.0, build=7.0, repair=0.5)
    assert (found.source, found.round, found.wall, found.detail) == ("kiwi", 2, 9.877, "")
    assert found.wheel == "kiwi-1.0-cp313.whl"


def test_several_targets_are_told_one_by_one() -> None:
    task = Task(source=KIWI, way=Way.FIVE, round=1)
    targets = [target("cp311", 1.0, 2.0, 1.0), target("cp313", 1.0, 3.0, 1.0)]
    found = measurement(task, {"targets": targets}, 9.0)
    assert (found.detail, found.seconds) == ("cp311 4.0 s, cp313 5.0 s", 9.0)


@pytest.mark.parametrize(
    ("calls", "detail"),
    [
        pytest.param(None, "", id="emulated"),
        pytest.param(
            {"native": 9, "fallback": 0, "reasons": []},
            "backend native, 9 calls native, 0 fallback",
            id="all native",
        ),
        pytest.param(
            {"native": 7, "fallback": 2, "reasons": [["openmp", 2]]},
            "backend native, 7 calls native, 2 fallback: openmp (2)",
            id="with a fallback",
        ),
    ],
)
def test_who_did_the_work_is_told(calls: dict[str, object] | None, detail: str) -> None:
    task = Task(source=KIWI, way=Way.ACCELERATED, round=1)
    row = {**target("cp313", 1.0, 2.0, 1.0), "backend": "native", "calls": calls}
    assert measurement(task, {"targets": [row]}, 5.0).detail == detail


def target(tag: str, environment: float, build: float, repair: float) -> dict[str, object]:
    times = {"environment": environment, "build": build, "repair": repair, "audit": 0.1}
    return {
        "identifier": f"{tag}-manylinux_aarch64",
        "stages": [{"stage": name, "seconds": value} for name, value in times.items()],
        "wheel": {"filename": f"kiwi-1.0-{tag}.whl"},
    }


MESON = """\
C compiler for the host machine: cc (gcc 10.2.1 "cc")
Test features "ASIMD" : Supported 
  baseline:
    Requested : min
    Enabled   : NEON ASIMD
  dispatch:
    Requested : max
    Enabled   : SVE
Run-time dependency openblas found: NO  (tried pkg-config and cmake)
Checking for size of "size_t" : 8 
Checking for size of "size_t" : 8 (cached)
Compiler for C supports function attribute visibility:hidden: YES 
Header "Python.h" has symbol "isnan" with dependency python-3.13: YES 
Message: Long double format: IEEE_QUAD_LE
Generating multi-targets for "loops.dispatch.h" 
  Enabled targets: SVE, baseline
Generating multi-targets for "other.dispatch.h" 
  Enabled targets: 
[1/341] Compiling C object x.o
"""  # noqa: W291 - as Meson prints it


def test_a_configuration_s_answers() -> None:
    assert read_answers(MESON) == {
        'Test features "ASIMD"': "Supported",
        "baseline: Requested": "min",
        "baseline: Enabled": "NEON ASIMD",
        "dispatch: Requested": "max",
        "dispatch: Enabled": "SVE",
        "Run-time dependency openblas found": "NO",
        'Checking for size of "size_t"': "8",
        "Compiler for C supports function attribute visibility:hidden": "YES",
        'Header "Python.h" has symbol "isnan" with dependency python-3.13': "YES",
        "Message: Long double format": "IEEE_QUAD_LE",
        'Generating multi-targets for "loops.dispatch.h": Enabled targets': "SVE, baseline",
        'Generating multi-targets for "other.dispatch.h": Enabled targets': "",
    }


def test_differences_name_both_answers() -> None:
    found = differences({"a": "YES", "b": "NO", "c": "1"}, {"a": "YES", "b": "YES", "d": "2"})
    assert found == (
        "b: NO, GCC: YES",
        "c: 1, GCC: not asked",
        "d: not asked, GCC: 2",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "[tool.meson-python.args]\ninstall = 1\n\n[tool.spin]\nsetup = 1\n",
            "[tool.meson-python.args]\nsetup = ['-Dx=1']\ninstall = 1\n\n[tool.spin]\nsetup = 1\n",
            id="a table without it",
        ),
        pytest.param(
            "[project]\n",
            "[project]\n\n[tool.meson-python.args]\nsetup = ['-Dx=1']\n",
            id="no table",
        ),
    ],
)
def test_meson_options_go_into_pyproject(before: str, after: str) -> None:
    assert with_setup(before, ("-Dx=1",)) == after


def test_meson_options_of_the_project_s_own_are_not_overwritten() -> None:
    with pytest.raises(ValueError, match="of its own"):
        with_setup("[tool.meson-python.args]\nsetup = []\n", ("-Dx=1",))


def test_the_cpu_s_name() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: AMD EPYC\nflags\t: sse\n") == "AMD EPYC"


def test_pytest_s_failures_are_read_by_their_ids() -> None:
    lines = [
        "....F..E",
        "FAILED ../v/test_dtype.py::TestX::test_y[a-b] - AssertionError: no - none",
        "FAILED ../v/test_umath.py::test_z",
        "ERROR ../v/test_simd.py::test_w - ValueError",
        "2 failed, 5 passed, 1 error in 3.21s",
    ]
    assert failures(lines) == [
        "../v/test_dtype.py::TestX::test_y[a-b]",
        "../v/test_umath.py::test_z",
        "../v/test_simd.py::test_w",
    ]
