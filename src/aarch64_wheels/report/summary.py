"""The report as Markdown, for the page of a workflow run."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from aarch64_wheels.report import compiled, wording
from aarch64_wheels.report.advice import advice
from aarch64_wheels.report.audits import audited, render_audits
from aarch64_wheels.report.markdown import escape, row
from aarch64_wheels.report.model import Status
from aarch64_wheels.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.report.model import Report, StageRecord, TargetRecord

#: A page takes 1 MiB in all; an error's end tells more than its beginning.
_MAX_ERROR = 8000
#: How many of the wheels' ELF files are listed.
_MAX_OBJECTS = 50


def render_summary(report: Report) -> str:
    """Write the report as Markdown: a table, the audit, the failures, a chart of the stages."""
    parts = [
        f"### {escape(wording.headline(report))}",
        "\n".join(_table(report)),
        "\n".join(f"- {escape(line)}" for line in compiled.fallbacks(report)),
        _objects(report),
        render_audits(audited(report)).rstrip("\n"),
        escape(advice(report)),
        *(_failure(target) for target in report.failed),
        _chart(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(report: Report) -> Iterator[str]:
    stages = report.stages
    how = compiled.COLUMNS if compiled.is_accelerated(report) else ()
    columns = ["target", "wheel", "size", "policy", *how, *map(str, stages), "total", "result"]
    yield row(columns)
    right = {"size", *map(str, stages), "total"}
    yield row(["--:" if column in right else "---" for column in columns])
    for target in report.targets:
        yield row([escape(cell) for cell in _cells(report, target)])
    done = len(report.targets) - len(report.failed)
    total = wording.size(sum(wheel.size for wheel in report.wheels))
    work = wording.seconds(sum(target.seconds for target in report.targets))
    calls = ["", escape(compiled.total(report))] if how else []
    cells = ["**total**", f"{done} of {len(report.targets)}", total, "", *calls]
    yield row([*cells, *[""] * len(stages), work, ""])


def _cells(report: Report, target: TargetRecord) -> list[str]:
    wheel = target.wheel
    return [
        target.identifier,
        wheel.filename if wheel else "-",
        wording.size(wheel.size) if wheel else "-",
        wheel.policy if wheel else "-",
        *compiled.cells(report, target),
        *(wording.stage_seconds(target, stage) for stage in report.stages),
        wording.seconds(target.seconds),
        f"✅ {target.status}" if target.status is Status.OK else f"❌ {target.status}",
    ]


def _failure(target: TargetRecord) -> str:
    lines = "\n".join(clean(line) for line in target.error.splitlines())
    error = wording.shorten(lines, _MAX_ERROR)
    log = f"\n\nLog: {escape(target.log)}" if target.log else ""
    return (
        f"<details><summary>{escape(target.identifier)}: {target.status}</summary>\n\n"
        f"<pre>\n{html.escape(error)}\n</pre>{log}\n\n</details>"
    )


def _objects(report: Report) -> str:
    """List what compiled each ELF file of the wheels, folded."""
    rows = [
        row([escape(wheel.filename), escape(item.path), escape(", ".join(item.compilers))])
        for wheel in report.wheels
        for item in wheel.objects
    ]
    if not (rows and compiled.is_accelerated(report)):
        return ""
    left = len(rows) - _MAX_OBJECTS
    rest = f"\n\nand {left} more, see report.json" if left > 0 else ""
    table = "\n".join(["| wheel | object | compiled by |", "|---|---|---|", *rows[:_MAX_OBJECTS]])
    return f"<details><summary>what compiled what</summary>\n\n{table}{rest}\n\n</details>"


def _chart(report: Report) -> str:
    """Draw the stages that ran, each target's one after the other, as Mermaid's Gantt chart."""
    ran = {target.identifier: _ran(target) for target in report.targets}
    if not any(ran.values()):
        return ""
    lines = ["```mermaid", "gantt", "  dateFormat X", "  axisFormat %M:%S"]
    for identifier, stages in ran.items():
        if stages:
            lines.append(f"  section {re.sub(r'[^A-Za-z0-9_]', ' ', wording.short(identifier))}")
        begin = 0
        for record in stages:
            end = begin + max(1, round(record.seconds))
            mark = "" if record.status is Status.OK else "crit, "
            lines.append(f"  {record.stage} : {mark}{begin}, {end}")
            begin = end
    return "\n".join([*lines, "```"])


def _ran(target: TargetRecord) -> list[StageRecord]:
    return [record for record in target.stages if record.status is not Status.NOT_RUN]
