"""`--engine none` in plans and builds: where it can be, for which targets, and what it says."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.commands import hostrooms
from aarch64_wheels.commands.hostrooms import HostRooms
from aarch64_wheels.commands.inputs import Host
from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.hostengine.engine import HostEngine
from aarch64_wheels.hostengine.interpreters import Finder, HostInterpreter
from aarch64_wheels.hostindex import IndexSettings
from aarch64_wheels.native.places import PROJECT
from aarch64_wheels.planning import make_plan
from aarch64_wheels.settings.modes import GLIBC_LINUX
from aarch64_wheels.settings.schema import BuildOptions, EngineName, Mode, Settings
from aarch64_wheels.source.metadata import Metadata
from tests.layers import layers_of
from tests.unit.stage_samples import make_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.plan import Interpreter, Plan

MUSL_LINUX = "linux without glibc"
HERE = Settings(engine=EngineName.NONE, cache_dir=Path("cache"))


def plan(
    settings: Settings = HERE,
    machine: str = "aarch64",
    system: str = GLIBC_LINUX,
    requires_python: str = ">=3.13",
) -> Plan:
    return make_plan(
        layers_of(settings),
        Metadata(name="kiwisolver", requires_python=requires_python),
        interpreters(),
        find_image,
        source_origin="kiwisolver",
        sha256="",
        source_date_epoch=0,
        host_machine=machine,
        host_system=system,
    )


# Plans.


@pytest.mark.parametrize(
    ("system", "libc"), [(GLIBC_LINUX, "manylinux"), (MUSL_LINUX, "musllinux")]
)
def test_the_hosts_c_library_decides(system: str, libc: str) -> None:
    made = plan(system=system)
    tags = ["cp313", "cp314", "cp314t", "cp315", "cp315t"]
    assert [row.identifier for row in made.targets] == [f"{tag}-{libc}_aarch64" for tag in tags]
    assert made.mode is Mode.NATIVE
    assert {row.image.policy for row in made.targets} == {""}, "auditwheel takes the best"


def test_interpreters_are_known_by_name_until_they_are_found() -> None:
    programs = [str(row.interpreter.python) for row in plan().targets]
    assert programs == [
        f"python{version}" for version in ("3.13", "3.14", "3.14t", "3.15", "3.15t")
    ]


def test_in_containers_they_are_at_the_images_places() -> None:
    made = plan(replace(HERE, engine=EngineName.AUTO))
    assert str(made.targets[0].interpreter.python) == "/opt/python/cp313-cp313/bin/python"


def test_the_host_stands_for_every_image(tmp_path: Path) -> None:
    made = plan(replace(HERE, image="debian", python=("cp312", "cp313")), requires_python="")
    assert [row.interpreter.tag for row in made.targets] == ["cp312", "cp313"]
    assert tmp_path


@pytest.mark.parametrize(
    ("machine", "system"),
    [("x86_64", GLIBC_LINUX), ("AMD64", "win32"), ("arm64", "darwin"), ("armv7l", GLIBC_LINUX)],
)
def test_it_needs_an_arm64_linux_machine(machine: str, system: str) -> None:
    with pytest.raises(
        UsageError, match="`--engine none` builds with this machine's own"
    ) as caught:
        plan(machine=machine, system=system)
    assert caught.value.found == f"the machine is {machine}, its system {system}"
    assert "Docker or Podman" in caught.value.hint
    assert "on an arm64 machine" in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (replace(HERE, mode=Mode.EMULATED), "mode `emulated` cannot be used"),
        (replace(HERE, mode=Mode.ACCELERATED), "mode `accelerated` cannot be used"),
        (replace(HERE, test_image="debian"), "`--test-image` contradicts `--engine none`"),
    ],
    ids=["emulated", "accelerated", "test-image"],
)
def test_what_needs_containers_contradicts_it(settings: Settings, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        plan(settings)


def test_where_an_interpreter_is_does_not_name_another_embedded_image() -> None:
    """The recipe's key is made of the rows' text: an image is not assembled anew for it."""
    (row, *_) = interpreters()
    assert repr(replace(row, path="/usr/bin/python3")) == repr(row)


# Rooms.


@pytest.fixture
def engine() -> Iterator[HostEngine]:
    engine = HostEngine("aarch64")
    yield engine
    engine.close_all()
    assert not engine.scratch.exists()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """A machine; the interpreters it has, by tag, each with headers or without."""
    there = {"cp313": True}

    def find(_finder: object, row: Interpreter) -> HostInterpreter | None:
        program = Path("/usr/bin") / row.program
        return (
            HostInterpreter(program=program, has_headers=there[row.tag])
            if row.tag in there
            else None
        )

    monkeypatch.setattr(Finder, "find", find)
    monkeypatch.setattr(hostrooms, "find_patchelf", lambda *_arguments: Path("/usr/bin/patchelf"))
    return there


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What uv is asked to make."""
    asked: list[list[str]] = []

    def run_uv(words: list[str], *_rest: Any) -> SimpleNamespace:
        asked.append(words)
        return SimpleNamespace(returncode=0, stdout="", stderr="")

    monkeypatch.setattr(hostrooms, "run_uv", run_uv)
    return asked


def rooms(engine: HostEngine, notes: list[str], tmp_path: Path) -> HostRooms:
    environ = {"PATH": os.environ["PATH"], "API_TOKEN": "secret"}
    own = Host(environ=environ, index=IndexSettings(), machine="aarch64", system=GLIBC_LINUX)
    settings = replace(HERE, cache_dir=tmp_path / "cache")
    return HostRooms(settings=settings, host=own, engine=engine, note=notes.append)


@pytest.mark.usefixtures("host")
def test_what_the_machine_lacks_is_left_out_with_a_note(
    engine: HostEngine, made: list[list[str]], tmp_path: Path
) -> None:
    notes: list[str] = []
    (room,) = rooms(engine, notes, tmp_path).open(plan())
    assert [row.identifier for row in room.plan.targets] == ["cp313-manylinux_aarch64"]
    python = engine.scratch / "python/cp313-cp313/bin/python"
    assert str(room.plan.targets[0].interpreter.python) == str(python)
    ((*_, program, place, _),) = made
    assert (program, place) == ("/usr/bin/python3.13", str(python.parent.parent))
    (note,) = notes
    assert note.startswith("left out, for this machine has no interpreter for them: cp314-many")
    assert note.endswith("cp315-manylinux_aarch64, cp315t-manylinux_aarch64")


@pytest.mark.usefixtures("host", "made")
@pytest.mark.parametrize("python", [("cp313", "cp314"), ("cp314*",)], ids=["named", "none-left"])
def test_what_was_named_must_be_there(
    engine: HostEngine, tmp_path: Path, python: tuple[str, ...]
) -> None:
    with pytest.raises(UnfitError, match="no interpreter for cp314-manylinux_aarch64") as caught:
        rooms(engine, [], tmp_path).open(plan(replace(HERE, python=python)))
    assert "python3.14" in caught.value.found
    assert "uv python install" in caught.value.hint


@pytest.mark.usefixtures("made")
def test_missing_headers_are_noted(
    engine: HostEngine, host: dict[str, bool], tmp_path: Path
) -> None:
    host["cp313"] = False
    notes: list[str] = []
    rooms(engine, notes, tmp_path).open(plan(replace(HERE, python=("cp313",))))
    assert any("no C code can be compiled: /usr/bin/python3.13" in note for note in notes)


@pytest.mark.usefixtures("host", "made")
def test_a_room_starts_sessions_with_our_tools_and_no_secret(
    engine: HostEngine, tmp_path: Path
) -> None:
    (room,) = rooms(engine, [], tmp_path).open(plan(replace(HERE, python=("cp313",))))
    with room.start(room.plan.targets[0], "") as session:
        assert session.capture(["sh", "-c", "command -v uv"]) == f"{engine.scratch}/bin/uv\n"
        assert "API_TOKEN" not in session.capture(["env"])
    setup = room.setups.of(room.plan.targets[0])
    assert (setup.python, setup.facts.reuse) == (None, False)
    assert setup.facts.directory.is_relative_to(engine.scratch)


@pytest.mark.usefixtures("host")
def test_an_interpreter_that_makes_no_environment_is_named(
    engine: HostEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = SimpleNamespace(returncode=2, stdout="", stderr="error: it is broken\n")
    monkeypatch.setattr(hostrooms, "run_uv", lambda *_arguments: failed)
    with pytest.raises(UnfitError, match=r"environment of /usr/bin/python3\.13") as caught:
        rooms(engine, [], tmp_path).open(plan(replace(HERE, python=("cp313",))))
    assert caught.value.found == "error: it is broken"


# `before-all`, and other commands of the project.


def with_options(made: Plan, options: BuildOptions) -> Plan:
    return made.with_targets(tuple(replace(row, options=options) for row in made.targets))


@pytest.mark.usefixtures("host", "made")
def test_every_session_has_what_before_all_left_with_its_own_paths(
    engine: HostEngine, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    options = BuildOptions(before_all="pwd >place && ln -s {project}/place {package}/way")
    maker = rooms(engine, [], tmp_path)
    (room,) = maker.open(with_options(plan(replace(HERE, python=("cp313",))), options))
    job = replace(make_job(tmp_path), plan=room.plan, target=room.plan.targets[0], source=source)
    after = maker.after(room, job)
    assert (room.has_project, after.has_project) == (False, True)
    with after.start(job.target, "") as first, after.start(job.target, "") as second:
        for session in (first, second):
            said = session.capture(["cat", PROJECT / "way"], cwd=PROJECT)
            assert said == session.capture(["pwd"], cwd=PROJECT)


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(
    ("options", "is_seeded"),
    [
        (BuildOptions(), False),
        (BuildOptions(before_all=" ", test_requires=("pytest",)), False),
        (BuildOptions(before_all="pip install a"), True),
        (BuildOptions(before_build="pip install a"), True),
        (BuildOptions(repair_wheel_command="pip install a"), True),
        (BuildOptions(audit_command="pip install {wheel}"), True),
        (BuildOptions(before_test="pip install a"), True),
        (BuildOptions(test_command="pip check"), True),
    ],
    ids=["none", "blank", "all", "build", "repair", "audit", "before-test", "test"],
)
def test_there_is_pip_where_a_command_of_the_project_may_call_it(
    engine: HostEngine,
    made: list[list[str]],
    tmp_path: Path,
    options: BuildOptions,
    is_seeded: bool,  # noqa: FBT001
) -> None:
    rooms(engine, [], tmp_path).open(with_options(plan(replace(HERE, python=("cp313",))), options))
    (words,) = made
    assert ("--seed" in words) is is_seeded
