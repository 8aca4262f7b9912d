"""Spoiled wheels and ELF files: an audit says what is wrong, and never fails, hangs or writes.

`AARCH_FUZZ_CASES=100000` runs that many; `AARCH_FUZZ_FIRST=N AARCH_FUZZ_CASES=1` only number N.
`AARCH_FUZZ_WHEELS=DIRECTORY` begins with the wheels there, besides the one that is here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.unit.fuzz_command import numbers

SEED = next(Path(__file__).with_name("data").glob("fast-*.whl"))
REPOSITORY = Path(__file__).parents[2]
#: So many cases a process runs, which begins anew then; so many processes at a time.
BATCH, PROCESSES = 750, 2


def _run(place: Path, first: int, count: int) -> dict[str, Any]:
    """Run cases in a process of their own, with nothing but these directories."""
    (place / "work").mkdir(parents=True)
    beside = place / "beside.txt"
    beside.write_text("untouched", encoding="utf-8")
    more = sorted(Path(os.environ.get("AARCH_FUZZ_WHEELS", os.devnull)).glob("*.whl"))
    argv = [sys.executable, "-P", "-m", "tests.unit.fuzz_child", place, first, count, SEED, *more]
    env = {
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "src")]),
        "TMPDIR": str(place / "work"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MALLOC_ARENA_MAX": "1",  # each arena takes 64 MiB of what is limited
    }
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=place / "work",
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        at = int((place / "at").read_text() or first)
        return {"faults": {at: f"status {done.returncode}: {done.stderr[-1500:]}"}}
    assert beside.read_text(encoding="utf-8") == "untouched"
    assert {row.name for row in place.iterdir()} == {"at", "beside.txt", "found.json", "work"}
    found: dict[str, Any] = json.loads((place / "found.json").read_text(encoding="utf-8"))
    return found


def test_spoiled_wheels(tmp_path: Path) -> None:
    cases = list(numbers(2000))
    batches = [cases[at : at + BATCH] for at in range(0, len(cases), BATCH)]
    with ThreadPoolExecutor(max_workers=PROCESSES) as pool:
        rows = list(pool.map(lambda row: _run(tmp_path / str(row[0]), row[0], len(row)), batches))
    faults = {number: text for row in rows for number, text in row["faults"].items()}
    whole = [row for row in rows if "outcomes" in row]
    outcomes = sum((Counter(row["outcomes"]) for row in whole), Counter[str]())
    print(outcomes, sum((Counter(row["checks"]) for row in whole), Counter[str]()), sep="\n")
    print("slowest:", max((row["slowest"][::-1] for row in whole), default=()))
    print("memory:", max((row["memory"] for row in whole), default=0), "MiB")
    for number, text in faults.items():
        print(f"--- {number}\n{text}")
    assert faults == {}
    assert {"refused", "found"} <= outcomes.keys()
