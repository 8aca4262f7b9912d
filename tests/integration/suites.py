"""The test suites that the public packages' sdists hold, run under emulation."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.stages.job import UV_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aarch64_wheels.engine.api import Session

INTERPRETER = "/opt/python/cp313-cp313/bin/python"
_PLACE = PurePosixPath("/suites")
_ENVIRONMENT = _PLACE / "environment"
#: A test that hangs under QEMU must not take the machine: coreutils' `timeout`, in seconds.
_LIMIT = "900"


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The tests that a package's sdist holds, and how much of them is run.

    Attributes:
        copied: what of the sdist they need; never the package itself, or its source would be
            what is tested.
        tests: what pytest is given. requires: what they import.
    """

    copied: tuple[str, ...]
    tests: tuple[str, ...]
    requires: tuple[str, ...] = ()


SUITES: Mapping[str, Suite] = {
    "kiwisolver": Suite(copied=("py/tests",), tests=("py/tests",)),
    "msgpack": Suite(copied=("test",), tests=("test",)),
    # pytest-run-parallel, which its own CI uses, runs each test many times: left out.
    "markupsafe": Suite(copied=("tests",), tests=("tests",)),
    # The tests of the C code itself. Those of testing/cffi1 and most of cffi0 compile an
    # extension for each test with the compiler of the machine: hours under QEMU, and nothing of
    # this wheel's compilation is in their results.
    "cffi": Suite(
        copied=("src/c/test_c.py", "testing"),
        tests=("src/c/test_c.py", "testing/cffi0/test_function.py", "testing/cffi0/test_ctypes.py"),
        requires=("setuptools", "packaging"),
    ),
    # Of the others, some compare images that matplotlib draws, and the largest repeat these
    # algorithms on random data for many minutes under QEMU.
    "contourpy": Suite(
        copied=("tests",),
        tests=tuple(f"tests/test_{name}.py" for name in ("minimal", "static", "enum", "z_interp")),
        requires=("numpy",),
    ),
    "levenshtein": Suite(copied=("tests",), tests=("tests",), requires=("rapidfuzz",)),
}


def install_suites(session: Session) -> None:
    """Make an environment of the image's own interpreter, with what the suites import."""
    session.run(
        ["uv", "venv", "--python", INTERPRETER, _ENVIRONMENT], sink=print, env=UV_ENVIRONMENT
    )
    shared = {"pytest", "pycparser"}
    requires = sorted(shared.union(*(suite.requires for suite in SUITES.values())))
    python = _ENVIRONMENT / "bin/python"
    session.run(
        ["uv", "pip", "install", "--only-binary=:all:", "--python", python, *requires],
        sink=print,
        env=UV_ENVIRONMENT,
    )


def run_suite(session: Session, suite: Suite, wheel: Path, sdist: Path) -> dict[str, str]:
    """Run a suite with a wheel installed; gives each test's outcome."""
    place = _PLACE / wheel.parent.name / wheel.name.split("-")[0]
    site, results = place / "site", place / "results.xml"
    install_wheel(session, wheel, site)
    for name in suite.copied:
        session.copy_in(sdist / name, place / "tests" / name)
    script = f'timeout {_LIMIT} "$@"; status=$?; [ $status -le 1 ] || exit $status'
    session.run(
        [
            *("sh", "-c", script, "sh", _ENVIRONMENT / "bin/python", "-P", "-m", "pytest"),
            *("-q", "-p", "no:cacheprovider", f"--junitxml={results}"),
            *suite.tests,
        ],
        sink=print,
        env={"PYTHONPATH": str(site)},
        cwd=place / "tests",
    )
    return _outcomes(session.read(results, 1 << 24).decode())


def install_wheel(session: Session, wheel: Path, site: PurePosixPath) -> None:
    """Install a wheel for the image's CPython 3.13, by its tags, into a directory of its own."""
    copy = site.parent / wheel.name
    session.copy_in(wheel, copy)
    argv = ("uv", "pip", "install", "--no-deps", "--no-index", "--python", INTERPRETER)
    session.run([*argv, "--target", site, copy], sink=print, env=UV_ENVIRONMENT)


def _outcomes(xml: str) -> dict[str, str]:
    """Read pytest's report: `passed`, `skipped`, or what went wrong."""
    cases = ET.fromstring(xml).iter("testcase")  # noqa: S314 - our own pytest has written it
    return {
        f"{case.get('classname')}::{case.get('name')}": next(
            (child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed"
        )
        for case in cases
    }
