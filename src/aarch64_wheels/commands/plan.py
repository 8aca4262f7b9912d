"""`plan`: what a build would do, made without an engine."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from aarch64_wheels.commands.given import check_given
from aarch64_wheels.commands.inputs import Host, open_settings_source, plan_source, project_layers
from aarch64_wheels.errors import ExitCode
from aarch64_wheels.report.console import make_console
from aarch64_wheels.settings.shown import show_settings
from aarch64_wheels.targets import NO_TARGET
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from aarch64_wheels.plan import Plan
    from aarch64_wheels.settings.layers import Layers
    from aarch64_wheels.settings.shown import ShownSettings


def run_plan(
    layers: Layers,
    environ: Mapping[str, str],
    *,
    as_json: bool = False,
    as_matrix: bool = False,
) -> int:
    """Print the plan: as a table, as JSON, or as a GitHub Actions matrix.

    Raises:
        UsageError, UnfitError: the source cannot be opened, or nothing is left to build.
    """
    host = Host.current(environ)
    with tempfile.TemporaryDirectory(prefix="aarch64-wheels-") as scratch:
        source = open_settings_source(layers.settings(), host, Path(scratch))
        found = project_layers(layers, source, host, _note)
        plan = plan_source(found, source, host)
        check_given(plan, source.root, host.environ)
    if not plan.targets:
        _note(NO_TARGET)
    if as_json:
        print(_to_json(plan, show_settings(found, plan, source.root)))
    elif as_matrix:
        print(json.dumps(matrix(plan)))
    else:
        console = make_console(sys.stdout, environ)
        _print_targets(console, plan)
        _print_settings(console, show_settings(found, plan, source.root))
    return ExitCode.OK


def _note(text: str) -> None:
    print(f"note: {one_line(text)}", file=sys.stderr)


def matrix(plan: Plan) -> dict[str, list[dict[str, str]]]:
    """One job for each target, for `strategy.matrix` with `fromJSON`."""
    rows = [
        {"target": target.identifier, "python": target.interpreter.tag} for target in plan.targets
    ]
    return {"include": rows}


def _to_json(plan: Plan, shown: ShownSettings) -> str:
    """Write the plan with each setting's value and origin: the same bytes for the same input."""
    data = json.loads(plan.to_json())
    data["settings"] = {name: asdict(one) for name, one in shown.shared.items()}
    for target in data["targets"]:
        options = shown.options[target["identifier"]]
        target["options"] = {name: asdict(one) for name, one in options.items()}
    return json.dumps(data, indent=2, sort_keys=True)


def _print_targets(console: Console, plan: Plan) -> None:
    name = f"{plan.project} {plan.version}".strip() or plan.source
    places = ", ".join(f"{image.name} ({image.reference})" for image in plan.images)
    headline = f"{name} in {places or 'no image'}, {plan.mode}"
    # The name is the source's; a reference that is cut in two can't be copied.
    console.print(one_line(headline), soft_wrap=True)
    table = Table()
    for column in ("target", "interpreter", "stages"):
        table.add_column(column, overflow="fold")
    for target in plan.targets:
        table.add_row(target.identifier, str(target.interpreter.python), " → ".join(plan.stages))
    console.print(table)


def _print_settings(console: Console, shown: ShownSettings) -> None:
    """Show what is not the default: of all values, these are what somebody wanted."""
    rows = shown.rows()
    table = Table()
    for column in ("setting", "value", "from", "targets"):
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = (row.name, row.shown.text, row.shown.origin, row.targets)
        table.add_row(*(one_line(cell) for cell in cells))
    if rows:
        console.print(table)
    who = "all other settings have" if rows else "all settings have"
    console.print(f"{who} their default; `plan --json` lists them", soft_wrap=True)
