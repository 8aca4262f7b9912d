"""Runs `plan` in this process for fuzz tests, and says what must hold of every run."""

from __future__ import annotations

import io
import os
import re
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels import cli

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: How many cases a test runs: many for those who ask.
CASES = "AARCH_FUZZ_CASES"
FIRST = "AARCH_FUZZ_FIRST"
#: Seconds of the processor's time that no plan may take: some hundred times the usual.
_SLOW = 5.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float

    def faults(self) -> list[str]:
        """Name what no input may bring about."""
        shown = [*self.err.splitlines(), *self.out.splitlines()]
        is_named = re.search(r"^(.*: )?error: ", self.err, re.MULTILINE)
        noted = all(line.startswith("note: ") for line in self.err.splitlines())
        found = {
            f"exit code {self.code}": self.code not in (0, 2, 3),
            "a traceback": "Traceback" in self.err,
            "an internal error": "internal error" in self.err,
            "no error is named": bool(self.code) and not is_named,
            "other than notes": not self.code and not noted,
            "output of a failure": bool(self.code) and bool(self.out),
            "a workflow command": any(line.lstrip().startswith("::") for line in shown),
            "a control character": any(re.search(r"[\x00-\x1f\x7f]", line) for line in shown),
            "slow": self.seconds > _SLOW,
        }
        return [what for what, is_so in found.items() if is_so]


def numbers(usual: int) -> Iterator[int]:
    """Give the numbers of the cases to run."""
    first = int(os.environ.get(FIRST, "0"))
    return iter(range(first, first + int(os.environ.get(CASES, usual))))


def run(argv: Sequence[str]) -> Outcome:
    """Run the command as a shell would, with streams that are as strict as a pipe's."""
    out, err = (_stream(errors) for errors in ("strict", "backslashreplace"))
    begun = time.process_time()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = cli.main(argv)
        except SystemExit as end:  # argparse's own way
            code = end.code if isinstance(end.code, int) else 1
    seconds = time.process_time() - begun
    return Outcome(code=code, out=_written(out), err=_written(err), seconds=seconds)


def _stream(errors: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors=errors, write_through=True)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")
