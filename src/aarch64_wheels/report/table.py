"""The table that closes a run on a console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from aarch64_wheels.report import compiled, wording
from aarch64_wheels.report.model import Status
from aarch64_wheels.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aarch64_wheels.report.model import Report, Stage, TargetRecord


def outcome(report: Report, *, wide: bool, how: bool = True) -> Table:
    """Draw the table of wheels: each stage's time, the total, the result.

    Of an accelerated run it also tells who ran the backend and what compiled.

    Args:
        report: what happened.
        wide: there is room for the names of wheels and logs in the table; otherwise a
            target stands for them, and `files` lists them.
        how: there is room for the columns of an accelerated run; otherwise `compiled.lines`
            says the same.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("wheel" if wide else "target", no_wrap=True)
    for column in compiled.COLUMNS if how and compiled.is_accelerated(report) else ():
        table.add_column(column, no_wrap=True)
    for stage in report.stages:
        table.add_column(str(stage), justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("result", no_wrap=True)
    if wide:
        table.add_column("log", no_wrap=True)
    for target in report.targets:
        cells = compiled.cells(report, target) if how else []
        table.add_row(*_row(target, report.stages, cells, wide=wide))
    return table


def files(report: Report) -> list[str]:
    """List each target's wheel, or its log where it has none."""
    names = [target.wheel.filename if target.wheel else target.log for target in report.targets]
    return [clean(name) for name in names if name]


def _row(
    target: TargetRecord, stages: Sequence[Stage], cells: list[str], *, wide: bool
) -> list[Text]:
    name = target.wheel.filename if target.wheel and wide else target.identifier
    style = "green" if target.status is Status.OK else "red"
    return [
        Text(clean(name if wide else wording.short(name))),
        *(Text(clean(cell) if wide else _narrow(clean(cell))) for cell in cells),
        *(Text(wording.stage_seconds(target, stage)) for stage in stages),
        Text(wording.seconds(target.seconds)),
        Text(str(target.status), style=style),
        *([Text(clean(target.log))] if wide else []),
    ]


def _narrow(cell: str) -> str:
    """Break a cell into the lines it can be broken into: one for each kind of call, each reason."""
    return cell.replace(" + ", "\n+ ").replace(" (", "\n(").replace(", ", ",\n")
