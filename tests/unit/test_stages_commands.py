"""Commands of a project in the container: before-build, its own repair and audit, variables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.epoch import EARLIEST
from aarch64_wheels.errors import CommandError, StageError
from aarch64_wheels.native.places import PROJECT
from aarch64_wheels.settings.schema import BuildOptions, Compiler, Mode
from aarch64_wheels.stages.audit_command import run_audit_command
from aarch64_wheels.stages.before import (
    config_settings,
    own_variables,
    run_before_build,
    run_command,
)
from aarch64_wheels.stages.bytecode import ask_bytecode, compile_bytecode
from aarch64_wheels.stages.job import BUILT, FINISHED, REPAIRED, Given, Job
from aarch64_wheels.stages.repair import repair_wheel
from tests.unit.fake_session import FakeSession
from tests.unit.stage_samples import fails, make_job, says

if TYPE_CHECKING:
    from pathlib import Path

WHEEL = "fast-1.0-cp313-cp313-linux_aarch64.whl"
FINAL = "fast-1.0-cp313-cp313-manylinux_2_17_aarch64.whl"
STABLE = "fast-1.0-cp39-abi3-manylinux_2_17_aarch64.whl"
PURE = "fast-1.0-py3-none-any.whl"
PATH = "/opt/bin:/usr/bin"
PYTHON = "/opt/python/cp313-cp313/bin/python"


def _job(tmp_path: Path, lines: list[str] | None = None, **options: Any) -> Job:
    given = Given(passed=options.pop("passed", {}), constraints=options.pop("constraints", ""))
    plan_fields = options.pop("plan", {})
    job = make_job(tmp_path, lines, **plan_fields)
    target = replace(job.target, options=BuildOptions(**options))
    return replace(job, target=target, given=given)


def test_a_command_runs_in_the_project_with_the_targets_python(tmp_path: Path) -> None:
    session, lines = FakeSession(), list[str]()
    place = PurePosixPath("/a place/x.whl")
    command = "make {project} {package}/lib {wheel} ${HOME} {a,b}"
    run_command(session, _job(tmp_path, lines), command, PATH, wheel=place)
    (made,) = session.commands
    filled = f"make {PROJECT} {PROJECT}/lib '/a place/x.whl' ${{HOME}} {{a,b}}"
    assert made.argv == ("sh", "-c", filled)
    assert (made.cwd, made.streamed) == (PROJECT, True)
    assert made.env == {
        "PATH": f"/opt/python/cp313-cp313/bin:{PATH}",
        "UV_PYTHON": PYTHON,
        "SOURCE_DATE_EPOCH": str(EARLIEST),
        "CIBUILDWHEEL": "1",
        "CIBUILDWHEEL_BUILD_IDENTIFIER": "cp313-manylinux_aarch64",
    }
    assert lines == [f"$ {command}"]


@pytest.mark.parametrize(
    ("compiler", "tools"),
    [
        pytest.param(Compiler.AUTO, "/aarch64-wheels/compilers:/native/bin", id="auto"),
        pytest.param(Compiler.GCC, "/native/bin", id="gcc"),
    ],
)
def test_native_tools_come_before_the_images_own(
    tmp_path: Path, compiler: Compiler, tools: str
) -> None:
    session, fields = FakeSession(), {"mode": Mode.ACCELERATED, "compiler": compiler}
    run_command(session, _job(tmp_path, plan=fields), "make", PATH)
    assert session.commands[0].env["PATH"] == f"/opt/python/cp313-cp313/bin:{tools}:{PATH}"


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    session = FakeSession(effects={"sh -c": fails(2, "no rule")})
    with pytest.raises(CommandError, match="no rule"):
        run_command(session, _job(tmp_path), "make", PATH)


def test_without_before_build_nothing_runs(tmp_path: Path) -> None:
    session = FakeSession()
    run_before_build(session, _job(tmp_path), PATH)
    assert session.commands == []
    run_before_build(session, _job(tmp_path, before_build="make"), PATH)
    assert session.commands[0].argv[-1] == "make"


def test_variables_see_what_is_passed_and_are_put_upon_it(tmp_path: Path) -> None:
    session = FakeSession(effects={"bash -c": says("A=one two\0PATH=/x\0PWD=/y\0CI=1\0")})
    job = _job(tmp_path, environment='A="one two" PATH=/x', passed={"CI": "1"})
    found = own_variables(session, job, {"PATH": PATH, "B": "2"})
    assert (found["A"], found["PATH"], found["B"], found["CI"]) == ("one two", "/x", "2", "1")
    assert "PWD" not in found
    (asked,) = session.commands
    assert asked.env["AARCH64_WHEELS_ASSIGNMENTS"] == 'A="one two" PATH=/x'
    assert "one two" not in str(asked)
    assert (asked.env["CI"], asked.env["CIBUILDWHEEL"], asked.cwd) == ("1", "1", PROJECT)


@pytest.mark.parametrize("said", ["", "bash: S3CRET: command not found"], ids=["silent", "words"])
def test_variables_that_bash_refuses_are_told_without_their_values(
    said: str, tmp_path: Path
) -> None:
    session = FakeSession(effects={"bash -c": fails(3, said)})
    job = _job(tmp_path, environment="URL=https://u:S3CRET@h.example/simple A=my S3CRET")
    with pytest.raises(StageError, match="`environment` cannot be evaluated") as caught:
        own_variables(session, job, {})
    assert caught.value.found == "bash ended with status 3"
    assert "the target's log" in caught.value.hint
    assert "S3CRET" not in str(caught.value)


def test_what_a_backend_is_told(tmp_path: Path) -> None:
    rows = (("a", ("1",)), ("b", ("{project}/x", "{package}")))
    job = _job(tmp_path, config_settings=rows, build_frontend="build; args: -Ca=2 -Cd=3")
    told = config_settings(FakeSession(), job)
    assert told == {"a": ["1", "2"], "b": [f"{PROJECT}/x", str(PROJECT)], "d": "3"}
    assert config_settings(FakeSession(), _job(tmp_path)) == {}


def _repaired(
    tmp_path: Path, wheel: str = WHEEL, command: str = "", policy: str | None = None
) -> list[tuple[str, ...]]:
    session, job = FakeSession(), _job(tmp_path, repair_wheel_command=command)
    if policy is not None:
        image = replace(job.target.image, policy=policy)
        job = replace(job, target=replace(job.target, image=image))
    repair_wheel(session, job, BUILT / wheel, PATH)
    return [command.argv for command in session.commands]


OURS = ("auditwheel", "repair", "--plat", "manylinux_2_17_aarch64")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("", id="nothing"),
        pytest.param("auditwheel repair -w {dest_dir} {wheel}", id="the-usual-one"),
        pytest.param(" auditwheel repair -w {dest_dir} {wheel}\n", id="with-blanks"),
    ],
)
def test_the_usual_repair_names_the_policy(tmp_path: Path, command: str) -> None:
    assert _repaired(tmp_path, command=command) == [
        (*OURS, "--wheel-dir", str(REPAIRED), str(BUILT / WHEEL))
    ]


def test_an_image_without_a_policy_names_its_own(tmp_path: Path) -> None:
    ((*argv,),) = _repaired(tmp_path, policy="")
    assert "--plat" not in argv


def test_a_repair_of_the_project(tmp_path: Path) -> None:
    own = "auditwheel repair --exclude libx.so -w {dest_dir} {wheel} && strip {dest_dir}/*"
    made, (shell, option, filled) = _repaired(tmp_path, command=own)
    assert made == ("mkdir", "-p", str(REPAIRED))
    assert (shell, option) == ("sh", "-c")
    place = BUILT / WHEEL
    words = f"auditwheel repair --exclude libx.so -w {REPAIRED} {place} && strip {REPAIRED}/*"
    assert filled == words


@pytest.mark.parametrize("command", ["", "own {wheel}"])
def test_pure_python_is_left_as_it_is(tmp_path: Path, command: str) -> None:
    assert _repaired(tmp_path, PURE, command) == [
        ("mkdir", "-p", str(REPAIRED)),
        ("cp", str(BUILT / PURE), str(REPAIRED)),
    ]


def _audited(tmp_path: Path, name: str = FINAL, **options: Any) -> FakeSession:
    session = FakeSession()
    run_audit_command(session, _job(tmp_path, **options), tmp_path / name, PATH)
    return session


USUAL = "abi3audit --strict --report {abi3_wheel}"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        pytest.param("", FINAL, id="none"),
        pytest.param(USUAL, STABLE, id="the-usual-one"),
        pytest.param("own {abi3_wheel}", FINAL, id="for-the-stable-abi"),
        pytest.param(f"{USUAL} && ", STABLE, id="nothing-behind"),
    ],
)
def test_nothing_to_audit(tmp_path: Path, command: str, name: str) -> None:
    session = _audited(tmp_path, name, audit_command=command)
    assert session.events == []


def test_the_steps_of_an_audit(tmp_path: Path) -> None:
    commands = f"twine check {{wheel}} && {USUAL} && own {{abi3_wheel}}"
    session = _audited(
        tmp_path, STABLE, audit_command=commands, audit_requires=("twine",), constraints="twine<7\n"
    )
    place = f"{FINISHED}/{STABLE}"
    assert session.copied == [(tmp_path / STABLE, FINISHED / STABLE, ())]
    venv, install, *shells = [command.argv for command in session.commands]
    assert venv[:2] == ("uv", "venv")
    assert install[:3] == ("uv", "pip", "install")
    assert "--constraints" in install
    assert install[-1] == "twine"
    assert [argv[-1] for argv in shells] == [f"twine check {place}", f"own {place}"]
    env = session.commands[-1].env
    assert env["PATH"] == f"/aarch64-wheels/audit/bin:{PATH}"
    assert env["VIRTUAL_ENV"] == "/aarch64-wheels/audit"


@pytest.mark.parametrize(
    ("command", "requires", "installed"),
    [
        pytest.param("abi3audit -v {abi3_wheel}", (), ["abi3audit"], id="theirs-by-default"),
        pytest.param("abi3audit -v {abi3_wheel}", ("abi3audit<1",), ["abi3audit<1"], id="named"),
        pytest.param("own {wheel}", (), [], id="not-needed"),
    ],
)
def test_what_an_audit_requires(
    tmp_path: Path, command: str, requires: tuple[str, ...], installed: list[str]
) -> None:
    session = _audited(tmp_path, STABLE, audit_command=command, audit_requires=requires)
    rows = [row.argv[-1] for row in session.commands if row.argv[:3] == ("uv", "pip", "install")]
    assert rows == installed


def test_an_audit_that_fails_ends_the_stage(tmp_path: Path) -> None:
    session = FakeSession(effects={"sh -c one": fails(1, "bad wheel")})
    job = _job(tmp_path, audit_command="one {wheel} && two {wheel}")
    with pytest.raises(CommandError, match="bad wheel"):
        run_audit_command(session, job, tmp_path / FINAL, PATH)
    assert session.commands[-1].argv[-1].startswith("one")


NATIVE, SITE = PurePosixPath("/native/bin/python3.13"), PurePosixPath("/x/site-packages")


def test_bytecode_is_made_by_the_native_interpreter(tmp_path: Path) -> None:
    session = FakeSession(effects={PYTHON: says(f"f30d0d0a {tmp_path}/with a blank\n")})
    magic, site = ask_bytecode(session, PurePosixPath(PYTHON))
    assert (magic, site) == ("f30d0d0a", PurePosixPath(f"{tmp_path}/with a blank"))
    compile_bytecode(session, NATIVE, magic, site, 2, print)
    assert session.commands[-1].argv[0] == str(NATIVE)
    assert session.commands[-1].argv[-3:] == (magic, str(site), "2")


def test_without_a_native_interpreter_none_is_made() -> None:
    session = FakeSession()
    compile_bytecode(session, None, "f30d0d0a", SITE, 2, print)
    assert session.commands == []


def test_bytecode_that_cannot_be_made_is_told_and_no_error() -> None:
    lines: list[str] = []
    session = FakeSession(effects={str(NATIVE): fails(1, "no space")})
    compile_bytecode(session, NATIVE, "f30d0d0a", SITE, 2, lines.append)
    assert lines[0].startswith("no bytecode was made natively: ")
