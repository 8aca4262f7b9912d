"""Volumes of native files, filled once from a directory of this host.

They travel as one archive into a container that is never started, so that it works with an
engine on another machine too, and no path of this host is ever mounted. A volume counts as
filled when another one, a marker, says so: it is made last, and seeing it needs no container.

Runs with other cache directories, or on other machines, may use the same engine. Who fills a
volume holds a container whose name follows from the volume's, which an engine gives only once.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Self

import docker.errors
import docker.types
import requests

from aarch64_wheels.emulation.probe import probe_image
from aarch64_wheels.engine.failures import ENGINE_FAILURES, words_of
from aarch64_wheels.engine.owner import Owner
from aarch64_wheels.engine.pulling import PLATFORM
from aarch64_wheels.engine.sweep import sweep
from aarch64_wheels.engine.trees import tar_of
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.locking import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aarch64_wheels.engine.client import Engine

#: Labels of volumes and of their markers: the volume's name, what was put into it when, and
#: the week (counted from 1970) in which it was filled or, for a marker, used.
VOLUME_LABEL = "aarch64-wheels.volume"
_FILL_LABEL = "aarch64-wheels.fill"
_WEEK_LABEL = "aarch64-wheels.week"

_WEEK_SECONDS = 7 * 24 * 3600
_TARGET = "/native"

#: Seconds to wait for another run that fills a volume, and between two looks at it.
PATIENCE = 900.0
PAUSE = 0.5


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A volume of ours, or a marker, as its labels describe it."""

    name: str
    volume: str
    fill: str
    week: int

    @classmethod
    def of(cls, found: dict[str, Any]) -> Self:
        labels = found["Labels"]
        week = labels.get(_WEEK_LABEL, "")
        return cls(
            name=found["Name"],
            volume=labels[VOLUME_LABEL],
            fill=labels.get(_FILL_LABEL, ""),
            week=int(week) if week.isdecimal() else 0,
        )

    @property
    def is_marker(self) -> bool:
        return self.name != self.volume

    def labels(self) -> dict[str, str]:
        return {VOLUME_LABEL: self.volume, _FILL_LABEL: self.fill, _WEEK_LABEL: str(self.week)}


def ensure_volume(engine: Engine, name: str, directory: Path, note: Callable[[str], None]) -> None:
    """Have the engine hold a volume with a copy of a directory, all of it owned by root.

    Volumes of ours that no run has used for a week or two are removed when one is filled.

    Args:
        engine: gets the volume filled, unless it holds it.
        name: the volume's; other content, other name.
        directory: what to copy; its parent gets a lock file.
        note: told if the volume must be filled, or another run is filling it.

    Raises:
        UnfitError: the engine fails, its disk is full, a container uses a volume of this
            name that is not ours, or another run fills it without end.
    """
    with _engine_errors(engine, name):
        if _mark_used(engine, name):
            return
        with exclusive(directory.parent / f"{name}.lock", note):
            if _mark_used(engine, name):
                return
            with _alone(engine, name, note):
                if not _mark_used(engine, name):
                    note(f"copying native files to {engine.name}'s volume {name}")
                    _remove_old(engine, name)
                    _fill(engine, name, directory)


@contextmanager
def _alone(engine: Engine, name: str, note: Callable[[str], None]) -> Iterator[None]:
    """Be the only one at an engine who fills a volume, whatever cache directory others use."""
    container = f"aarch64-wheels-filling-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    patience = time.monotonic() + PATIENCE
    waits = False
    while (held := _hold(engine, container)) is None:
        if not waits:
            note(f"waiting for another run that fills {engine.name}'s volume {name}")
        waits = True
        if time.monotonic() > patience:
            raise UnfitError(
                f"another run has been filling the volume {name} for too long",
                found=f"it holds the container {container} of {engine}",
                hint=f"if no run is at work, remove that: {engine.name} rm {container}",
            )
        sweep(engine)  # a run that was killed has left it
        time.sleep(PAUSE)
    engine.containers.add(held)
    try:
        yield
    finally:
        engine.containers.remove(held)


def _hold(engine: Engine, container: str) -> str | None:
    """Create a container that is only a name; gives its id, None if another run holds it."""
    try:
        made = engine.client.api.create_container(
            probe_image(engine),
            name=container,
            labels=Owner.current().labels("filling"),
            platform=PLATFORM,
        )
    except docker.errors.APIError as error:
        # Older Podmans have another status for it.
        if error.status_code == requests.codes.conflict or "already in use" in str(error):
            return None
        raise
    return str(made["Id"])


def _mark_used(engine: Engine, name: str) -> bool:
    """Tell whether the volume is whole; if it is, remember that it was used this week."""
    rows = [row for row in _rows(engine) if row.volume == name]
    fills = {row.fill for row in rows if not row.is_marker}
    markers = [row for row in rows if row.is_marker and row.fill in fills]
    if markers and all(row.week != current_week() for row in markers):
        _mark(engine, name, markers[0].fill)
        for row in markers:
            _remove(engine, row)
    return bool(markers)


def _mark(engine: Engine, name: str, fill: str) -> None:
    week = current_week()
    _create(engine, _Row(name=f"{name}.filled.{week}", volume=name, fill=fill, week=week))


def _fill(engine: Engine, name: str, directory: Path) -> None:
    for row in _rows(engine):
        if row.volume == name and row.is_marker:
            _remove(engine, row)
    with suppress(docker.errors.NotFound):
        engine.client.api.remove_volume(name)
    fill = uuid.uuid4().hex
    _create(engine, _Row(name=name, volume=name, fill=fill, week=current_week()))
    container = f"aarch64-wheels-volume-{fill[:16]}"
    engine.containers.add(container)
    try:
        _create_container(engine, container, name)
        _send(engine, container, directory)
    finally:
        engine.containers.remove(container)
    _mark(engine, name, fill)


def _create_container(engine: Engine, container: str, volume: str) -> None:
    api = engine.client.api
    mount = docker.types.Mount(_TARGET, volume, type="volume")
    api.create_container(
        probe_image(engine),
        name=container,
        labels=Owner.current().labels("volume"),
        platform=PLATFORM,
        host_config=api.create_host_config(network_mode="none", mounts=[mount]),
    )


def _send(engine: Engine, container: str, directory: Path) -> None:
    with tar_of(directory) as chunks:
        engine.client.api.put_archive(container, _TARGET, chunks)


def _remove_old(engine: Engine, needed: str) -> None:
    """Remove volumes that no run has used this week or the last."""
    rows = sorted(_rows(engine), key=lambda row: (row.volume, row.is_marker))
    for volume, group in groupby(rows, key=lambda row: row.volume):
        together = list(group)
        if volume != needed and max(row.week for row in together) < current_week() - 1:
            for row in together:  # the volume itself first: it stays while a container uses it
                if not _remove(engine, row):
                    break


def _rows(engine: Engine) -> list[_Row]:
    found = engine.client.api.volumes(filters={"label": VOLUME_LABEL})["Volumes"]
    return [_Row.of(row) for row in found or ()]


def _create(engine: Engine, row: _Row) -> None:
    engine.client.api.create_volume(row.name, labels=row.labels())


def _remove(engine: Engine, row: _Row) -> bool:
    """Remove a volume or a marker; False if it is in use."""
    try:
        engine.client.api.remove_volume(row.name)
    except docker.errors.NotFound:
        return True
    except docker.errors.APIError:
        return False
    return True


def current_week() -> int:
    """Count the weeks since 1970 began."""
    return int(time.time()) // _WEEK_SECONDS


@contextmanager
def _engine_errors(engine: Engine, name: str) -> Iterator[None]:
    try:
        yield
    except ENGINE_FAILURES as error:
        raise UnfitError(
            f"{engine} cannot hold the native tools in the volume {name}",
            found=words_of(error),
            hint="free some of its disk space and remove containers that use the volume",
        ) from None
