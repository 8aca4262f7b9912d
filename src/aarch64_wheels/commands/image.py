"""`image list` and `image build debian`."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from aarch64_wheels.catalogue import images
from aarch64_wheels.commands.inputs import Host
from aarch64_wheels.embedded.store import EmbeddedImage
from aarch64_wheels.engine.client import connect
from aarch64_wheels.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.settings.schema import Settings


def run_list_images(*, as_json: bool) -> int:
    """Print the images that have a short name."""
    rows = images()
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return ExitCode.OK
    table = Table("name", "policy", "interpreters", "reference")
    for row in rows:
        reference = f"{row.reference} (assembled here)" if row.embedded else row.reference
        table.add_row(row.name, row.policy, " ".join(row.interpreters or ()), reference)
    Console(highlight=False).print(table)
    return ExitCode.OK


def run_build_image(settings: Settings, environ: Mapping[str, str], *, refresh: bool) -> int:
    """Have the engine hold the embedded image.

    Args:
        settings: engine, cache directory, whether to drop what is kept.
        environ: the process's environment.
        refresh: assemble anew if the Debian suites have changed since.

    Raises:
        UnfitError: no engine, or something cannot be fetched, assembled or loaded.
    """
    started = time.monotonic()

    def note(text: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {text}", flush=True)

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
