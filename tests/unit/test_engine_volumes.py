"""Filling volumes, with an engine that keeps them in memory."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from aarch64_wheels.engine import volumes
from aarch64_wheels.engine.container import ContainerSession
from aarch64_wheels.engine.owner import LABEL
from aarch64_wheels.engine.registry import ContainerRegistry
from aarch64_wheels.engine.spec import ContainerSpec, Mount
from aarch64_wheels.engine.volumes import ensure_volume
from aarch64_wheels.errors import UnfitError
from tests.unit.volume_samples import NAME, FakeApi, lay_directory, make_api, make_engine

if TYPE_CHECKING:
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
