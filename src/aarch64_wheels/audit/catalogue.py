"""The audit's checks as users know them: `data/checks.toml`, and the switch of each."""

from __future__ import annotations

import difflib
import functools
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from aarch64_wheels.audit.model import Finding, Level
from aarch64_wheels.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What turns a check off, where a level would stand.
OFF = "off"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        name: its identifier, which does not change.
        title: what it says of a wheel that it refuses, one line.
        why: what goes wrong where, and the rule's source.
        remedy: what a maintainer does about it.
        level: of its findings, where nobody chooses another.
    """

    name: str
    title: str
    why: str
    remedy: str
    level: Level


@functools.cache
def checks() -> Mapping[str, Check]:
    """All checks, by name, in the order they are documented in."""
    text = resources.files("aarch64_wheels.data").joinpath("checks.toml").read_text("utf-8")
    rows = tomllib.loads(text)
    return {
        name: Check(name=name, **{**row, "level": Level(row["level"])})
        for name, row in rows.items()
    }


def found(
    check: str,
    message: str,
    *,
    evidence: str = "",
    file: str = "",
    section: str = "",
    symbol: str = "",
    level: Level | None = None,
) -> Finding:
    """Make a finding of a check, at the check's level unless another is given."""
    return Finding(
        check=check,
        level=level or checks()[check].level,
        message=message,
        evidence=evidence,
        file=file,
        section=section,
        symbol=symbol,
    )


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels that a user has chosen, by check; None turns a check off."""

    chosen: Mapping[str, Level | None] = field(default_factory=dict)

    @classmethod
    def parse(cls, words: Iterable[str]) -> Levels:
        """Read words such as `debug-info=off`; the last word on a check counts.

        Raises:
            UsageError: there is no such check, or no such level.
        """
        return cls(chosen=dict(_choice(word) for word in words))

    def apply(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Give what is left of findings, each at its level, errors first."""
        left = [row for finding in findings if (row := self._level(finding))]
        return tuple(sorted(left, key=lambda finding: finding.level is not Level.ERROR))

    def _level(self, finding: Finding) -> Finding | None:
        if finding.check not in self.chosen:
            return finding
        level = self.chosen[finding.check]
        return None if level is None else Finding(**{**vars(finding), "level": level})


def named(name: str, *, found: str = "") -> Check:
    """Give the check of a name.

    Args:
        name: as a user has written it.
        found: where, for the error.

    Raises:
        UsageError: there is no such check.
    """
    if name not in checks():
        near = difflib.get_close_matches(name, checks(), n=1)
        raise UsageError(
            f"the audit has no check `{name}`",
            found=found,
            hint=f"did you mean `{near[0]}`?" if near else "the checks: " + ", ".join(checks()),
        )
    return checks()[name]


def _choice(word: str) -> tuple[str, Level | None]:
    name, _, level = word.partition("=")
    named(name, found=f"in `{word}`")
    if level not in (OFF, *Level):
        raise UsageError(
            f"`{word}` chooses no level of a check",
            hint=f"write {name}=error, {name}=warning or {name}={OFF}",
        )
    return name, None if level == OFF else Level(level)
