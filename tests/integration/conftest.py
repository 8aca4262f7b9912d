"""A real engine, the real embedded image, real builds: made once for all tests that need them."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import platformdirs
import pytest

from aarch64_wheels.commands.containers import Containers
from aarch64_wheels.commands.inputs import Host, native_system, open_settings_source, plan_source
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.native.setup import NativeTools, Preparation
from aarch64_wheels.settings.schema import Compiler, EngineName, Mode, Settings
from tests.layers import layers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.plan import Plan

REPOSITORY = Path(__file__).parents[2]
PROJECTS = REPOSITORY / "tests/projects"
COMMAND = (sys.executable, "-P", "-m", "aarch64_wheels")


def copy_repository(place: Path) -> Path:
    """Copy the repository as it stands, committed or not, without its workflows."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for name in filter(None, found.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, place / name)
    shutil.rmtree(place / ".github/workflows")
    return place


class Run(Protocol):
    def __call__(
        self, *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(scope="session")
def run() -> Run:
    """Run the command as a user does, in a process of its own."""

    def run_command(
        *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "COLUMNS": "200", **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    return run_command


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[Engine]:
    engine = connect(EngineName.AUTO, os.environ)
    yield engine
    engine.close_all()


@pytest.fixture(scope="session")
def embedded_image() -> EmbeddedImage:
    cache = platformdirs.user_cache_path("aarch64-wheels")
    return EmbeddedImage.of_this_version(cache, Host.current(os.environ).index)


@pytest.fixture(scope="session")
def debian_image(shared_engine: Engine, embedded_image: EmbeddedImage) -> str:
    """The embedded image's name in the engine, assembled if it is not kept."""
    return embedded_image.ensure(shared_engine, print)


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test projects, away from this repository: a build would copy all of that."""
    return shutil.copytree(PROJECTS, tmp_path_factory.mktemp("projects") / "tests")


@pytest.fixture(scope="session")
def spring(projects: Path) -> Path:
    return projects / "spring"


@pytest.fixture(scope="session")
def spring_wheelhouse(
    run: Run, spring: Path, debian_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The small C++ project, built for all CPythons of the embedded image, once."""
    place = tmp_path_factory.mktemp("a place with spaces")
    done = run("build", spring, "--image", "debian", "--output-dir", "wheel house", cwd=place)
    print(debian_image, done.stdout, done.stderr)
    assert done.returncode == 0
    return place / "wheel house"


class Accelerated(Protocol):
    def __call__(
        self, python: str = "cp313", compiler: Compiler = Compiler.AUTO
    ) -> AbstractContextManager[Session]: ...


@pytest.fixture(scope="session")
def accelerated(shared_engine: Engine, debian_image: str, spring: Path) -> Accelerated:
    """Start containers of the embedded image as a build in mode `accelerated` has them."""
    host = Host.current(os.environ)
    cache = platformdirs.user_cache_path("aarch64-wheels")
    containers = Containers(
        engine=shared_engine,
        host=host,
        reference=debian_image,
        emulated=platform.machine() != "aarch64",
        run_id="test",
    )

    def start(
        python: str = "cp313", compiler: Compiler = Compiler.AUTO
    ) -> AbstractContextManager[Session]:
        settings = Settings(
            source=str(spring),
            image="debian",
            python=(python,),
            mode=Mode.ACCELERATED,
            compiler=compiler,
            cache_dir=cache,
        )
        with tempfile.TemporaryDirectory() as scratch:
            source = open_settings_source(settings, host, Path(scratch))
            plan = plan_source(layers_of(settings), source, host)
        tools = _native_tools(shared_engine, host, plan, containers)
        return containers.accelerated(plan, plan.targets[0], tools)

    return start


def _native_tools(engine: Engine, host: Host, plan: Plan, containers: Containers) -> NativeTools:
    cache = platformdirs.user_cache_path("aarch64-wheels")
    with native_system(True, cache, host, print) as system:
        preparation = Preparation(
            engine=engine, system=system, cache_dir=cache, index=host.index, note=print
        )
        image_id = engine.image_id(containers.reference)
        return preparation.prepare(plan, image_id, containers.plain)


@pytest.fixture
def accelerated_session(accelerated: Accelerated) -> Iterator[Session]:
    """A container of the embedded image with native tools, and a native CPython 3.13."""
    with accelerated() as session:
        yield session
