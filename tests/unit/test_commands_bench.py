"""Where wheels are tested: the container of the build, a new one, or another image."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.commands.rooms import ImageRoom
from aarch64_wheels.commands.test_image import TestImage
from aarch64_wheels.errors import StageError
from aarch64_wheels.native.places import PROJECT
from aarch64_wheels.plan import Interpreter
from aarch64_wheels.settings.schema import Compiler, Mode
from tests.unit.backend_samples import setup
from tests.unit.fake_session import FakeSession
from tests.unit.report_samples import DEBIAN
from tests.unit.stage_samples import fails, make_job, says

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.native.backend import BackendSetup
    from aarch64_wheels.plan import Plan, Target

NATIVE = PurePosixPath("/native/python/cp313/bin/python3")
FIND = "/bin/sh -c"


@dataclass(kw_only=True)
class FakeContainers:
    """Containers of an image, each with this session in it."""

    session: FakeSession
    reference: str = "image"
    begun: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def engine(self) -> FakeContainers:
        return self

    def image_path(self, reference: str) -> str:
        return f"/{reference}/bin"

    @contextmanager
    def plain(
        self, mounts: tuple[Any, ...] = (), path: str | None = None, keep_as: str = ""
    ) -> Iterator[FakeSession]:
        self.begun.append((mounts, path, keep_as))
        with self.session as session:
            yield session

    @contextmanager
    def accelerated(
        self, _plan: Plan, target: Target, _tools: object, keep_as: str = ""
    ) -> Iterator[FakeSession]:
        self.begun.append((target.identifier, keep_as))
        with self.session as session:
            yield session


@dataclass(frozen=True, kw_only=True)
class FakeTools:
    """Native tools in a volume."""

    def mounts(self, interpreter: Interpreter) -> tuple[str, ...]:
        return (f"volume of {interpreter.tag}",)


@dataclass(frozen=True, kw_only=True)
class FakeSetups:
    made: BackendSetup

    def of(self, _target: Target) -> BackendSetup:
        return self.made


def _room(tmp_path: Path, containers: FakeContainers, plan: Plan, **fields: Any) -> ImageRoom:
    native = NATIVE if fields.get("tools") else None
    given: Any = {
        "containers": containers,
        "tools": None,
        "setups": FakeSetups(made=setup(tmp_path, native, parallel=3)),
        **fields,
    }
    return ImageRoom(image=DEBIAN, image_id="sha256:1", plan=plan, **given)


def test_a_wheel_is_tested_where_it_was_built(tmp_path: Path) -> None:
    job, built = make_job(tmp_path), FakeSession()
    containers = FakeContainers(session=FakeSession())
    with _room(tmp_path, containers, job.plan).bench(job, built) as bench:
        assert bench.session is built
        assert bench.python == PurePosixPath("/opt/python/cp313-cp313/bin/python")
        assert bench.path == "/opt/python/cp313-cp313/bin:/image/bin"
        assert (bench.native, bench.parallel) == (None, 3)
    assert (containers.begun, built.events) == ([], [])


def test_one_that_was_built_elsewhere_gets_a_new_container(tmp_path: Path) -> None:
    job, session = make_job(tmp_path), FakeSession()
    containers = FakeContainers(session=session)
    with _room(tmp_path, containers, job.plan).bench(job, None) as bench:
        assert bench.session is session
        assert session.open
    assert containers.begun == [((), None, "")]
    assert session.copied == [(tmp_path / "project", PROJECT, (tmp_path,))]
    assert not session.open


def test_a_project_that_is_there_is_not_copied_over(tmp_path: Path) -> None:
    """What `before-all` has made in it would be lost."""
    job, session = make_job(tmp_path), FakeSession()
    room = _room(tmp_path, FakeContainers(session=session), job.plan, has_project=True)
    with room.bench(job, None):
        assert session.copied == []


def test_native_tools_come_first(tmp_path: Path) -> None:
    job = make_job(tmp_path, mode=Mode.ACCELERATED, compiler=Compiler.AUTO)
    containers = FakeContainers(session=FakeSession())
    with _room(tmp_path, containers, job.plan, tools=FakeTools()).bench(job, None) as bench:
        tools = "/aarch64-wheels/compilers:/native/bin"
        assert bench.path == f"/opt/python/cp313-cp313/bin:{tools}:/image/bin"
        assert bench.native == NATIVE
    assert containers.begun == [("cp313-manylinux_aarch64", "")]


def test_another_image_stands_for_both(tmp_path: Path) -> None:
    job, built = make_job(tmp_path), FakeSession()
    clean = FakeSession(effects={FIND: says("/usr/bin/python3.13\n")})
    other = FakeContainers(session=clean, reference="clean")
    tests: Any = TestImage(containers=other, tools=None)  # type: ignore[arg-type]
    room = _room(tmp_path, FakeContainers(session=FakeSession()), job.plan, tests=tests)
    for session in (built, None):
        with room.bench(job, session) as bench:
            assert bench.session is clean
            assert bench.python == PurePosixPath("/usr/bin/python3.13")
            assert bench.path == "/clean/bin"
    assert built.events == []
    assert clean.copied == [(tmp_path / "project", PROJECT, (tmp_path,))] * 2
    assert other.begun == [((), "/clean/bin", "")] * 2


def test_native_tools_stand_behind_what_another_image_has(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    clean = FakeContainers(session=FakeSession(effects={FIND: says("/python\n")}))
    image: Any = TestImage(containers=clean, tools=FakeTools())  # type: ignore[arg-type]
    with image.bench(job, setup(tmp_path, NATIVE, parallel=2)) as bench:
        assert (bench.path, bench.native, bench.parallel) == ("/image/bin:/native/bin", NATIVE, 2)
    assert clean.begun == [(("volume of cp313",), "/image/bin:/native/bin", "")]


INTERPRETERS = {
    "cp313": ("3.13", "cp313-cp313", "python3.13"),
    "cp314t": ("3.14", "cp314-cp314t", "python3.14t"),
    "pp311": ("3.11", "pp311-pypy311_pp73", "pypy3.11"),
}


@pytest.mark.parametrize("tag", INTERPRETERS)
def test_which_interpreter_is_looked_for(tmp_path: Path, tag: str) -> None:
    version, directory, name = INTERPRETERS[tag]
    session = FakeSession(effects={FIND: fails(1, "")})
    job = make_job(tmp_path)
    row = Interpreter(tag=tag, version=version, directory=directory)
    job = replace(job, target=replace(job.target, interpreter=row))
    containers: Any = FakeContainers(session=session)
    with (
        pytest.raises(StageError, match=f"the test image has no {name}\n") as caught,
        TestImage(containers=containers, tools=None).bench(job, setup(tmp_path)),
    ):
        pytest.fail("there is none")
    (asked,) = session.commands
    assert asked.argv[-2:] == (f"/opt/python/{directory}/bin/python", name)
    assert "--test-skip" in caught.value.hint
    assert session.copied == []
