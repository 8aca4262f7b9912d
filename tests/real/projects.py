"""Projects of PyPI that are built unchanged, with what their sdists ship for cibuildwheel.

Only the image is named (no registry is needed for it), and a test where a project ships none.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RealProject:
    """One project.

    Attributes:
        requirement: its sdist. kind: what it stands for.
        python: selectors of the CPythons; those that it does not support are left out by itself.
        options: more of the command, for what the project's own settings leave open.
        wheels: how many are made; 0: one for each CPython.
    """

    requirement: str
    kind: str
    python: tuple[str, ...] = ("cp3*",)
    options: tuple[str, ...] = ()
    wheels: int = 0

    @property
    def name(self) -> str:
        """What pytest calls it."""
        return self.requirement.partition("==")[0].lower()


def _test(command: str, *requires: str) -> tuple[str, ...]:
    return ("--test-command", command, *(("--test-requires", *requires) if requires else ()))


PROJECTS = (
    RealProject(
        requirement="markupsafe==3.0.3",
        kind="one C file, setuptools",
        options=_test("pytest -q {project}/tests", "pytest"),
    ),
    RealProject(
        requirement="msgpack==1.2.4",
        kind="Cython, setuptools",
        options=_test("pytest -q {project}/test", "pytest"),
    ),
    RealProject(
        requirement="idna==3.20",
        kind="pure Python, flit",
        python=("cp39", "cp313", "cp315"),
        options=_test("pytest -q {project}/tests", "pytest", "hypothesis"),
        wheels=1,
    ),
    RealProject(
        requirement="psutil==7.2.2",
        kind="stable ABI (abi3)",
        python=("cp39", "cp311", "cp314"),
        wheels=1,
    ),
    RealProject(
        requirement="levenshtein==0.27.5",
        kind="scikit-build-core, Cython, C++",
        python=("cp313", "cp315"),
    ),
    RealProject(
        requirement="contourpy==1.4.0",
        kind="Meson, pybind11",
        # For 3.15 its settings name an index of nightly builds, which not all networks reach.
        python=("cp313", "cp314"),
    ),
    RealProject(
        requirement="multidict==7.2.1",
        kind="`before-all` of its own installs a system library",
        python=("cp311", "cp314"),
    ),
    RealProject(
        requirement="pyyaml==6.0.3",
        kind="own build backend; libyaml by `before-all`",
        options=(
            *("--before-all", "apt-get install -y libyaml-dev"),
            *_test("python -c 'import yaml; yaml.CSafeLoader; print(yaml.safe_load(\"[1]\"))'"),
        ),
    ),
    RealProject(
        requirement="cffi==2.1.1",
        kind="needs libffi, by `before-all`",
        options=(
            *("--before-all", "apt-get install -y libffi-dev"),
            *_test("pytest -q {project}/src/c -k 'not verify'", "pytest", "setuptools"),
        ),
    ),
)
