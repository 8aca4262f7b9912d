"""Volumes that several runs fill at a time: one does, and the others wait for it."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.engine import volumes
from aarch64_wheels.engine.owner import Owner
from aarch64_wheels.engine.volumes import ensure_volume
from aarch64_wheels.errors import UnfitError
from tests.unit.volume_samples import NAME, FakeApi, lay_directory, make_api, make_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.engine.client import Engine


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    return make_api(monkeypatch)


@pytest.fixture
def engine(api: FakeApi) -> Engine:
    return make_engine(api)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return lay_directory(tmp_path / "k3y")


def test_two_at_a_time_fill_once(engine: Engine, api: FakeApi, directory: Path) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: ensure_volume(engine, NAME, directory, print), range(2)))
    assert api.fills == 1


def _copy_of(directory: Path, place: Path) -> Path:
    return Path(shutil.copytree(directory, place / directory.name, symlinks=True))


def test_two_cache_directories_at_a_time_fill_once(
    engine: Engine, api: FakeApi, directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The second run neither removes what the first is filling nor takes it for filled."""
    filling, waiting = Event(), Event()
    send = api.put_archive

    def slowly(name: str, path: str, data: Iterator[bytes]) -> None:
        filling.set()
        assert waiting.wait(10)
        assert set(api.made) == {NAME}
        send(name, path, data)

    monkeypatch.setattr(api, "put_archive", slowly)
    monkeypatch.setattr(volumes, "PAUSE", 0.01)
    other = _copy_of(directory, tmp_path / "other")
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        waiting.set()

    with ThreadPoolExecutor() as pool:
        first = pool.submit(ensure_volume, engine, NAME, directory, print)
        assert filling.wait(10)
        second = pool.submit(ensure_volume, engine, NAME, other, note)
        first.result()
        second.result()
    assert notes == [f"waiting for another run that fills docker's volume {NAME}"]
    assert (api.fills, len(api.content[NAME]), api.held) == (1, 5, {})


def _killed_run() -> dict[str, str]:
    owner = replace(Owner.current(), pid=str(2**22 + 1), started="1")
    return owner.labels("filling")


@pytest.fixture
def held_name(
    engine: Engine, api: FakeApi, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The container that somebody else holds, so that a volume cannot be filled."""
    create = api.create_container
    names: list[str] = []

    def keep(image: str, *, name: str, **options: Any) -> dict[str, str]:
        names.append(name)
        return create(image, name=name, **options)

    with monkeypatch.context() as patch:
        patch.setattr(api, "create_container", keep)
        ensure_volume(engine, NAME, directory, print)
    api.made.clear()
    monkeypatch.setattr(volumes, "PAUSE", 0.01)
    return names[0]


def test_what_a_killed_run_held_is_taken(
    engine: Engine, api: FakeApi, directory: Path, held_name: str
) -> None:
    api.held[held_name] = {"Labels": _killed_run()}
    ensure_volume(engine, NAME, directory, print)
    assert (api.fills, api.held) == (2, {})


def test_another_run_is_not_waited_for_without_end(
    engine: Engine, api: FakeApi, directory: Path, held_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.held[held_name] = {"Labels": Owner.current().labels("filling")}
    monkeypatch.setattr(volumes, "PATIENCE", 0.05)
    with pytest.raises(UnfitError, match="for too long") as caught:
        ensure_volume(engine, NAME, directory, print)
    assert f"docker rm {held_name}" in caught.value.hint
    assert set(api.held) == {held_name}
