"""Settings as they come from a command line, for tests that have them as an object."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from aarch64_wheels.settings.layers import Layers, collect
from aarch64_wheels.settings.schema import Settings
from aarch64_wheels.settings.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Mapping


def layers_of(settings: Settings, environ: Mapping[str, str] | None = None) -> Layers:
    """Give each value that is not the default as its flag does."""
    values = {item.name: getattr(settings, item.name) for item in fields(Settings)}
    given = {name: value for name, value in values.items() if value != getattr(Settings(), name)}
    return collect(given, environ or {}, Tables(), settings.cache_dir)
