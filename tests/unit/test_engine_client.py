"""Finding an engine, and what is said if there is none."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest
import requests

from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.engine.pulling import is_busy, pull_with_retry
from aarch64_wheels.engine.sockets import Endpoint, endpoints, why_silent
from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.settings.schema import EngineName


@pytest.fixture(autouse=True)
def _no_context(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-docker-config"))
    monkeypatch.setenv("HOME", str(tmp_path))


def fake_client(components: str = "Engine") -> Any:
    return SimpleNamespace(
        version=lambda: {"Version": "1.2.3", "Components": [{"Name": components}]},
        info=lambda: {"Architecture": "x86_64"},
        close=lambda: None,
    )


DOCKER = "unix:///var/run/docker.sock"
PODMAN = "unix:///run/podman/podman.sock"
RUNTIME = {"XDG_RUNTIME_DIR": "/run/user/7"}
ROOTLESS_DOCKER = "unix:///run/user/7/docker.sock"
ROOTLESS_PODMAN = "unix:///run/user/7/podman/podman.sock"
ORDERS = {
    "docker": (EngineName.DOCKER, RUNTIME, [DOCKER, ROOTLESS_DOCKER]),
    "podman": (EngineName.PODMAN, RUNTIME, [ROOTLESS_PODMAN, PODMAN]),
    "auto": (EngineName.AUTO, RUNTIME, [DOCKER, ROOTLESS_DOCKER, ROOTLESS_PODMAN, PODMAN]),
    "auto with DOCKER_HOST": (EngineName.AUTO, {"DOCKER_HOST": "tcp://h:1"}, ["tcp://h:1"]),
    "auto with CONTAINER_HOST": (
        EngineName.AUTO,
        {"CONTAINER_HOST": "unix:///p.sock"},
        ["unix:///p.sock"],
    ),
    "podman with DOCKER_HOST": (
        EngineName.PODMAN,
        {"DOCKER_HOST": "tcp://h:1", **RUNTIME},
        [ROOTLESS_PODMAN, PODMAN],
    ),
    "empty DOCKER_HOST": (
        EngineName.DOCKER,
        {"DOCKER_HOST": "", **RUNTIME},
        [DOCKER, ROOTLESS_DOCKER],
    ),
}


@pytest.mark.parametrize(("name", "environ", "expected"), ORDERS.values(), ids=ORDERS.keys())
def test_what_is_tried(name: EngineName, environ: dict[str, str], expected: list[str]) -> None:
    assert [endpoint.url for endpoint in endpoints(name, environ)] == expected


def test_no_runtime_dir_falls_back_to_the_users() -> None:
    tried = endpoints(EngineName.PODMAN, {})
    assert tried[0].url == f"unix:///run/user/{os.getuid()}/podman/podman.sock"


def test_the_first_that_answers_is_taken() -> None:
    def opener(endpoint: Endpoint, _timeout: int) -> Any:
        if endpoint.url == DOCKER:
            raise docker.errors.DockerException("Connection refused")
        return fake_client("Podman Engine")

    engine = connect(EngineName.AUTO, RUNTIME, opener=opener)
    assert engine.endpoint.url == ROOTLESS_DOCKER
    assert (engine.name, engine.version, engine.local) == ("podman", "1.2.3", True)


def test_no_engine_lists_what_was_tried_and_why() -> None:
    def opener(_endpoint: Endpoint, _timeout: int) -> Any:
        raise docker.errors.DockerException("Connection refused")

    with pytest.raises(UnfitError) as caught:
        connect(EngineName.AUTO, {"DOCKER_HOST": "tcp://me:secret@h:1"}, opener=opener)
    assert "tcp://h:1 (DOCKER_HOST): connection refused" in caught.value.found
    assert "secret" not in str(caught.value)
    assert "doctor --fix" in caught.value.hint
    assert caught.value.exit_code == 3


def test_the_library_really_fails_that_way(tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match="no container engine") as caught:
        connect(EngineName.DOCKER, {"DOCKER_HOST": f"unix://{tmp_path}/missing.sock"})
    assert caught.value.found.endswith("(DOCKER_HOST): missing")


def test_a_socket_nobody_listens_at(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    with pytest.raises(UnfitError) as caught:
        connect(EngineName.DOCKER, {"DOCKER_HOST": f"unix://{path}"})
    assert "connection refused" in caught.value.found


def test_why_silent_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    endpoint = Endpoint(url=f"unix://{tmp_path}/file", origin="test")
    assert why_silent(endpoint, OSError()) == "not a socket"


WORDS = {
    "permission": ("[Errno 13] Permission denied", "permission denied"),
    "timeout": ("Read timed out. (15)", "no answer in time"),
    "ssh": ("Install paramiko package to enable ssh:// support", "paramiko"),
    "anything else": ("something odd", "something odd"),
}


@pytest.mark.parametrize(("text", "expected"), WORDS.values(), ids=WORDS.keys())
def test_why_silent(text: str, expected: str) -> None:
    endpoint = Endpoint(url="tcp://h:1", origin="test")
    assert expected in why_silent(endpoint, docker.errors.DockerException(text))


def engine_that_loads(load: Any) -> Engine:
    client = fake_client()
    client.images = SimpleNamespace(load=load)
    return Engine(client, endpoint=Endpoint(url="unix:///x", origin="test"))


def test_an_archive_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnfitError, match="cannot read the image archive"):
        engine_that_loads(None).load(tmp_path / "missing.tar")


def test_an_archive_that_is_refused(tmp_path: Path) -> None:
    def refuse(_data: Any) -> Any:
        raise docker.errors.ImageLoadError("no space left on device")

    (tmp_path / "a.tar").touch()
    with pytest.raises(UnfitError, match="no space left"):
        engine_that_loads(refuse).load(tmp_path / "a.tar")


def engine_that_inspects(status: int, words: str) -> Engine:
    def fail(_reference: str) -> None:
        response = requests.Response()
        response.status_code = status
        kind = docker.errors.NotFound if status == 404 else docker.errors.APIError
        raise kind("error", response, words)

    client = fake_client()
    client.images = SimpleNamespace(get=fail)
    return Engine(client, endpoint=Endpoint(url=DOCKER, origin="test"))


def test_a_reference_that_cannot_be_one() -> None:
    engine = engine_that_inspects(400, "invalid reference format")
    with pytest.raises(UsageError, match="`Foo:bar:baz` cannot be the name of an image") as caught:
        engine.has_image("Foo:bar:baz")
    assert caught.value.found == "invalid reference format"


def test_an_engine_that_fails_over_an_image() -> None:
    with pytest.raises(UnfitError, match="disk is broken"):
        engine_that_inspects(500, "disk is broken").has_image("a:1")


def test_an_image_that_is_not_there() -> None:
    engine = engine_that_inspects(404, "no such image")
    assert not engine.has_image("a:1")
    with pytest.raises(UnfitError, match="does not hold the image a:1"):
        engine.image_id("a:1")


STORAGE = {
    "seen": ("/", DOCKER, "/"),
    "not on this machine": ("/no/such/place", DOCKER, None),
    "of another machine": ("/", "tcp://h:1", None),
    "not told": ("", DOCKER, None),
}


@pytest.mark.parametrize(("root", "url", "expected"), STORAGE.values(), ids=STORAGE.keys())
def test_where_an_engine_keeps_things(root: str, url: str, expected: str | None) -> None:
    client = fake_client()
    client.info = lambda: {"Architecture": "x86_64", "DockerRootDir": root}
    engine = Engine(client, endpoint=Endpoint(url=url, origin="test"))
    assert engine.storage == (Path(expected) if expected else None)


BUSY = {
    "502": ("received unexpected HTTP status: 502 Bad Gateway", True),
    "504": ("error parsing HTTP 504 response body", True),
    "rate limit": ("toomanyrequests: You have reached your pull rate limit", True),
    "timeout": ("net/http: TLS handshake timeout", True),
    "headers": ("Client.Timeout exceeded while awaiting headers", True),
    "no such host": ("Get https://r/v2/: dial tcp: lookup r: no such host (500)", False),
    "refused": ("dial tcp 10.0.0.1:443: connect: connection refused (500)", False),
    "unknown": ("manifest for r/x:1 not found: manifest unknown (404)", False),
    "denied": ("pull access denied for x (404)", False),
}


@pytest.mark.parametrize(("words", "expected"), BUSY.values(), ids=BUSY.keys())
def test_what_is_worth_another_try(words: str, expected: bool) -> None:  # noqa: FBT001
    assert is_busy(words) is expected


class FakeRegistry:
    """A docker-py client whose pulls end as listed."""

    def __init__(self, *ends: str | None) -> None:
        self.ends = list(ends)
        self.api = self

    def pull(self, _reference: str, **_options: Any) -> list[dict[str, str]]:
        end = self.ends.pop(0)
        events = [{"id": "layer", "status": "Downloading"}] * 3
        return events if end is None else [*events, {"error": end}]


def test_a_pull_is_tried_again_while_the_registry_is_busy() -> None:
    registry = FakeRegistry("502 Bad Gateway", "504", None)
    pauses: list[float] = []
    lines: list[str] = []
    pull_with_retry(registry, "r/x", lines.append, pause=pauses.append)
    assert registry.ends == []
    assert pauses == [2.0, 8.0]
    assert lines.count("layer Downloading") == 3  # once for each attempt, not for each event


def test_a_pull_that_stays_busy_gives_up_with_the_registrys_words() -> None:
    registry = FakeRegistry(*["503 Service Unavailable"] * 4)
    with pytest.raises(UnfitError, match="503 Service Unavailable"):
        pull_with_retry(registry, "r/x", print, pause=lambda _seconds: None)
    assert registry.ends == []


def test_a_pull_that_is_denied_is_not_repeated() -> None:
    registry = FakeRegistry("pull access denied", None)
    with pytest.raises(UnfitError, match="denied"):
        pull_with_retry(registry, "r/x", print, pause=lambda _seconds: None)
    assert len(registry.ends) == 1
