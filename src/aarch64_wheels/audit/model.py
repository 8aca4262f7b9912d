"""What an audit says: findings, the facts behind them, and one result for each wheel."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How much a finding weighs: an error makes the audit fail, a warning does not."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        check: which check said it, by its name in `data/checks.toml`.
        message: what is wrong, one line.
        evidence: the tool's own words or values it was seen in, may be empty.
        file: the wheel's member it was seen in, empty where it is the wheel as a whole.
        section: of an ELF file, the section or segment; symbol: the function or symbol. Both empty
            where there is none.
    """

    check: str
    level: Level
    message: str
    evidence: str = ""
    file: str = ""
    section: str = ""
    symbol: str = ""

    @property
    def names_file(self) -> bool:
        """The message begins with the file's name: one as short as `a` may be in any message."""
        return bool(self.file) and self.message.startswith(f"{self.file} ")

    @property
    def words(self) -> str:
        """What is wrong, and where and in what it was seen, in one line."""
        place = "" if self.names_file else self.file
        seen = "; ".join(filter(None, (place, self.evidence)))
        return f"{self.message} ({seen})" if seen else self.message


@dataclass(frozen=True, kw_only=True)
class SymbolVersion:
    """The highest version that a wheel's objects ask for of one set of versioned symbols.

    Attributes:
        name: the set, such as `GLIBC` or `GLIBCXX`; version: such as `2.17`.
        file: an object that asks for it; symbol: what it asks for, empty if no symbol is bound.
    """

    name: str
    version: str
    file: str
    symbol: str


@dataclass(frozen=True, kw_only=True)
class ObjectSummary:
    """What is known of one ELF file for AArch64.

    Attributes:
        file: the wheel's member.
        producers: compilers and linkers as they have signed it (`.comment`), sorted.
        later: architecture features above ARMv8.0 whose instructions it holds (`FEAT_SVE`), sorted.
        detection: how it finds out at run time what the processor can do, empty if it does not.
    """

    file: str
    producers: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    detection: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """The audit of one wheel.

    Attributes:
        tags: the wheel's tags, one string for each combination, sorted.
        policy: the best policy the content meets in auditwheel's judgement, such as
            `manylinux_2_17_aarch64`; empty where there was nothing it could judge. A wheel
            that claims two C libraries has one for each, joined as in a tag: by a dot.
        findings: errors first.
        versions: the highest symbol versions that its objects ask for, by name.
        objects: its ELF files for AArch64, in the wheel's order.
    """

    filename: str
    tags: tuple[str, ...]
    policy: str
    findings: tuple[Finding, ...]
    versions: tuple[SymbolVersion, ...] = ()
    objects: tuple[ObjectSummary, ...] = ()

    @property
    def ok(self) -> bool:
        """Nothing worse than a warning was found."""
        return all(finding.level is not Level.ERROR for finding in self.findings)
