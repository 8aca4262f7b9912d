"""An audit for people: a table in a terminal that is wide enough, plain lines elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from aarch64_wheels.audit.catalogue import checks
from aarch64_wheels.audit.groups import grouped, sentence, short, versions
from aarch64_wheels.audit.model import Level
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from aarch64_wheels.audit.catalogue import Check
    from aarch64_wheels.audit.groups import Group
    from aarch64_wheels.audit.model import AuditResult, Finding

#: Columns that a table of findings needs to be read easily; lines serve narrower terminals.
_WIDE = 100
_STYLES = {Level.ERROR: "red", Level.WARNING: "yellow"}


def tell(console: Console, result: AuditResult) -> None:
    """Print what an audit found: a line on the wheel, its findings, what to do about them."""
    style = "green" if result.ok else "red"
    console.print(Text(headline(result), style=style), soft_wrap=True)
    if asked := versions(result.versions):
        console.print(Text(f"  asks for {'; '.join(asked)}"), soft_wrap=True)
    groups = grouped(result.findings)
    if groups and console.is_terminal and console.width >= _WIDE:
        console.print(_table(groups))
    else:
        _tell_lines(console, groups)
    for group in groups:
        if group.check.remedy:
            console.print(
                Text(f"  {group.check.name}: {group.check.remedy}", style="dim"), soft_wrap=True
            )


def headline(result: AuditResult) -> str:
    """Say in a line how an audit ended."""
    policy = f", meets {one_line(result.policy)}" if result.policy else ""
    return f"{short(result.filename)}: {'ok' if result.ok else 'FAILED'}{policy}"


def explain(name: str) -> str:
    """Explain a check, or without a name list all; ends with a line end."""
    rows = checks()
    if name:
        return _explained(rows[name])
    width = max(map(len, rows))
    return "".join(f"{row.name:{width}}  {row.level:7}  {row.title}\n" for row in rows.values())


def _explained(check: Check) -> str:
    return (
        f"{check.name}: {check.title}\n\n"
        f"why: {check.why}\n"
        f"remedy: {check.remedy}\n"
        f"level: {check.level}; {check.name}=off, ={Level.WARNING} or ={Level.ERROR} in "
        "audit-levels sets another\n"
    )


def _tell_lines(console: Console, groups: Sequence[Group]) -> None:
    for group in groups:
        for line in _lines(group):
            console.print(Text(f"  {line}", style=_STYLES[group.level]), soft_wrap=True)


def _lines(group: Group) -> Iterator[str]:
    front = f"{group.level} [{group.check.name}]"
    for finding in group.shown:
        yield f"{front} {sentence(finding)}"
    if group.rest:
        yield f"{front} {group.rest}"


def _table(groups: Sequence[Group]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("level", "check"):
        table.add_column(column, no_wrap=True)
    for column in ("what", "where", "evidence"):
        table.add_column(column, overflow="fold")
    for group in groups:
        name = (Text(group.level, style=_STYLES[group.level]), Text(group.check.name))
        for finding in group.shown:
            table.add_row(*name, _what(finding), *_where(finding))
        if group.rest:
            table.add_row(*name, Text(group.rest))
    return table


def _what(finding: Finding) -> Text:
    """Leave the file out, which has a column of its own."""
    return Text(short(finding.message.removeprefix(f"{finding.file} ")))


def _where(finding: Finding) -> tuple[Text, Text]:
    parts = filter(None, (finding.file, finding.section, finding.symbol))
    return Text("\n".join(map(short, parts))), Text(short(finding.evidence))
