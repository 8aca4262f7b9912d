"""A real engine, the real embedded image, real builds: made once for all tests that need them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import platformdirs
import pytest

from aarch64_wheels.commands.inputs import Host
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.settings.schema import EngineName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REPOSITORY = Path(__file__).parents[2]
PROJECTS = REPOSITORY / "tests/projects"
COMMAND = (sys.executable, "-P", "-m", "aarch64_wheels")


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
def spring() -> Path:
    return PROJECTS / "spring"


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
