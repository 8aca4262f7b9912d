"""The same input gives the same bytes: wherever, whenever and however busily it is built.

The two runs differ in all that must not count: directories for everything, time zone, locale,
umask, how many targets are built at a time, and what is there from earlier runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.epoch import EARLIEST
from aarch64_wheels.native.places import REPAIR
from aarch64_wheels.repack import repack
from tests.integration.conftest import COMMAND
from tests.integration.test_embedded_apt import INSTALL, PYPROJECT, SHEAF

if TYPE_CHECKING:
    from aarch64_wheels.engine.api import Session


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What one of the two runs has, and the other has not."""

    name: str
    jobs: int
    umask: str
    variables: dict[str, str]
    is_first: bool = False


FIRST = Surroundings(
    name="here",
    jobs=1,
    umask="022",
    variables={"TZ": "UTC", "LC_ALL": "C.UTF-8"},
    is_first=True,
)
SECOND = Surroundings(
    name="elsewhere/and deeper",
    jobs=2,
    umask="077",
    variables={"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
)


def build(tmp_path: Path, surroundings: Surroundings, source: Path | str, *options: str) -> Path:
    """Build in surroundings of its own; gives the output directory."""
    place = tmp_path / surroundings.name
    for name in ("work", "tmp"):
        (place / name).mkdir(parents=True, exist_ok=True)
    if isinstance(source, Path):
        source = str(shutil.copytree(source, place / "source" / source.name))
    output = place / "wheels"
    words = ["build", source, "--image=debian", "--output-dir", str(output), *options]
    words += ["--jobs", str(surroundings.jobs)]
    if not surroundings.is_first:
        words += ["--cache-dir", str(place / "cache")]
    done = subprocess.run(
        ["sh", "-c", 'umask "$0" && exec "$@"', surroundings.umask, *COMMAND, *words],
        cwd=place / "work",
        env={**os.environ, **surroundings.variables, "TMPDIR": str(place / "tmp")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return output


def assert_same(first: Path, second: Path) -> None:
    """Name the files that differ: the bytes of a wheel tell nobody anything."""
    if first.read_bytes() != second.read_bytes():
        one, other = members(first), members(second)
        names = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
        pytest.fail(f"{first.name} differs in {names or 'how it is packed'}")


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


#: A C++ project, one of Cython for two interpreters at a time, one built by CMake.
RELEASES = {
    "c++": ("kiwisolver==1.4.7", ["cp313"]),
    "cython": ("murmurhash==1.0.15", ["cp313", "cp314"]),
    "cmake": ("levenshtein==0.27.3", ["cp313"]),
}


@pytest.mark.parametrize(("source", "python"), RELEASES.values(), ids=RELEASES)
def test_a_release_gives_the_same_wheels_again(
    tmp_path: Path, source: str, python: list[str]
) -> None:
    _built_twice(tmp_path, source, python)


#: meson-python builds in a temporary directory, whose name all of this holds.
MESON = {
    "pyproject.toml": """
        [build-system]
        requires = ["meson-python", "ninja"]
        build-backend = "mesonpy"
        [project]
        name = "wove"
        version = "1.0"
        """,
    "meson.build": """
        project('wove', 'c', version: '1.0')
        place = meson.current_build_dir()
        python = import('python').find_installation(pure: false)
        python.extension_module('wove', 'wove.c', install: true,
            c_args: ['-g', '-DPLACE="' + place + '"'])
        configure_file(input: 'place.py.in', output: 'place.py', configuration: {'place': place},
            install: true, install_dir: python.get_install_dir())
        """,
    "place.py.in": "PLACE = '@place@'\n",
    "wove.c": """
        #include <Python.h>
        static struct PyModuleDef module = { PyModuleDef_HEAD_INIT, "wove", PLACE, -1, NULL };
        PyMODINIT_FUNC PyInit_wove(void) { return PyModule_Create(&module); }
        """,
}


def test_a_project_that_writes_down_where_it_was_built(tmp_path: Path) -> None:
    project = tmp_path / "wove"
    project.mkdir()
    for name, text in MESON.items():
        (project / name).write_text(textwrap.dedent(text).lstrip())
    (wheel,) = _built_twice(tmp_path, project, ["cp313"])
    assert b"/project/.mesonpy-" in members(wheel)["place.py"]


def _built_twice(tmp_path: Path, source: Path | str, python: list[str]) -> list[Path]:
    first, second = (
        sorted(build(tmp_path, surroundings, source, "--python", *python).glob("*.whl"))
        for surroundings in (FIRST, SECOND)
    )
    assert [wheel.name for wheel in first] == [wheel.name for wheel in second]
    assert len(first) == len(python)
    for pair in zip(first, second, strict=True):
        assert_same(*pair)
    return first


@pytest.fixture
def sheaf(tmp_path: Path) -> Path:
    """A project that takes libraries of the image along; it is in a git repository."""
    project = tmp_path / "sheaf"
    project.mkdir()
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "sheaf.c").write_text(SHEAF)
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
    variables = {**os.environ, "GIT_COMMITTER_DATE": "2001-09-09T01:46:40Z"}
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", "-C", project, *words], env=variables, check=True)
    return project


COMMITTED = 1_000_000_000


def test_grafted_libraries_too_and_a_second_repair_changes_nothing(
    tmp_path: Path, sheaf: Path, accelerated_session: Session
) -> None:
    # The sdist is another one each time: its backend writes the current time into it.
    options = ("--python=cp313", "--strip", "--before-build", INSTALL, "--sdist")
    first, second = (
        build(tmp_path, surroundings, sheaf, *options) for surroundings in (FIRST, SECOND)
    )
    (wheel,) = first.glob("*.whl")
    assert_same(wheel, second / wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        assert {row.date_time for row in archive.infolist()} == {(2001, 9, 9, 1, 46, 40)}
        bill = archive.read("sheaf-1.0.dist-info/sboms/auditwheel.cdx.json").decode()
    libraries = [data for name, data in members(wheel).items() if ".so" in name]
    assert len(libraries) == 4
    for data in libraries:
        assert b".symtab\0" not in data
        assert b".dynsym\0" in data
        assert b".note.gnu.build-id\0" in data
    for package in ("libffi7", "liblzma5", "libyaml-0-2"):
        assert f'"purl": "pkg:deb/debian/{package}@' in bill
    again = _repaired(accelerated_session, wheel, tmp_path / "again")
    assert again.name == wheel.name
    repack(again, again, epoch=COMMITTED)
    assert_same(wheel, again)


def _repaired(session: Session, wheel: Path, scratch: Path) -> Path:
    place = PurePosixPath("/again") / wheel.name
    session.copy_in(wheel, place)
    words = ("--plat", "manylinux_2_17_aarch64", "--strip", "--wheel-dir", "/again/repaired")
    session.run([REPAIR, *words, place], sink=print, env={"SOURCE_DATE_EPOCH": str(EARLIEST)})
    scratch.mkdir()
    (copy,) = session.copy_out(PurePosixPath("/again/repaired"), scratch)
    return copy
