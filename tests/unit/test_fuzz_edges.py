"""Random variables, flags and metadata files: an error, or a plan, and never a traceback."""

from __future__ import annotations

import io
import tarfile
from random import Random
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.settings.schema import BuildOptions, options
from aarch64_wheels.settings.tables import all_options
from tests.unit.fuzz_command import numbers, run
from tests.unit.fuzz_documents import ODD, THEIRS, WORDS, Documents

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_remembered_facts")

PYPROJECT = '[project]\nname = "spring"\n[tool.cibuildwheel]\nbefore-all = "true"\n'
#: Where a source is looked for is not for chance to say: it may be on an index.
PLACES = ("source", "config-file")
CFG = ("[metadata]", "[options]", "name = x", "version = attr: y", "python_requires = >=3.9", "  z")
INFO = ("Metadata-Version: 2.4", "Name: x", "Version: 1", "Requires-Python: >=3", "Name", "", " y")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    return tmp_path


def _rng(number: int) -> Random:
    return Random(number)  # noqa: S311 - the same case every time


def _faults(argv: Sequence[str]) -> str:
    outcome = run(argv)
    return f"{outcome.faults()}: {outcome.err[-300:]}" if outcome.faults() else ""


def _variables(rng: Random) -> dict[str, str]:
    """Give what the process's environment can hold: bytes that are no UTF-8, but no NUL."""
    ours = [option.env for option in all_options() if option.name not in PLACES]
    theirs = ["CIBW_" + name.upper().replace("-", "_") for name in THEIRS]
    names = [*theirs, *(f"{name}_LINUX" for name in theirs), "CIBW_INHERIT", "CIBW_\udcff"]
    chosen = [rng.choice(rng.choice((ours, names))) for _ in range(rng.choice((1, 2, 3)))]
    return {name: _text(rng) for name in chosen}


def _text(rng: Random) -> str:
    text = Documents(rng=rng).word().replace("\0", "")
    return text + "\udcff" if rng.random() < 0.05 else text


def test_random_variables(project: Path) -> None:
    bad = {}
    for number in numbers(300):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in _variables(_rng(number)).items():
                patch.setenv(name, value)
            if found := _faults(["plan", str(project), "--matrix"]):
                bad[number] = found
    assert bad == {}


def _flags(rng: Random) -> list[str]:
    known = [*options(), *options(BuildOptions)]
    rows = [option for option in known if option.name not in PLACES]
    words: list[str] = []
    for option in rng.sample(rows, rng.choice((1, 1, 2))):
        many = rng.choice((1, 2)) if option.many else 1
        words += [option.flag, *(_text(rng) for _ in range(many))]
    return words


def test_random_flags(project: Path) -> None:
    bad = {}
    for number in numbers(200):
        form = _rng(number).choice(("--json", "--matrix"))
        if found := _faults(["plan", str(project), form, *_flags(_rng(number))]):
            bad[number] = found
    assert bad == {}


def _lines(rng: Random, rows: tuple[str, ...]) -> bytes:
    chosen = [rng.choice(rows) for _ in range(rng.choice((1, 2, 4, 8)))]
    for _ in range(rng.choice((0, 1, 2))):
        spoiled = rng.choice(rng.choice((ODD, WORDS)))
        chosen.insert(rng.randrange(len(chosen) + 1), rng.choice(("", "name = ")) + spoiled)
    content = "\n".join(chosen).encode("utf-8", "surrogatepass")
    return content + rng.choice((b"", b"", b"\n", b"\xff", b"\0"))


def test_random_setup_cfg(tmp_path: Path) -> None:
    bad = {}
    for number in numbers(200):
        (tmp_path / "setup.cfg").write_bytes(_lines(_rng(number), CFG))
        if found := _faults(["plan", str(tmp_path), "--json"]):
            bad[number] = found
    assert bad == {}


def _sdist(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"spring-1.0/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def test_random_metadata_of_an_sdist(tmp_path: Path) -> None:
    bad = {}
    for number in numbers(150):
        rng = _rng(number)
        files = {"PKG-INFO": _lines(rng, INFO), "setup.cfg": _lines(rng, CFG)}
        if rng.random() < 0.5:
            files |= {"setup.cfg": b"", "pyproject.toml": Documents(rng=rng).document()}
        sdist = tmp_path / "spring-1.0.tar.gz"
        _sdist(sdist, files)
        if found := _faults(["plan", str(sdist), "--json"]):
            bad[number] = found
    assert bad == {}
