"""Filling volumes, with an engine that keeps them in memory."""

from __future__ import annotations

import io
import shutil
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import docker.errors
import pytest
import requests

from aarch64_wheels.engine import volumes
from aarch64_wheels.engine.client import Engine
from aarch64_wheels.engine.container import ContainerSession
from aarch64_wheels.engine.owner import LABEL, Owner
from aarch64_wheels.engine.registry import ContainerRegistry
from aarch64_wheels.engine.sockets import Endpoint
from aarch64_wheels.engine.spec import ContainerSpec, Mount
from aarch64_wheels.engine.volumes import VOLUME_LABEL, ensure_volume
from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "aarch64-wheels-native-k3y"


@dataclass
class FakeApi:
    """What of docker-py's low-level client is used; a container's only volume gets its files."""

    made: dict[str, dict[str, str]] = field(default_factory=dict)
    content: dict[str, list[tarfile.TarInfo]] = field(default_factory=dict)
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    in_use: set[str] = field(default_factory=set)
    fills: int = 0
    error: Exception | None = None

    def containers(self, **_options: Any) -> list[dict[str, Any]]:
        rows = list(self.held.items())
        return [{"Id": name, "Names": [f"/{name}"], **row} for name, row in rows]

    def volumes(self, *, filters: dict[str, str]) -> dict[str, Any]:
        assert filters == {"label": VOLUME_LABEL}
        rows = [{"Name": name, "Labels": labels} for name, labels in self.made.items()]
        return {"Volumes": [row for row in rows if VOLUME_LABEL in row["Labels"]] or None}

    def create_volume(self, name: str, *, labels: dict[str, str]) -> None:
        self.made.setdefault(name, labels)

    def remove_volume(self, name: str) -> None:
        if name not in self.made:
            raise docker.errors.NotFound("no such volume")
        if name in self.in_use:
            raise docker.errors.APIError("volume is in use")
        del self.made[name]
        self.content.pop(name, None)

    def create_host_config(self, **options: Any) -> dict[str, Any]:
        return options

    def create_container(self, _image: str, *, name: str, **options: Any) -> dict[str, str]:
        if self.held.setdefault(name, options) is not options:
            raise docker.errors.APIError(f'The name "/{name}" is already in use by container 1')
        return {"Id": name}

    def put_archive(self, name: str, path: str, data: Iterator[bytes]) -> None:
        (mount,) = self.held[name]["host_config"]["mounts"]
        assert path == mount["Target"]
        self.fills += 1
        if archive := b"".join(data):
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                self.content[mount["Source"]] = tar.getmembers()
        if self.error:
            raise self.error

    def remove_container(self, name: str, **_options: Any) -> None:
        del self.held[name]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    monkeypatch.setattr(volumes, "probe_image", lambda _engine: "sha256:probe")
    return FakeApi()


@pytest.fixture
def engine(api: FakeApi) -> Engine:
    client = SimpleNamespace(
        api=api, version=lambda: {"Version": "1"}, info=lambda: {"Architecture": "x86_64"}
    )
    return Engine(client, endpoint=Endpoint(url="unix:///x", origin="test"))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    place = tmp_path / "k3y"
    (place / "bin").mkdir(parents=True)
    (place / "bin/tool").write_bytes(b"tool")
    (place / "bin/tool").chmod(0o555)
    (place / "bin/alias").symlink_to("tool")
    (place / "empty").mkdir()
    return place


def later(monkeypatch: pytest.MonkeyPatch, weeks: int) -> None:
    now = volumes.current_week()
    monkeypatch.setattr(volumes, "current_week", lambda: now + weeks)


def test_a_volume_gets_the_directorys_content_owned_by_root(
    engine: Engine, api: FakeApi, directory: Path
) -> None:
    ensure_volume(engine, NAME, directory, print)
    found = {member.name: member for member in api.content[NAME]}
    assert set(found) == {".", "./bin", "./bin/tool", "./bin/alias", "./empty"}
    assert {(member.uid, member.gid) for member in found.values()} == {(0, 0)}
    assert (found["./bin/tool"].mode, found["./bin/alias"].linkname) == (0o555, "tool")
    assert api.held == {}


def test_its_container_is_ours_and_never_started(
    engine: Engine, api: FakeApi, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dict[str, Any]] = []
    create = api.create_container

    def keep(image: str, *, name: str, **options: Any) -> dict[str, str]:
        made.append({"image": image, **options})
        return create(image, name=name, **options)

    monkeypatch.setattr(api, "create_container", keep)
    ensure_volume(engine, NAME, directory, print)
    holding, options = made
    assert [row["image"] for row in made] == ["sha256:probe"] * 2
    assert [row["labels"][LABEL] for row in made] == ["filling", "volume"]
    assert [row["platform"] for row in made] == ["linux/arm64"] * 2
    assert "host_config" not in holding
    (mount,) = options["host_config"]["mounts"]
    assert (mount["Source"], mount["Type"], mount["ReadOnly"]) == (NAME, "volume", False)


def test_a_second_run_copies_nothing(engine: Engine, api: FakeApi, directory: Path) -> None:
    ensure_volume(engine, NAME, directory, print)
    before = dict(api.made)
    notes: list[str] = []
    ensure_volume(engine, NAME, directory, notes.append)
    assert (api.fills, notes, api.made) == (1, [], before)


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


def test_a_volume_that_is_half_filled_is_filled_anew(
    engine: Engine, api: FakeApi, directory: Path
) -> None:
    api.error = requests.ConnectionError("the engine has gone")
    with pytest.raises(UnfitError, match="cannot hold the native tools") as caught:
        ensure_volume(engine, NAME, directory, print)
    assert "the engine has gone" in caught.value.found
    assert api.held == {}
    api.error = None
    ensure_volume(engine, NAME, directory, print)
    assert api.fills == 2


def test_a_volume_that_the_engine_has_made_itself_is_not_taken_for_ours(
    engine: Engine, api: FakeApi, directory: Path
) -> None:
    """A container that mounts a volume which is gone gets an empty one of that name."""
    ensure_volume(engine, NAME, directory, print)
    del api.made[NAME]
    api.made[NAME] = {}
    ensure_volume(engine, NAME, directory, print)
    assert (api.fills, len(api.content[NAME])) == (2, 5)
    ensure_volume(engine, NAME, directory, print)
    assert api.fills == 2


def test_a_strangers_volume_that_is_in_use(engine: Engine, api: FakeApi, directory: Path) -> None:
    api.made[NAME], api.in_use = {}, {NAME}
    with pytest.raises(UnfitError, match=NAME) as caught:
        ensure_volume(engine, NAME, directory, print)
    assert "in use" in caught.value.found
    assert "remove containers" in caught.value.hint


def test_a_directory_that_cannot_be_read(engine: Engine, api: FakeApi, tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match="cannot read"):
        ensure_volume(engine, NAME, tmp_path / "missing", print)
    assert not any(name.startswith(f"{NAME}.") for name in api.made)


def test_each_weeks_use_is_remembered_once(
    engine: Engine, api: FakeApi, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_volume(engine, NAME, directory, print)
    later(monkeypatch, 1)
    ensure_volume(engine, NAME, directory, print)
    assert set(api.made) == {NAME, f"{NAME}.filled.{volumes.current_week()}"}
    assert api.fills == 1


LATER = {"this week": (0, True), "last week": (1, True), "long ago": (2, False)}


@pytest.mark.parametrize(("weeks", "stays"), LATER.values(), ids=LATER.keys())
def test_what_no_run_has_used_goes_when_another_is_filled(
    engine: Engine,
    api: FakeApi,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    weeks: int,
    *,
    stays: bool,
) -> None:
    ensure_volume(engine, NAME, directory, print)
    api.made["somebody-elses"] = {}
    later(monkeypatch, weeks)
    ensure_volume(engine, f"{NAME}-2", directory, print)
    assert (NAME in api.made, any(name.startswith(f"{NAME}.") for name in api.made)) == (
        stays,
        stays,
    )
    assert "somebody-elses" in api.made


def test_what_a_container_uses_stays(
    engine: Engine, api: FakeApi, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_volume(engine, NAME, directory, print)
    api.in_use = {NAME}
    later(monkeypatch, 9)
    ensure_volume(engine, f"{NAME}-2", directory, print)
    ensure_volume(engine, NAME, directory, print)
    assert api.fills == 2


def test_a_session_mounts_volumes_read_only_and_makes_links() -> None:
    calls: list[dict[str, Any]] = []
    puts: list[bytes] = []
    api = SimpleNamespace(
        create_host_config=lambda **options: options,
        create_container=lambda _image, **options: calls.append(options),
        start=lambda _name: None,
        inspect_container=lambda _name: {"State": {"Running": True}},
        put_archive=lambda _name, _path, data: puts.append(data),
        remove_container=lambda *_names, **_options: None,
    )
    client = SimpleNamespace(api=api)
    mounts = (
        Mount(volume="tools", target=PurePosixPath("/native")),
        Mount(volume="cpython", target=PurePosixPath("/native/python/cp313")),
    )
    spec = ContainerSpec(mounts=mounts)
    with ContainerSession(client, "image", spec, ContainerRegistry(client)) as session:
        session.link({PurePosixPath("/lib64/loader"): PurePosixPath("/native/lib/loader")})
    found = calls[0]["host_config"]["mounts"]
    assert [(row["Source"], row["Target"]) for row in found] == [
        ("tools", "/native"),
        ("cpython", "/native/python/cp313"),
    ]
    assert all(row["ReadOnly"] and row["VolumeOptions"]["NoCopy"] for row in found)
    with tarfile.open(fileobj=io.BytesIO(puts[0])) as tar:
        (link,) = tar.getmembers()
    assert (link.name, link.issym(), link.linkname) == (
        "lib64/loader",
        True,
        "/native/lib/loader",
    )
