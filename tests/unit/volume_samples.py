"""An engine that keeps volumes in memory, and a directory to fill them with."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import docker.errors

from aarch64_wheels.engine import volumes
from aarch64_wheels.engine.client import Engine
from aarch64_wheels.engine.sockets import Endpoint
from aarch64_wheels.engine.volumes import VOLUME_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

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


def make_api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """An API without volumes; the image of the containers that fill them is there."""
    monkeypatch.setattr(volumes, "probe_image", lambda _engine: "sha256:probe")
    return FakeApi()


def make_engine(api: FakeApi) -> Engine:
    client = SimpleNamespace(
        api=api, version=lambda: {"Version": "1"}, info=lambda: {"Architecture": "x86_64"}
    )
    return Engine(client, endpoint=Endpoint(url="unix:///x", origin="test"))


def lay_directory(place: Path) -> Path:
    """Write a program, a link to it, and an empty directory."""
    (place / "bin").mkdir(parents=True)
    (place / "bin/tool").write_bytes(b"tool")
    (place / "bin/tool").chmod(0o555)
    (place / "bin/alias").symlink_to("tool")
    (place / "empty").mkdir()
    return place
