"""What is made of the answers: findings of the checks `import` and `illegal-instruction`."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditwheel.architecture import Architecture
from auditwheel.libc import Libc
from auditwheel.policy import WheelPolicies

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.model import Level
from aarch64_wheels.audit.run.place import Place
from aarch64_wheels.crash import CRASHES, KILLED, describe_ending, signal_of
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aarch64_wheels.audit.model import Finding
    from aarch64_wheels.audit.run.extensions import Importable
    from aarch64_wheels.audit.run.outcome import Outcome

_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
#: glibc's words, and musl's.
_NO_LIBRARY = re.compile(
    r"^([^\s:]+): cannot open shared object file|Error loading shared library ([^\s:]+): No such"
)
#: CPython's words, since 3.8.
_CIRCLE = "most likely due to a circular import"
_SIGILL = "SIGILL"
#: What `brk` ends a process by, which GCC makes of `__builtin_trap()`.
_SIGTRAP = "SIGTRAP"
_ABOVE = "an instruction that is not of ARMv8.0 ends the process by SIGILL"
_GIVEN_UP = "the code gives up by SIGILL, with an instruction that no processor has"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One wheel in one interpreter.

    Attributes:
        wheel: what was tried. python: the interpreter's name, for people.
        emulated: it ran under QEMU.
        complete: the wheel's dependencies are installed.
        seconds: what one import may take.
    """

    wheel: Importable
    python: str
    emulated: bool
    complete: bool
    seconds: float

    def findings(self, outcomes: Iterable[Outcome]) -> Iterator[Finding]:
        """Say what went wrong; one finding for each place of an illegal instruction."""
        rows = sorted(outcomes, key=lambda row: row.index)
        for row in rows:
            if not self._is_illegal(row) and row.state not in ("ok", "left-out"):
                yield self._failure(row)
        yield from self._illegal(row for row in rows if self._is_illegal(row))
        yield from self._unanswered({row.index for row in rows})

    def not_installed(self, words: str) -> Finding:
        """Say that the wheel cannot be installed, with the installer's words."""
        return found(
            "import", f"the wheel cannot be installed for {self.python}", evidence=one_line(words)
        )

    def _is_illegal(self, row: Outcome) -> bool:
        return row.state == "illegal" or (
            row.state == "signal" and signal_of(-row.signal) == _SIGILL
        )

    def _illegal(self, rows: Iterable[Outcome]) -> Iterator[Finding]:
        by_place: dict[Place, list[Outcome]] = {}
        for row in rows:
            by_place.setdefault(Place.of(row, self.wheel), []).append(row)
        for place, group in by_place.items():
            more = f" and {len(group) - 1} more" if len(group) > 1 else ""
            importing = f"while importing {one_line(group[0].name)}{more} with {self.python}"
            yield found(
                "illegal-instruction",
                _GIVEN_UP if place.gives_up else _ABOVE,
                evidence=f"{place.words}, {importing}",
                file=place.file or ("" if place.object else self._member(group[0])),
                symbol=place.function,
                # What another package brings is not for this wheel's maintainer to compile.
                level=Level.WARNING if place.is_foreign else None,
            )

    def _unanswered(self, answered: set[int]) -> Iterator[Finding]:
        lost = [row.member for at, row in enumerate(self.wheel.extensions) if at not in answered]
        if lost:
            more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
            yield found(
                "import",
                f"{self.python} gave no answer of an extension{more}",
                evidence="the process that watches over imports has ended",
                file=lost[0],
            )

    def _failure(self, row: Outcome) -> Finding:
        name = one_line(row.name)
        level = Level.ERROR
        evidence = one_line(row.last_line)
        match row.state:
            case "error":
                level, message, evidence = self._exception(row)
            case "signal":
                message = f"{self.python} {self._ending(row.signal, name)}"
            case "timeout":
                message = f"{self.python} did not import {name} within {self.seconds:g} seconds"
            case "skipped":
                level, message = Level.WARNING, f"{name} was not tried: time ran out before it"
            case _:
                message = f"importing {name} ended {self.python} with status {row.status}"
        return found("import", message, evidence=evidence, file=self._member(row), level=level)

    def _ending(self, number: int, name: str) -> str:
        """Say how a signal ended an import: it surely was one, other than an exit status is."""
        signal = signal_of(-number)
        during = f"while it imported {name}"
        if signal in {*CRASHES, KILLED}:
            return f"{describe_ending(-number, emulated=self.emulated)[0]} {during}"
        given_up = ": the code gives up, with `brk`" if signal == _SIGTRAP else ""
        return f"was ended by {signal or f'signal {number}'} {during}{given_up}"

    def _exception(self, row: Outcome) -> tuple[Level, str, str]:
        what = f"{self.python} cannot import {one_line(row.name)}"
        evidence = one_line(f"{row.type}: {row.text}")
        if missing := self._missing_module(row):
            why = "which the wheel does not bring"
            why += " or name as a dependency" if self.complete else ", and which was not installed"
            return Level.WARNING, f"{what} without {missing}, {why}", evidence
        library = _NO_LIBRARY.search(row.text)
        name = (library[1] or library[2]) if library else ""
        if name and name in promised_libraries():
            why = "which the image has not got and manylinux lets a wheel expect"
            return Level.WARNING, f"{what} without {name}, {why}", evidence
        if row.type == "ImportError" and _CIRCLE in row.text:
            # scipy has such a one: users get to it by the module that it imports itself.
            return Level.WARNING, f"{what} first: it is one of a circle of imports", evidence
        return Level.ERROR, what, evidence

    def _missing_module(self, row: Outcome) -> str:
        """Name the module from elsewhere that an import lacks, empty if it is not that."""
        named = _NO_MODULE.search(row.text)
        missing = row.missing or (named[1] if named and not self.complete else "")
        top = missing.partition(".")[0]
        return one_line(missing) if top and top not in self.wheel.top_level else ""

    def _member(self, row: Outcome) -> str:
        extensions = self.wheel.extensions
        return extensions[row.index].member if 0 <= row.index < len(extensions) else ""


@functools.cache
def promised_libraries() -> frozenset[str]:
    """Give the system libraries that some policy lets wheels expect, from auditwheel's policies."""
    policies = [
        *WheelPolicies(libc=Libc.GLIBC, arch=Architecture.aarch64),
        *WheelPolicies(libc=Libc.MUSL, arch=Architecture.aarch64, musl_policy="musllinux_1_2"),
    ]
    return frozenset(name for policy in policies for name in policy.whitelist)
