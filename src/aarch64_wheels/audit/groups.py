"""Findings put together by their check, and in words: what every way of showing them shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aarch64_wheels.audit.catalogue import Check, checks
from aarch64_wheels.audit.model import Level
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aarch64_wheels.audit.model import Finding, SymbolVersion

#: So many findings of a check are shown to people; who wants all takes the JSON or the SARIF.
SHOWN = 5
#: Names and evidence come from the wheel: a member's name alone may have 65,535 bytes.
_LONGEST = 300


class Audited(Protocol):
    """What was audited, and what came of it: the result of an audit, or a record of a build."""

    @property
    def filename(self) -> str:
        """The wheel's, or what else people know it by."""

    @property
    def policy(self) -> str:
        """The best that its content meets, empty if there is none."""

    @property
    def findings(self) -> Sequence[Finding]:
        """Whatever is not as it should be."""

    @property
    def versions(self) -> Sequence[SymbolVersion]:
        """The highest symbol versions that it asks for."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """The findings of one check at one level."""

    check: Check
    level: Level
    findings: tuple[Finding, ...]

    @property
    def shown(self) -> tuple[Finding, ...]:
        """Those that people are shown; `rest` tells of the others."""
        return self.findings[:SHOWN]

    @property
    def rest(self) -> str:
        """Say how many more there are, empty if there are none."""
        left = self.findings[SHOWN:]
        files = {row.file for row in left} - {row.file for row in self.shown} - {""}
        if len(files) == len(left):
            return f"and {_count(len(left), 'more file')}" if left else ""
        return f"and {len(left)} more"


def grouped(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """Put findings together by check and level: errors first, then as checks are documented."""
    found: dict[tuple[Level, str], list[Finding]] = {}
    for finding in findings:
        found.setdefault((finding.level, finding.check), []).append(finding)
    names = list(checks())
    rows = [
        Group(check=known(name), level=level, findings=tuple(rows))
        for (level, name), rows in found.items()
    ]
    last = len(names)
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                row.level is not Level.ERROR,
                names.index(row.check.name) if row.check.name in names else last,
            ),
        )
    )


def known(name: str) -> Check:
    """Give a check by name; a record that somebody else has written may have any."""
    made_up = Check(name=one_line(name), title="", why="", remedy="", level=Level.ERROR)
    return checks().get(name, made_up)


def short(text: str) -> str:
    """Put text from a wheel on one line that is not too long."""
    line = one_line(text)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def place(finding: Finding) -> str:
    """Say where in the wheel: `spring/_coil.so, .text, step`; empty if it is the whole."""
    return ", ".join(map(short, filter(None, (finding.file, finding.section, finding.symbol))))


def sentence(finding: Finding) -> str:
    """Say it in a line: `spring/_coil.so: what is wrong (section, symbol; evidence)`."""
    inner = ", ".join(map(short, filter(None, (finding.section, finding.symbol))))
    details = "; ".join(filter(None, (inner, short(finding.evidence))))
    return one_line(f"{_named(finding)}{f' ({details})' if details else ''}")


def _named(finding: Finding) -> str:
    """Say what is wrong with which file, of which a long name does not push out the rest."""
    file = short(finding.file)
    if finding.names_file:
        return f"{file} {short(finding.message.removeprefix(finding.file))}"
    return f"{file}: {short(finding.message)}" if file else short(finding.message)


def versions(rows: Iterable[SymbolVersion]) -> list[str]:
    """Say for each object what it asks for at most: `GLIBC 2.17 (memcpy) in spring/_coil.so`."""
    found: dict[str, list[str]] = {}
    for row in rows:
        symbol = f" ({short(row.symbol)})" if row.symbol else ""
        found.setdefault(row.file, []).append(f"{short(f'{row.name} {row.version}')}{symbol}")
    return [one_line(f"{', '.join(asked)} in {short(file)}") for file, asked in found.items()]


def counts(findings: Iterable[Finding]) -> str:
    """Count: `2 errors, 1 warning`; empty for nothing."""
    levels = [finding.level for finding in findings]
    parts = [(levels.count(Level.ERROR), "error"), (levels.count(Level.WARNING), "warning")]
    return ", ".join(_count(number, noun) for number, noun in parts if number)


def closing(results: Sequence[tuple[bool, Sequence[Finding]]]) -> str:
    """Close a list: `3 wheels: 2 ok, 1 failed; 4 errors, 7 warnings`.

    Args:
        results: of each wheel, whether it is in order and what was found.
    """
    good = sum(is_ok for is_ok, _ in results)
    parts = [(good, "ok"), (len(results) - good, "failed")]
    verdicts = ", ".join(f"{number} {word}" for number, word in parts if number)
    found = counts(row for _, findings in results for row in findings)
    return f"{_count(len(results), 'wheel')}: {verdicts}{f'; {found}' if found else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
