"""`plan`: what a build would do, made without an engine."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from aarch64_wheels.commands.inputs import Host, open_settings_source, plan_source, project_layers
from aarch64_wheels.errors import ExitCode
from aarch64_wheels.report.console import make_console
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.plan import Plan
    from aarch64_wheels.settings.layers import Layers


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
    if as_json:
        print(plan.to_json(), end="")
    elif as_matrix:
        print(json.dumps(matrix(plan)))
    else:
        _print_table(plan, environ)
    return ExitCode.OK


def _note(text: str) -> None:
    print(f"note: {one_line(text)}", file=sys.stderr)


def matrix(plan: Plan) -> dict[str, list[dict[str, str]]]:
    """One job for each target, for `strategy.matrix` with `fromJSON`."""
    rows = [
        {"target": target.identifier, "python": target.interpreter.tag} for target in plan.targets
    ]
    return {"include": rows}


def _print_table(plan: Plan, environ: Mapping[str, str]) -> None:
    console = make_console(sys.stdout, environ)
    name = f"{plan.project} {plan.version}".strip() or plan.source
    places = ", ".join(f"{image.name} ({image.reference})" for image in plan.images)
    headline = f"{name} in {places}, {plan.mode}"
    # The name is the source's; a reference that is cut in two can't be copied.
    console.print(one_line(headline), soft_wrap=True)
    table = Table()
    for column in ("target", "interpreter", "stages"):
        table.add_column(column, overflow="fold")
    for target in plan.targets:
        table.add_row(target.identifier, str(target.interpreter.python), " → ".join(plan.stages))
    console.print(table)
