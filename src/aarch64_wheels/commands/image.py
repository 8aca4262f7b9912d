"""`image list` and `image build debian`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table

from aarch64_wheels.catalogue import images
from aarch64_wheels.commands.inputs import Host
from aarch64_wheels.commands.notes import timed_notes
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.engine.client import connect
from aarch64_wheels.errors import ExitCode
from aarch64_wheels.report.console import make_console

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aarch64_wheels.plan import Image
    from aarch64_wheels.settings.schema import Settings


def run_list_images(environ: Mapping[str, str], *, as_json: bool) -> int:
    """Print the images that have a short name, as a table or as JSON."""
    rows = images()
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return ExitCode.OK
    make_console(sys.stdout, environ).print(_table(rows))
    return ExitCode.OK


def _table(rows: Sequence[Image]) -> Table:
    table = Table()
    table.add_column("name", no_wrap=True)
    table.add_column("policy", overflow="fold")
    # Two lines of these leave room for a whole reference, which is there to be copied.
    table.add_column("interpreters", overflow="fold", max_width=40)
    table.add_column("reference", overflow="fold")
    for row in rows:
        reference = f"{row.reference} (assembled here)" if row.embedded else row.reference
        table.add_row(row.name, row.policy, " ".join(row.interpreters or ()), reference)
    return table


def run_build_image(settings: Settings, environ: Mapping[str, str], *, refresh: bool) -> int:
    """Have the engine hold the embedded image.

    Args:
        settings: engine, cache directory, whether to drop what is kept.
        environ: the process's environment.
        refresh: assemble anew if the Debian suites have changed since.

    Raises:
        UnfitError: no engine, or something cannot be fetched, assembled or loaded.
    """
    note = timed_notes()
    engine = connect(settings.engine, environ)
    index = Host.current(environ).index
    kept = EmbeddedImage.of_this_version(settings.cache_dir, index)
    if settings.no_cache:
        tag = kept.rebuild(engine, note, kept.recipe.sets)
    elif refresh:
        tag = kept.refresh(engine, note)
    else:
        tag = kept.ensure(engine, note)
    note(f"{tag} is ready")
    return ExitCode.OK
