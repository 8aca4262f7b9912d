"""Stage 5: how a wheel is tested, and what is told apart from a failing test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.errors import CommandError, StageError, TimedOutError
from aarch64_wheels.native.places import PROJECT
from aarch64_wheels.settings.schema import BuildOptions
from aarch64_wheels.stages.job import FINISHED, TESTS, Given, Job
from aarch64_wheels.stages.test import Bench, run_tests
from tests.unit.environment_samples import refuses
from tests.unit.fake_session import Command, FakeSession
from tests.unit.stage_samples import fails, make_job, says

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WHEEL = "fast-1.0-cp313-cp313-manylinux_2_17_aarch64.whl"
OWN = "/aarch64-wheels/tests/environment"
INSTALL = ("uv", "pip", "install", "--python", f"{OWN}/bin/python")
PYTHON = PurePosixPath("/opt/python/cp313-cp313/bin/python")
NATIVE = PurePosixPath("/native/python/cp313/bin/python3.13")
PLACE = TESTS / "run"
ASK = f"{OWN}/bin/python -I -c"


def _job(tmp_path: Path, lines: list[str] | None = None, **options: Any) -> Job:
    given = Given(constraints=options.pop("constraints", ""))
    job = make_job(tmp_path, lines)
    wanted = BuildOptions(**{"test_command": "pytest", **options})
    return replace(job, target=replace(job.target, options=wanted), given=given)


def _run(tmp_path: Path, session: FakeSession, job: Job, **fields: Any) -> list[Command]:
    bench = Bench(session=session, python=PYTHON, path="/opt/bin:/usr/bin", **fields)
    run_tests(bench, job, tmp_path / WHEEL)
    return session.commands


def _shells(session: FakeSession) -> list[str]:
    return [command.argv[2] for command in session.commands if command.argv[:2] == ("sh", "-c")]


def test_the_steps_and_their_order(tmp_path: Path) -> None:
    session = FakeSession()
    options: dict[str, Any] = {
        "before_test": "pip list",
        "test_extras": ("one", "two"),
        "test_requires": ("pytest>=8", "-e ."),
        "test_groups": ("tests",),
        "test_command": "pytest {project}/tests -k {wheel}",
    }
    _run(tmp_path, session, _job(tmp_path, **options))
    assert session.copied == [(tmp_path / WHEEL, FINISHED / WHEEL, ())]
    assert [command.argv for command in session.commands] == [
        ("uv", "venv", "--seed", "--no-project", "--python", str(PYTHON), OWN),
        ("sh", "-c", "pip list"),
        (*INSTALL, "--", f"{FINISHED}/{WHEEL}[one,two]"),
        (*INSTALL, f"--group={PROJECT}/pyproject.toml:tests", "pytest>=8", "-e ."),
        ("sh", "-c", f"pytest {PROJECT}/tests -k {FINISHED}/{WHEEL}"),
    ]
    places = [command.cwd for command in session.commands]
    assert places == [PROJECT, PROJECT, PROJECT, PROJECT, PLACE]


def test_the_least_that_is_done(tmp_path: Path) -> None:
    session = FakeSession()
    _run(tmp_path, session, _job(tmp_path))
    assert [command.argv[:2] for command in session.commands] == [
        *(("uv", "venv"), ("uv", "pip"), ("sh", "-c"))
    ]


def test_constraints_are_for_all_that_is_installed(tmp_path: Path) -> None:
    session = FakeSession()
    _run(tmp_path, session, _job(tmp_path, constraints="pytest<9\n", test_requires=("pytest",)))
    rows = [command.argv for command in session.commands if "install" in command.argv]
    assert len(rows) == 2
    for argv in rows:
        limits = argv[argv.index("--constraints") + 1]
        assert session.files[PurePosixPath(limits)] == b"pytest<9\n"


def test_the_tests_see_the_environment_and_not_the_installer(tmp_path: Path) -> None:
    session = FakeSession(
        effects={
            "bash -c": lambda session: "".join(
                f"{name}={value}\0"
                for name, value in {**session.commands[-1].env, "MORE": "1"}.items()
            )
        }
    )
    _run(tmp_path, session, _job(tmp_path, environment="A=1", test_environment="B=2"))
    first, second = [row for row in session.commands if row.argv[0] == "bash"]
    held = [row.env["AARCH64_WHEELS_ASSIGNMENTS"] for row in (first, second)]
    assert held == ["A=1", "B=2"]
    assert second.env["PATH"] == f"{OWN}/bin:/opt/bin:/usr/bin"
    tests = session.commands[-1].env
    assert (tests["VIRTUAL_ENV"], tests["CIBUILDWHEEL"], tests["MORE"]) == (OWN, "1", "1")
    assert not any(name.startswith("UV_") for name in tests)


def test_a_run_that_names_no_tests_is_told_so(tmp_path: Path) -> None:
    session = FakeSession()
    _run(tmp_path, session, _job(tmp_path))
    warning = session.files[PLACE / "test_fail.py"].decode()
    compile(warning, "test_fail.py", "exec")
    assert "`test-sources`" in warning


def test_its_sources_are_all_there_is(tmp_path: Path) -> None:
    (tmp_path / "project/tests/deep").mkdir(parents=True)
    (tmp_path / "project/conftest.py").touch()
    (tmp_path / "project/link").symlink_to("tests")
    session = FakeSession()
    names = ("tests/deep", "conftest.py", "link")
    _run(tmp_path, session, _job(tmp_path, test_sources=names))
    project = tmp_path / "project"
    assert session.copied[1:] == [(project / row, PLACE / row, (tmp_path,)) for row in names]
    assert session.files == {}


HOSTILE = ["/etc/passwd", "..", "../beside", "tests/../../beside", "away", "gone", "loop", "x\0y"]


@pytest.mark.parametrize("name", [*HOSTILE, "x" * 5000], ids=[*map(repr, HOSTILE), "long"])
def test_sources_that_a_project_has_not_got(tmp_path: Path, name: str) -> None:
    (tmp_path / "project/tests").mkdir(parents=True)
    (tmp_path / "beside").write_text("secret")
    (tmp_path / "project/away").symlink_to(tmp_path / "beside")
    (tmp_path / "project/loop").symlink_to("loop")
    session = FakeSession()
    with pytest.raises(StageError, match="which the project has not got"):
        _run(tmp_path, session, _job(tmp_path, test_sources=(name,)))
    assert (len(session.copied), _shells(session)) == (1, [])


def _ends(*endings: Callable[[FakeSession], str]) -> FakeSession:
    """A container in which the test command ends in these ways, one after the other."""
    left = list(endings)

    def effect(session: FakeSession) -> str:
        return left.pop(0)(session)

    return FakeSession(effects={"sh -c": effect})


SEGV, ILL, KILL = 139, 132, 137


def test_a_crash_under_emulation_is_tried_once_more(tmp_path: Path) -> None:
    lines: list[str] = []
    session = _ends(fails(SEGV, "", emulated=True), says("2 passed\n"))
    _run(tmp_path, session, _job(tmp_path, lines))
    assert _shells(session) == ["pytest", "pytest"]
    assert lines[0] == "$ pytest"
    assert lines[1].endswith("crashed under emulation (SIGSEGV): the tests are run once more")
    assert lines[2:] == ["$ pytest", "2 passed"]


def test_a_crash_that_comes_again_is_the_error(tmp_path: Path) -> None:
    session = _ends(fails(SEGV, "", emulated=True), fails(ILL, "", emulated=True))
    with pytest.raises(CommandError, match=r"crashed under emulation \(SIGILL\)"):
        _run(tmp_path, session, _job(tmp_path))
    assert len(_shells(session)) == 2


FINAL = {
    "failing-test": fails(1, "1 failed", emulated=True),
    "native-crash": fails(SEGV, ""),
    "killed": fails(KILL, "", emulated=True),
    "odd-status": fails(129, "", emulated=True),
    "timed-out": refuses(TimedOutError("the stage took too long")),
}


@pytest.mark.parametrize("ending", FINAL.values(), ids=FINAL.keys())
def test_what_is_not_tried_again(tmp_path: Path, ending: Callable[[FakeSession], str]) -> None:
    session = _ends(ending)
    with pytest.raises(StageError):
        _run(tmp_path, session, _job(tmp_path))
    assert _shells(session) == ["pytest"]


def test_a_crash_before_the_tests_is_not_theirs(tmp_path: Path) -> None:
    session = _ends(fails(SEGV, "", emulated=True))
    with pytest.raises(CommandError):
        _run(tmp_path, session, _job(tmp_path, before_test="make data"))
    assert _shells(session) == ["make data"]


def test_an_image_without_an_installer(tmp_path: Path) -> None:
    session = FakeSession(effects={"uv venv": fails(127, "uv: not found")})
    with pytest.raises(StageError, match="no `uv` on PATH"):
        _run(tmp_path, session, _job(tmp_path))


def test_a_native_interpreter_makes_the_bytecode(tmp_path: Path) -> None:
    session = FakeSession(effects={ASK: says(f"f30d0d0a {OWN}/lib/python3.13/site-packages\n")})
    _run(tmp_path, session, _job(tmp_path), native=NATIVE, parallel=3)
    (made,) = [command for command in session.commands if command.argv[0] == str(NATIVE)]
    assert made.argv[1:3] == ("-I", "-c")
    assert made.argv[-3:] == ("f30d0d0a", f"{OWN}/lib/python3.13/site-packages", "3")


@pytest.mark.parametrize("broken", [ASK, f"{NATIVE} -I -c"], ids=["asking", "making"])
def test_bytecode_that_cannot_be_made_fails_no_test(tmp_path: Path, broken: str) -> None:
    lines: list[str] = []
    session = FakeSession(effects={ASK: says("1 /x"), broken: fails(SEGV, "", emulated=True)})
    _run(tmp_path, session, _job(tmp_path, lines), native=NATIVE)
    assert _shells(session) == ["pytest"]
    assert any(line.startswith("no bytecode was made natively") for line in lines)
