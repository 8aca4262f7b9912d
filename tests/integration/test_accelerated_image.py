"""An accelerated image serves cibuildwheel and `docker build` as it is, with native compilers."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from elftools.elf.elffile import ELFFile

from aarch64_wheels.audit.check import audit_wheel
from tests.integration.test_cibuildwheel import cibuildwheel_spring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine
    from tests.integration.conftest import Run

TAG = "aarch64-wheels-test/accelerated:1"

#: Compiles, links and runs, as a user's Dockerfile may.
DOCKERFILE = f"""\
FROM {TAG}
RUN echo 'int main(void) {{ return 7; }}' > /tmp/seven.c \\
    && gcc /tmp/seven.c -o /tmp/seven \\
    && cmake --version && ninja --version && uv --version \\
    && sh -c '/tmp/seven; echo status $?' && uname -m
"""


@pytest.fixture(scope="module")
def accelerated(shared_engine: Engine, run: Run, debian_image: str) -> Iterator[str]:
    """The embedded image, accelerated by the command."""
    done = run("image", "accelerate", "debian", "--tag", TAG)
    print(debian_image, done.stdout, done.stderr)
    assert done.returncode == 0
    yield TAG
    shared_engine.forget_image(TAG)


@pytest.fixture(scope="module")
def attributes(accelerated: str, shared_engine: Engine) -> dict[str, Any]:
    found: dict[str, Any] = shared_engine.client.images.get(accelerated).attrs
    return found


def test_the_images_own_settings_stay(
    attributes: dict[str, Any], debian_image: str, shared_engine: Engine
) -> None:
    base = shared_engine.client.images.get(debian_image).attrs
    config, below = attributes["Config"], base["Config"]
    assert (attributes["Architecture"], config["Cmd"]) == ("arm64", below["Cmd"])
    assert config["Labels"].items() >= below["Labels"].items()
    path = next(row for row in below["Env"] if row.startswith("PATH=")).removeprefix("PATH=")
    own = {row for row in below["Env"] if not row.startswith("PATH=")}
    assert own | {"QEMU_CPU=cortex-a72"} < set(config["Env"])
    assert f"PATH=/aarch64-wheels/compilers:/native/bin:{path}" in config["Env"]


def test_a_second_time_nothing_is_made(accelerated: str, run: Run, shared_engine: Engine) -> None:
    before = shared_engine.image_id(accelerated)
    done = run("image", "accelerate", "debian", "--tag", TAG)
    assert done.returncode == 0, done.stderr
    assert [line.partition(" s  ")[2] for line in done.stdout.splitlines()] == [f"{TAG} is ready"]
    assert shared_engine.image_id(accelerated) == before


@pytest.mark.usefixtures("accelerated")
def test_it_is_not_accelerated_twice(run: Run) -> None:
    done = run("image", "accelerate", TAG, "--tag", "aarch64-wheels-test/other:1")
    assert done.returncode == 2
    assert "accelerated image already" in done.stderr


@pytest.mark.usefixtures("accelerated")
def test_it_is_a_base_for_docker_build(shared_engine: Engine) -> None:
    answers = list(
        shared_engine.client.api.build(
            fileobj=io.BytesIO(DOCKERFILE.encode()),
            platform="linux/arm64",
            rm=True,
            forcerm=True,
            nocache=True,
            decode=True,
        )
    )
    output = "".join(str(row.get("stream", row.get("error", ""))) for row in answers)
    made = re.search(r"Successfully built (\w+)", output)
    assert made, output
    shared_engine.forget_image(made[1])
    assert "status 7" in output
    assert "aarch64" in output


def test_cibuildwheel_builds_in_it_with_native_compilers(
    accelerated: str, spring: Path, tmp_path: Path
) -> None:
    wheel = cibuildwheel_spring(accelerated, spring, tmp_path)
    assert audit_wheel(wheel, plat="manylinux2014_aarch64").ok
    assert any("clang" in text for text in compilers(wheel))


def compilers(wheel: Path) -> list[str]:
    """What the extension modules of a wheel say of the compilers that made them."""
    with zipfile.ZipFile(wheel) as archive:
        libraries = [name for name in archive.namelist() if name.endswith(".so")]
        elves = [ELFFile(io.BytesIO(archive.read(name))) for name in libraries]
    sections = [elf.get_section_by_name(".comment") for elf in elves]
    return [section.data().decode() for section in sections if section is not None]
