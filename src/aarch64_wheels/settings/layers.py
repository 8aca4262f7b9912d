"""Flags over environment over `[tool.aarch64-wheels]` over `[tool.cibuildwheel]` over defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import platformdirs

from aarch64_wheels.settings.cascade import Found, Layer, cascade
from aarch64_wheels.settings.cibuildwheel import read_cibuildwheel
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.schema import BuildOptions, Option, Settings, all_fields
from aarch64_wheels.settings.tables import Tables, all_options, own_layer, read_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

T = TypeVar("T", Settings, PublishSettings, BuildOptions)


#: What a project may not choose, by whether it is the user's own: how containers touch this
#: machine, and which of its variables somebody else's code gets to see.
_NOT_OF_PROJECTS = {
    True: ("container-engine",),
    False: ("container-engine", "environment-pass"),
}


@dataclass(frozen=True, kw_only=True)
class Layers:
    """All that was set, in layers, and what it comes to.

    Attributes:
        rows: the weakest first.
        cache_dir: the cache where no layer names one.
        notes: what was set and has no effect, one line each.
        for_cibuildwheel: the project is set up for cibuildwheel.
        requires_python: a specifier that goes over the source's own, unless empty.
        allow_empty: to have no target is no error.
    """

    rows: tuple[Layer, ...]
    cache_dir: Path
    notes: tuple[str, ...] = ()
    for_cibuildwheel: bool = False
    requires_python: str = ""
    allow_empty: bool = False

    def settings(self) -> Settings:
        """Give what is one for all targets.

        Raises:
            UsageError: a value is wrong.
        """
        found = self._fields(Settings)
        return Settings(**{"cache_dir": self.cache_dir, **found})  # type: ignore[arg-type]

    def options(self, identifier: str) -> BuildOptions:
        """Give what a target is built with; raises as `settings`."""
        return BuildOptions(**self._fields(BuildOptions, identifier))  # type: ignore[arg-type]

    def publishing(self) -> PublishSettings:
        """Give the settings of `publish`; raises as `settings`."""
        return PublishSettings(**self._fields(PublishSettings))  # type: ignore[arg-type]

    def found(self, option: Option, identifier: str = "") -> Found | None:
        """Give an option's value and where it comes from; None: it is the default."""
        return cascade(option, self.rows, identifier)

    def with_project(
        self, root: Path, environ: Mapping[str, str], *, is_own: bool = True
    ) -> Layers:
        """Put what a project has set for cibuildwheel below everything.

        Args:
            root: the unpacked project; a `config_file` stands for its pyproject.toml.
            environ: the process's environment, with `CIBW_*`.
            is_own: it is the user's own directory, and not what somebody has published.

        Raises:
            UsageError: the file cannot be read, or what stands in it cannot be understood.
        """
        config_file = self.settings().config_file
        tables = read_tables(str(root), config_file)
        # By its name in the project: an unpacked one lies where nobody would look for it.
        origin = tables.origin if config_file else Path(tables.origin).name
        read = read_cibuildwheel(tables.theirs, origin, environ)
        theirs = read if config_file else read.without(_NOT_OF_PROJECTS[is_own])
        return replace(
            self,
            rows=(*theirs.layers, *self.rows),
            notes=(*self.notes, *theirs.notes),
            for_cibuildwheel=self.for_cibuildwheel or theirs.is_there,
            requires_python=theirs.requires_python,
            allow_empty=theirs.allow_empty,
        )

    def _fields(self, kind: type[T], identifier: str = "") -> dict[str, object]:
        rows = ((option.field, self.found(option, identifier)) for option in all_fields(kind))
        return {name: found.value for name, found in rows if found is not None}


def load(flags: Mapping[str, object], environ: Mapping[str, str]) -> Layers:
    """Collect the layers at the program's edge, reading the table where it is.

    Args:
        flags: values by field name, from the command line or the Action's inputs, typed or as
            text; None and () mean "not given".
        environ: the process's environment, with `AARCH64_WHEELS_<FIELD>`.

    Raises:
        UsageError: the configuration file is wrong, a key is unknown.
    """
    cache = platformdirs.user_cache_path("aarch64-wheels")
    first = collect(flags, environ, Tables(), cache).settings()
    return collect(flags, environ, read_tables(first.source, first.config_file), cache)


def collect(
    flags: Mapping[str, object], environ: Mapping[str, str], tables: Tables, cache_dir: Path
) -> Layers:
    """Put the layers upon each other. Pure: what it depends on are its arguments (see `load`).

    Raises:
        UsageError: an unknown key in the table.
    """
    own = own_layer(tables.ours, tables.origin)
    return Layers(rows=(own, *_edge_layers(flags, environ)), cache_dir=cache_dir)


def _edge_layers(flags: Mapping[str, object], environ: Mapping[str, str]) -> Iterator[Layer]:
    """Give the layers of this process: its variables, and above them its flags."""
    rows = all_options()
    variables = {option.name: environ.get(option.env, "").strip() for option in rows}
    yield Layer(
        values={name: text for name, text in variables.items() if text},
        place="${}",
        names={option.name: option.env for option in rows},
        text=True,
    )
    given = {option.name: flags.get(option.field) for option in rows}
    yield Layer(
        values={name: value for name, value in given.items() if value not in (None, ())},
        place="{}",
        names={option.name: option.flag for option in rows},
        text=True,
    )
