"""Builds without containers, on what passes for an arm64 machine: this program in a container."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.audit.check import audit_wheel
from aarch64_wheels.commands.containers import Containers
from aarch64_wheels.commands.inputs import Host
from aarch64_wheels.errors import CommandError
from aarch64_wheels.wheels import find_uv
from tests.integration.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.engine.api import Session
    from aarch64_wheels.engine.client import Engine

#: Of this version, because its bytecode can be made natively if that runs the tests, too.
PYTHON = PurePosixPath("/opt/python/cp311-cp311/bin/python")
OURS, HOME = PurePosixPath("/ours"), PurePosixPath("/home/somebody")
USER = "1000"
#: A file that is as old as the machine.
BEFORE = HOME / "before"
SECRETS = {"CI_JOB_TOKEN": "a secret", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "another"}
TARGETS = ("cp311-manylinux_aarch64", "cp313-manylinux_aarch64")

#: A project whose backend tells which variables and places it was given; its `before-build`
#: uses `python` and `pip` by these names.
PYPROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "telling"
backend-path = ["."]
[project]
name = "tiny"
version = "1.0"
[tool.cibuildwheel]
before-build = "echo PIP $(command -v pip) && python --version && test -f {project}/tiny.c"
environment = 'WHERE="$PWD"'
"""
BACKEND = """
import os
from setuptools.build_meta import *
from setuptools import build_meta

def build_wheel(*arguments):
    print("PLACE", os.getcwd(), os.environ["WHERE"], arguments[0])
    print("NAMES", *sorted(os.environ))
    return build_meta.build_wheel(*arguments)
"""
SETUP = (
    "from setuptools import Extension, setup\nsetup(ext_modules=[Extension('tiny', ['tiny.c'])])"
)
MODULE = """#include <Python.h>
static PyModuleDef d = {PyModuleDef_HEAD_INIT, "tiny"};
PyMODINIT_FUNC PyInit_tiny(void) { return PyModule_Create(&d); }
"""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout with what it requires, as an arm64 machine would install it."""
    site = tmp_path_factory.mktemp("ours")
    words = ["pip", "install", "--quiet", f"--target={site}", "--python-version=3.11"]
    words += ["--python-platform=aarch64-unknown-linux-gnu", "--only-binary=:all:", "--no-deps"]
    words += ["--compile-bytecode", "--require-hashes"]
    words += [f"--requirements={REPOSITORY / 'requirements' / name}.txt" for name in ("run", "uv")]
    subprocess.run([find_uv(), *words], check=True, cwd=site)
    package = site / "aarch64_wheels"
    shutil.copytree(REPOSITORY / "src/aarch64_wheels", package, ignore=_no_bytecode)
    return site


def _no_bytecode(_directory: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__"]


@pytest.fixture(scope="module")
def machine(shared_engine: Engine, debian_image: str, ours: Path) -> Iterator[Session]:
    """An arm64 machine: the embedded image with this program, and a user who is not root."""
    containers = Containers(
        engine=shared_engine,
        host=Host.current(os.environ),
        reference=debian_image,
        emulated=True,
        run_id="test",
    )
    with containers.plain() as session:
        session.copy_in(ours, OURS)
        session.run(["mkdir", "--parents", HOME], sink=print)
        session.run(["chown", USER, HOME], sink=print)
        session.run(["chmod", "--recursive", "a+rX", OURS], sink=print)
        session.run(["touch", BEFORE], sink=print)
        yield session


def ours_on(session: Session, *arguments: str) -> str:
    """Run this program as that user, with a job's secrets among its variables."""
    as_user = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")
    command = (str(PYTHON), "-P", "-m", "aarch64_wheels", *arguments)
    env = {"HOME": str(HOME), "PYTHONPATH": str(OURS), "COLUMNS": "200", **SECRETS}
    # This program takes the machine for a real one, and so takes QEMU's crashes for its own.
    for _ in range(2):
        try:
            return session.capture([*as_user, *command], sink=print, env=env, cwd=HOME)
        except CommandError as error:
            if "uncaught target signal" not in error.found:
                raise
            print("QEMU has crashed: once more")
    return session.capture([*as_user, *command], sink=print, env=env, cwd=HOME)


@pytest.fixture(scope="module")
def built(machine: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build for two CPythons leaves in the output directory, without the report's logs."""
    files = {"pyproject.toml": PYPROJECT, "telling.py": BACKEND, "setup.py": SETUP}
    for name, text in {**files, "tiny.c": MODULE}.items():
        machine.write(HOME / "tiny" / name, text.encode())
    tags = [identifier.partition("-")[0] for identifier in TARGETS]
    out = HOME / "out"
    words = ("build", "tiny", "--engine", "none", "--output-dir", str(out), "--python")
    print(ours_on(machine, *words, *tags))
    place = tmp_path_factory.mktemp("built")
    machine.copy_out(out / "logs", place / "logs")
    machine.run(["rm", "--recursive", out / "logs"], sink=print)
    machine.copy_out(out, place)
    return place


def test_each_target_gets_a_wheel_that_passes_the_audit(built: Path) -> None:
    wheels = sorted(built.glob("*.whl"))
    assert [wheel.name.split("-")[2] for wheel in wheels] == ["cp311", "cp313"]
    for wheel in wheels:
        result = audit_wheel(wheel, plat="manylinux2014_aarch64")
        # Debian's interpreters have extensions compiled with -g.
        assert {row.check for row in result.findings} <= {"debug-info"}, wheel.name
        assert result.ok
    report: dict[str, Any] = json.loads((built / "report.json").read_text())
    assert [target["identifier"] for target in report["targets"]] == list(TARGETS)
    assert (report["mode"], report["engine"]) == ("native", "none (this machine itself)")
    assert report["image"] == "the host with glibc"


@pytest.mark.parametrize("identifier", TARGETS)
def test_a_build_is_in_a_private_place_and_sees_no_secrets(built: Path, identifier: str) -> None:
    log = (built / "logs" / f"{identifier}.log").read_text()
    told = {line.split()[0]: line.split()[1:] for line in log.splitlines() if line.strip()}
    here, evaluated, wheels = told["PLACE"]
    assert here == evaluated
    assert (Path(here).name, Path(wheels).name) == ("project", "built")
    assert Path(here).parent == Path(wheels).parents[1]
    assert {"PATH", "HOME", "TMPDIR", "CIBUILDWHEEL"} <= set(told["NAMES"])
    assert not SECRETS.keys() & set(told["NAMES"])
    # `before-build` has the target's own Python and pip, and not this machine's to change.
    tag = identifier.partition("-")[0]
    assert f"/python/{tag}-{tag}/" in told["PIP"][0]
    assert told["Python"][0].startswith(f"3.{tag.removeprefix('cp3')}.")


def test_nothing_is_left_behind(machine: Session, built: Path) -> None:
    assert built
    assert machine.capture(["find", "/tmp", "-mindepth", "1"]) == ""
    changed = machine.capture(["find", "/opt/python", "/usr", "-newer", BEFORE])
    assert changed == "", "the machine's own interpreters"


def test_the_doctor_finds_the_machine_fit(machine: Session) -> None:
    told = json.loads(ours_on(machine, "doctor", "--engine", "none", "--json"))
    checks = {check["name"]: check for check in told["checks"]}
    assert told["fit"] is True
    # Those of this image's /opt/python are environments of its system's interpreters.
    tags = [text.split()[0] for text in checks["interpreters"]["found"].split(", ")]
    assert tags == ["cp39", "cp311", "cp313", "cp314", "cp315"]
    assert checks["C compiler"]["found"].endswith("/cc")
    assert not {"engine", "emulation"} & checks.keys()
