"""What came of trying wheels: findings, and wheels that could not be tried, which stop no other."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aarch64_wheels.errors import StageError, UnfitError, UsageError
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from aarch64_wheels.audit.model import Finding
    from aarch64_wheels.errors import AarchWheelsError

#: What one wheel may raise; an interrupt is none of these.
REFUSALS = (UsageError, UnfitError, StageError)
#: Characters of an error's evidence that are told: it may be many lines of a command.
_MOST_WORDS = 300


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What came of all wheels.

    Attributes:
        findings: by wheel. untried: wheels that could not be tried, or not to the end.
        unfit: why nothing can be tried on this machine, None if it can.
    """

    findings: Mapping[Path, tuple[Finding, ...]]
    untried: frozenset[Path] = frozenset()
    unfit: AarchWheelsError | None = None


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """Collects the wheels that cannot be tried.

    Attributes:
        note: told why. paths: of these wheels.
    """

    note: Callable[[str], None]
    paths: set[Path] = field(default_factory=set)

    @contextmanager
    def kept(self, path: Path) -> Iterator[None]:
        """Note an error, and go on after the block: the other wheels are none the worse for it."""
        try:
            yield
        except REFUSALS as error:
            self.paths.add(path)
            self.note(_not_run(path.name, error))


def _not_run(name: str, error: AarchWheelsError) -> str:
    whose = "" if name in error.what else f"{name}: "
    found = f": {one_line(error.found)[:_MOST_WORDS]}" if error.found else ""
    hint = f"; next: {error.hint}" if error.hint else ""
    return one_line(f"not run: {whose}{error.what}{found}{hint}")
