"""What is set up before the clock runs; a part that fails costs the ways that need it, no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from bench import native, ours
from bench.model import Way
from bench.run import ACCELERATED_IMAGE, FAILURES, Tools
from bench.workplace import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.sources import Catalogue, Source
    from bench.workplace import Workplace

T = TypeVar("T")


@dataclass(kw_only=True)
class Preparation:
    """Sets up the tools, and keeps what went wrong.

    Attributes:
        small: a source that builds in seconds, by which the command sets up its native tools.
    """

    place: Workplace
    catalogue: Catalogue
    small: Source
    notes: list[str] = field(default_factory=list)

    def all(self, sources: Sequence[Source]) -> Tools:
        """Set up everything that builds of these sources need."""
        main = any(source.main for source in sources)
        self._try("compilers for x86-64", native.install_compilers)
        python = self._try(
            "a native CPython", lambda: native.find_python(self.catalogue.python_version)
        )
        self._try("native tools and interpreters", lambda: self._warm(several=main))
        clang = self._try("the native tools' clang", lambda: native.make_clang(self.place))
        accelerated = self._try("the accelerated image", self._accelerate) if main else None
        return Tools(
            python=python, clang=clang, accelerated=accelerated or "", notes=tuple(self.notes)
        )

    def _try(self, what: str, work: Callable[[], T]) -> T | None:
        tell(f"setting up {what}")
        try:
            return work()
        except FAILURES as error:
            note = f"{what} could not be set up: {self.place.reason(error)}"
            tell(note)
            self.notes.append(note)
            return None

    def _warm(self, *, several: bool) -> None:
        """Have the command make and load what it keeps for all sources, and for each policy."""
        pythons = self.catalogue.five if several else (self.catalogue.python,)
        self._build_small(ours.options_of(Way.ACCELERATED), pythons)
        self._build_small(ours.options_of(Way.NATIVE_ONLY), (self.catalogue.python,))

    def _build_small(self, options: Sequence[str], pythons: Sequence[str]) -> None:
        words: list[str | Path] = ["build", self.place.sdist(self.small), "--image", "debian"]
        words += [*options, "--python", *pythons, "--output-dir", self.place.fresh("warm")]
        self.place.command(words, self._log("native-tools"))

    def _accelerate(self) -> str:
        log = self._log("accelerated-image")
        self.place.command(["image", "accelerate", "debian", "--tag", ACCELERATED_IMAGE], log)
        return ACCELERATED_IMAGE

    def _log(self, name: str) -> Path:
        log = self.place.logs / f"{name}.log"
        log.unlink(missing_ok=True)
        return log
