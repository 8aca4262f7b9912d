"""What audits found, as Markdown and as annotations: for a workflow's page and its log. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from aarch64_wheels.audit.groups import counts, grouped, sentence, short
from aarch64_wheels.audit.model import Level
from aarch64_wheels.audit.sarif import FILE_NAME
from aarch64_wheels.report.markdown import escape, row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aarch64_wheels.audit.groups import Audited, Group
    from aarch64_wheels.audit.model import Finding, SymbolVersion
    from aarch64_wheels.report.model import Report

#: GitHub's own limits: a page takes 1 MiB, and a step ten annotations of each level.
_MAX_WHEELS, _MAX_LINES, _MAX_ANNOTATIONS = 200, 300, 10
#: Bytes of the page for the table, and for the findings: other sections need room, too.
_TABLE_ROOM, _FINDINGS_ROOM = 100_000, 300_000


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """A wheel of a build that was audited; one that was refused goes by its target's name."""

    filename: str
    policy: str = ""
    findings: tuple[Finding, ...] = ()
    versions: tuple[SymbolVersion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """What stands beside a workflow run's summary."""

    level: Level
    title: str
    message: str


def audited(report: Report) -> tuple[Audited, ...]:
    """Give the wheels of a build, and then those that the audit has refused."""
    refused = (
        AuditRow(filename=target.identifier, findings=target.findings)
        for target in report.targets
        if target.findings
    )
    return (*report.wheels, *refused)


def render_audits(rows: Sequence[Audited], *, sarif: str = FILE_NAME) -> str:
    """Write the section: a table of wheels, and the findings, folded; empty without any wheel.

    Args:
        rows: what was audited.
        sarif: where all findings are, for those that the page has no room for; may be empty.
    """
    if not rows:
        return ""
    parts = ["### Audit", "\n".join(_table(rows)), _details(rows, sarif)]
    return "\n\n".join(filter(None, parts)) + "\n"


def make_annotations(rows: Iterable[Audited], *, errors: int = 0) -> tuple[Annotation, ...]:
    """Make an annotation of each check that found something in a wheel.

    Args:
        rows: what was audited.
        errors: annotations of that level that the step has already.
    """
    found = [_annotation(wheel, group) for wheel in rows for group in grouped(wheel.findings)]
    rooms = {Level.ERROR: _MAX_ANNOTATIONS - errors, Level.WARNING: _MAX_ANNOTATIONS}
    return tuple(
        kept
        for level, room in rooms.items()
        for kept in _folded([one for one in found if one.level is level], room)
    )


def lines(rows: Iterable[Audited]) -> list[str]:
    """Say in a line for each check what it found in how many wheels, and what to do about it."""
    found: dict[str, list[Group]] = {}
    for wheel in rows:
        for group in grouped(wheel.findings):
            found.setdefault(group.check.name, []).append(group)
    return [
        f"audit: {groups[0].level}: {groups[0].check.title} [{name}] in "
        f"{len(groups)} wheel{'' if len(groups) == 1 else 's'}. {groups[0].check.remedy}".strip()
        for name, groups in found.items()
    ]


def _table(rows: Sequence[Audited]) -> Iterator[str]:
    yield row(["wheel", "policy", "highest versions", "errors", "warnings"])
    yield row(["---", "---", "---", "--:", "--:"])
    found = [_cells(wheel) for wheel in rows[:_MAX_WHEELS]]
    kept = _fitting(found, _TABLE_ROOM)
    yield from found[:kept]
    if left := len(rows) - kept:
        yield row([f"and {left} more", "", "", "", ""])


def _cells(wheel: Audited) -> str:
    levels = [finding.level for finding in wheel.findings]
    versions = ", ".join(short(f"{one.name} {one.version}") for one in wheel.versions)
    return row(
        [
            *(escape(short(text) or "-") for text in (wheel.filename, wheel.policy, versions)),
            str(levels.count(Level.ERROR)),
            str(levels.count(Level.WARNING)),
        ]
    )


def _fitting(lines: Sequence[str], room: int) -> int:
    """Count the lines that there is room for, in bytes."""
    sizes = accumulate(len(line.encode("utf-8", "replace")) + 1 for line in lines)
    return sum(size <= room for size in sizes)


def _details(rows: Sequence[Audited], sarif: str) -> str:
    found = [line for wheel in rows for line in _of_wheel(wheel)]
    if not found:
        return ""
    kept = _fitting(found[:_MAX_LINES], _FINDINGS_ROOM)
    where = f", see {escape(short(sarif))}" if sarif else ""
    left = len(found) - kept
    rest = [f"- and {left} more lines{where}"] if left else []
    summary = escape(counts(finding for wheel in rows for finding in wheel.findings))
    body = "\n".join([*found[:kept], *rest])
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _of_wheel(wheel: Audited) -> Iterator[str]:
    groups = grouped(wheel.findings)
    if groups:
        yield f"- {escape(short(wheel.filename))}"
    for group in groups:
        name = escape(group.check.name)
        yield f"  - {group.level}: **{name}**: {escape(group.check.title)}"
        for finding in group.shown:
            yield f"    - {escape(sentence(finding))}"
        if group.rest:
            yield f"    - {group.rest}"
        if group.check.remedy:
            yield f"    - *Remedy:* {escape(group.check.remedy)}"


def _annotation(wheel: Audited, group: Group) -> Annotation:
    parts = [f"{short(wheel.filename)}: {group.check.title}"]
    parts += [sentence(finding) for finding in group.shown]
    parts += filter(None, [group.rest, group.check.remedy and f"next: {group.check.remedy}"])
    title = f"aarch64-wheels audit: {group.check.name}"
    return Annotation(level=group.level, title=title, message="\n".join(parts))


def _folded(rows: list[Annotation], room: int) -> Iterator[Annotation]:
    """Have the last one stand for all that there is no room for."""
    if len(rows) <= room:
        yield from rows
        return
    if room > 0:
        yield from rows[: room - 1]
        left = rows[room - 1 :]
        titles = ", ".join(dict.fromkeys(one.title.rpartition(" ")[2] for one in left))
        yield Annotation(
            level=left[0].level,
            title="aarch64-wheels audit",
            message=short(f"{len(left)} more like it, see the step's summary: {titles}"),
        )
