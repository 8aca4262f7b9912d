"""A process that audits hostile wheels, with limits.

`fuzz_child DIRECTORY FIRST COUNT SEED...` spoils wheels: it writes the number it is at to
DIRECTORY/at, and what it has found to DIRECTORY/found.json. `fuzz_child DIRECTORY WHEEL` audits one
wheel, and prints what that took.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import resource
import signal
import sys
import time
import traceback
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from rich.console import Console

from aarch64_wheels.audit import check, description
from aarch64_wheels.audit.archive import BROKEN
from aarch64_wheels.audit.document import as_json
from aarch64_wheels.audit.policy import Judgement
from aarch64_wheels.audit.sarif import Subject, as_sarif
from aarch64_wheels.audit.table import tell
from aarch64_wheels.bill.packages import packages_of
from aarch64_wheels.errors import UsageError
from aarch64_wheels.repack import repack
from aarch64_wheels.report.audits import render_audits
from tests.unit.fuzz_wheels import Seed, Wheels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from aarch64_wheels.audit.model import AuditResult

#: Bytes of address space, seconds of the processor for a case, and seconds until it hangs: far more
#: than any of these small wheels needs.
MEMORY, PATIENCE, HANGS = 1 << 30, 2.0, 60
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = frozenset(
    f"os.{name}" for name in ("remove", "rename", "mkdir", "rmdir", "symlink", "link", "truncate")
)
_FORBIDDEN = ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.system", "os.exec")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]|^\s*::", re.MULTILINE)


class HangsError(BaseException):
    """A case does not end."""


@dataclass
class Found:
    """What came of the cases.

    Attributes:
        faults: what no input may bring about, by the case's number. outcomes: how many ended how.
        checks: how many times each check found something. slowest: a case, and its seconds.
        memory: the most that was used, in MiB.
    """

    faults: dict[int, str] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    slowest: tuple[int, float] = (0, 0.0)
    memory: int = 0


class Watch:
    """Takes note of what is written outside of the directories that are for it."""

    def __init__(self, allowed: Path) -> None:
        self._allowed = f"{allowed.resolve()}/"
        self.seen: list[str] = []

    def __call__(self, event: str, words: tuple[Any, ...]) -> None:
        if event in _FORBIDDEN:
            self.seen.append(f"{event} {words!r:.200}")
        elif event in _CHANGES or (event == "open" and words[2] & _WRITING):
            self._note(event, words[0])

    def _note(self, event: str, path: object) -> None:
        if isinstance(path, (str, bytes, os.PathLike)):
            full = os.path.realpath(os.fsdecode(path))
            if not full.startswith(self._allowed) and full != os.devnull:
                self.seen.append(f"{event} {full}")


def main(argv: Sequence[str]) -> None:
    """Run what is asked for, without any other process: auditwheel and its like are not tested."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, _hangs)
    vars(check)["judge"] = lambda *_: Judgement(policy="manylinux_2_17_aarch64", error="")
    vars(check)["stable_abi"] = lambda *_: ()
    vars(description)["render"] = lambda _: ""
    directory = Path(argv[0])
    if len(argv) == 2:
        _measure(Path(argv[1]))
    else:
        _spoil(directory, int(argv[1]), int(argv[2]), [Seed.read(Path(name)) for name in argv[3:]])


def _measure(wheel: Path) -> None:
    signal.alarm(HANGS)
    begun = time.process_time()
    outcome = _audited(wheel, Found())
    print(
        json.dumps(
            {"outcome": outcome, "seconds": time.process_time() - begun, "memory": _memory()}
        )
    )


def _spoil(directory: Path, first: int, count: int, seeds: Sequence[Seed]) -> None:
    """Run cases, and tell."""
    work = directory / "work"
    watch, found = Watch(work), Found()
    sys.addaudithook(watch)
    mark = os.open(directory / "at", os.O_RDWR | os.O_CREAT)
    watch.seen.clear()
    for number in range(first, first + count):
        os.pwrite(mark, f"{number:<20}".encode(), 0)
        _one(number, seeds, work, found)
        if watch.seen:
            found.faults[number] = f"changed what is not its own: {watch.seen[:3]}"
            watch.seen.clear()
    found.memory = _memory()
    (directory / "found.json").write_text(json.dumps(vars(found)), encoding="utf-8")


def _memory() -> int:
    """Give the most that was used, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _one(number: int, seeds: Sequence[Seed], work: Path, found: Found) -> None:
    name, data = Wheels(rng=Random(number), seeds=seeds).case()  # noqa: S311 - the same each time
    path = work / name
    path.write_bytes(data)
    begun = time.process_time()
    signal.alarm(HANGS)
    try:
        outcome = _audited(path, found)
        _repacked(path, number)
    except (Exception, HangsError):  # noqa: BLE001 - that is what is looked for
        outcome = "fault"
        found.faults[number] = traceback.format_exc()[-1500:]
    finally:
        signal.alarm(0)
    seconds = time.process_time() - begun
    found.outcomes[outcome] += 1
    found.slowest = max(found.slowest, (number, seconds), key=lambda pair: pair[1])
    if seconds > PATIENCE:
        found.faults.setdefault(number, f"it took {seconds:.1f} s")
    path.unlink()
    if left := sorted(entry.name for entry in work.rglob("*")):
        found.faults[number] = f"it left {left[:5]}"


def _audited(path: Path, found: Found) -> str:
    try:
        result = check.audit_wheel(path)
    except UsageError as error:
        _look(str(error), error.what)
        return "refused"
    found.checks.update({row.check for row in result.findings})
    _told(path, result)
    with zipfile.ZipFile(path) as archive, contextlib.suppress(*BROKEN):
        packages_of(archive, [row.file for row in result.objects])
    return "ok" if result.ok else "found"


def _told(path: Path, result: AuditResult) -> None:
    """Tell the result in every form."""
    shown = io.StringIO()
    tell(Console(file=shown, width=120, color_system=None), result)
    _look(shown.getvalue(), "the table")
    json.loads(as_json([(path, result)]))
    subject = Subject(uri="x.whl", name=path.name, findings=result.findings)
    json.loads(as_sarif([subject]))
    _look(render_audits([result]), "the summary")


def _look(text: str, where: str) -> None:
    if match := _CONTROL.search(text):
        around = text[max(0, match.start() - 40) :][:80]
        raise AssertionError(f"{where} has {match[0]!r}: {around!r}")


def _repacked(path: Path, number: int) -> None:
    """Write its canonical form, which is one: to write that anew changes nothing."""
    once, twice = (path.with_name(f"{name}.whl") for name in ("once", "twice"))
    try:
        repack(path, once, epoch=number)
        repack(once, twice, epoch=number)
        assert once.read_bytes() == twice.read_bytes()
    except ValueError:
        return
    finally:
        once.unlink(missing_ok=True)
        twice.unlink(missing_ok=True)


def _hangs(number: int, frame: FrameType | None) -> None:
    raise HangsError(f"signal {number} in {frame}")


if __name__ == "__main__":
    main(sys.argv[1:])
