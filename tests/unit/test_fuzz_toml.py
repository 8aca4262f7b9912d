"""Random TOML as pyproject.toml and as --config-file: an error, or a plan, and never a traceback.

`AARCH_FUZZ_CASES=100000` runs that many; `AARCH_FUZZ_FIRST=N AARCH_FUZZ_CASES=1` only number N.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.unit.fuzz_command import numbers, run
from tests.unit.fuzz_documents import Documents

if TYPE_CHECKING:
    from pathlib import Path

FORMS = ((), *(("--json",), ("--matrix",)) * 4)  # the table takes longer to draw


def _write(number: int, directory: Path) -> list[str]:
    """Write the files of a case, and give its command line."""
    rng = Random(number)  # noqa: S311 - the same case every time
    documents = Documents(rng=rng)
    pyproject = directory / "pyproject.toml"
    argv = ["plan", str(directory), *rng.choice(FORMS)]
    if rng.random() < 0.7:
        pyproject.write_bytes(documents.document())
        return argv
    pyproject.write_text('[project]\nname = "spring"\n', encoding="utf-8")
    (directory / "other.toml").write_bytes(documents.document())
    return [*argv, "--config-file", str(directory / "other.toml")]


@pytest.mark.usefixtures("_remembered_facts")
def test_random_toml(tmp_path: Path) -> None:
    codes: Counter[int] = Counter()
    bad: dict[int, str] = {}
    for number in numbers(1000):
        argv = _write(number, tmp_path)
        outcome = run(argv)
        codes[outcome.code] += 1
        if faults := outcome.faults():
            bad[number] = f"{', '.join(faults)}: {outcome.err[-300:]}"
        if number % 20 == 0:
            again = run(argv)
            if (again.code, again.out, again.err) != (outcome.code, outcome.out, outcome.err):
                bad[number] = "another answer the second time"
    print(codes)
    assert bad == {}
    assert codes[0] > 0
    assert codes[2] > 0
