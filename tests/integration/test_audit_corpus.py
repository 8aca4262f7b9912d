"""Each wheel of the corpus is refused for its own reason, and for no other."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.audit.catalogue import checks
from aarch64_wheels.audit.model import Level
from aarch64_wheels.cli import main
from aarch64_wheels.errors import ExitCode
from tests.integration.audit_sources import OBJECTS, SOURCES
from tests.integration.conftest import REPOSITORY
from tests.integration.corpus_archives import ARCHIVES, GOOD_ARCHIVES
from tests.integration.corpus_objects import GOOD_OBJECTS, OBJECT_CASES, fuzz_seed
from tests.integration.workshop import Workshop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.audit_corpus import Case, Objects
    from tests.integration.conftest import Accelerated

CORPUS = (*ARCHIVES, *OBJECT_CASES)
GOOD = {**GOOD_ARCHIVES, **GOOD_OBJECTS}


@pytest.fixture(scope="module")
def objects(accelerated: Accelerated) -> Objects:
    """Compile everything in one container."""
    with accelerated() as session:
        shop = Workshop.of_test(session, "audit-corpus")
        shop.write(**SOURCES)
        for name, made in OBJECTS.items():
            for command in made.commands(name):
                shop.run(command)
        place = PurePosixPath("/shim-test/audit-corpus")
        return {name: session.read(place / f"{name}.so", 1 << 24) for name in OBJECTS}


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the command has said of a wheel, and its status."""

    status: int
    wheel: dict[str, Any]

    @property
    def found(self) -> set[tuple[str, str]]:
        return {(row["check"], row["level"]) for row in self.wheel["findings"]}

    def tells(self, words: str) -> bool:
        """Tell whether a finding has these words, wherever."""
        keys = ("message", "evidence", "section", "symbol")
        return any(words in " ".join(row[key] for key in keys) for row in self.wheel["findings"])


def _audit(path: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Run the command."""
    status = main(["audit", "--json", str(path)])
    text = capsys.readouterr().out
    print(text)
    (wheel,) = json.loads(text)["wheels"]
    return Said(status=status, wheel=wheel)


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_its_own_reason_and_no_other(
    case: Case, objects: Objects, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _audit(case.write(objects, tmp_path), capsys)
    level = case.level or checks()[case.check].level
    assert said.found == {(case.check, level)}
    if case.file:
        assert case.file in {row["file"] for row in said.wheel["findings"]}
    for words in case.says:
        assert said.tells(words), words
    assert said.status == (ExitCode.TARGET_FAILED if level is Level.ERROR else ExitCode.OK)


@pytest.mark.parametrize("name", GOOD)
def test_nothing_in_a_good_wheel(
    name: str, objects: Objects, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = _audit(GOOD[name](objects).write(tmp_path), capsys)
    assert said.found == set()
    assert said.status == ExitCode.OK
    assert said.wheel["policy"] == "manylinux_2_17_aarch64"
    assert said.wheel["objects"]


def test_every_check_has_a_wheel() -> None:
    not_by_content = {"import", "illegal-instruction"}  # seen only where code runs
    assert {case.check for case in CORPUS} == checks().keys() - not_by_content


def test_the_fuzz_tests_begin_with_such_a_wheel(objects: Objects, tmp_path: Path) -> None:
    made = fuzz_seed(objects).write(tmp_path)
    kept = REPOSITORY / "tests/unit/data" / made.name
    with zipfile.ZipFile(made) as new, zipfile.ZipFile(kept) as old:
        assert new.namelist() == old.namelist()
