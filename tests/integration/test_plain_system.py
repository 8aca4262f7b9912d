"""A wheel serves a user: in a plain Debian aarch64 system, which has built nothing."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import platformdirs
import pytest

from aarch64_wheels.embedded.archive import ImageConfig, write_archive
from aarch64_wheels.embedded.fetch import fetch_set
from aarch64_wheels.embedded.finish import finish_system
from aarch64_wheels.embedded.recipe import PackageSet
from aarch64_wheels.embedded.unpack import prepare_root, unpack
from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.engine.client import Engine
    from tests.integration.conftest import Run

#: Debian 12 with its own CPython 3.11: no compiler, no headers, another glibc than the image's.
PLAIN = PackageSet(
    name="plain-debian",
    suite="bookworm",
    architecture="arm64",
    into="/",
    closure=(
        "base-files",
        "base-passwd",
        "bash",
        "ca-certificates",
        "coreutils",
        "dash",
        "gawk",
        "libc-bin",
        "python3",
        "python3-venv",
    ),
    alone=(),
)

SOLVE = """
import kiwisolver as k
left, width, right = k.Variable("left"), k.Variable("width"), k.Variable("right")
solver = k.Solver()
for constraint in (right == left + width, left == 10, width >= 20, (right == 25) | "weak"):
    solver.addConstraint(constraint)
solver.updateVariables()
assert (left.value(), width.value(), right.value()) == (10.0, 20.0, 30.0), solver.dumps()
try:
    solver.addConstraint(width <= 5)
except k.UnsatisfiableConstraint:
    print("solved", k.__file__)
"""


@pytest.fixture(scope="module")
def kiwisolver(run: Run, debian_image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the release that the README's demo builds, for one CPython."""
    assert debian_image
    output = tmp_path_factory.mktemp("kiwisolver")
    arguments = ["--image=debian", "--python=cp311", "--output-dir", str(output)]
    done = run("build", "kiwisolver==1.4.7", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = output.glob("kiwisolver-1.4.7-cp311-cp311-*.whl")
    return wheel


@pytest.fixture(scope="module")
def plain_image(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    scratch = tmp_path_factory.mktemp("plain")
    root = scratch / "root"
    prepare_root(root)
    kept = platformdirs.user_cache_path("aarch64-wheels") / "debs" / f"plain-{PLAIN.key}"
    with Processes() as processes:
        unpack(fetch_set(PLAIN, kept, processes), root, processes)
    finish_system(root)
    config = ImageConfig(tag="local/plain-debian:1", environment={}, labels={})
    write_archive(root, config, scratch / "plain.tar")
    shared_engine.load(scratch / "plain.tar")
    yield config.tag
    shared_engine.client.images.remove(config.tag)


def test_the_wheel_installs_and_solves_in_a_plain_system(
    shared_engine: Engine, plain_image: str, kiwisolver: Path
) -> None:
    lines: list[str] = []
    with shared_engine.start_session(plain_image, ContainerSpec(emulated=True)) as session:
        wheel = PurePosixPath("/wheels") / kiwisolver.name
        session.copy_in(kiwisolver, wheel)
        session.run(["python3", "-m", "venv", "/fresh"], sink=lines.append)
        pip = ("/fresh/bin/python", "-m", "pip")
        install = (*pip, "install", "--no-deps", "--no-index", str(wheel))
        session.run(install, sink=lines.append)
        answer = session.capture(["/fresh/bin/python", "-c", SOLVE])
    assert answer.startswith("solved /fresh/lib/python3.11/site-packages/kiwisolver/"), lines
