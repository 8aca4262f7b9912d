"""What an audit says: findings, and one result for each wheel."""

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
        check: which check said it: `archive`, `content`, `tag`, `machine`, `libc`, `suffix`,
            `abi3` or `policy`.
        message: what is wrong, one line.
        evidence: the file or the tool's own words it was seen in, may be empty.
    """

    check: str
    level: Level
    message: str
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """The audit of one wheel.

    Attributes:
        tags: the wheel's tags, one string for each combination, sorted.
        policy: the best policy the content meets in auditwheel's judgement, such as
            `manylinux_2_17_aarch64`; empty where there was nothing it could judge. A wheel
            that claims two C libraries has one for each, joined as in a tag: by a dot.
    """

    filename: str
    tags: tuple[str, ...]
    policy: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Nothing worse than a warning was found."""
        return all(finding.level is not Level.ERROR for finding in self.findings)
