"""Containers kept as images: for how long they serve, how they are made, and that they go."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest
import requests

from aarch64_wheels.engine.container import ContainerSession
from aarch64_wheels.engine.kept import (
    FRESH_SECONDS,
    LABEL,
    is_kept,
    keep,
    remove_kept,
    remove_kept_above,
)
from aarch64_wheels.engine.owner import PID_LABEL
from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.errors import StageError

NAME = "aarch64-wheels/environment:cp313-0"


class FakeApi:
    """An engine's images by id, as its API gives and takes them."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.names: dict[str, str] = {}
        self.commits: list[tuple[str, dict[str, Any]]] = []
        self.in_use: set[str] = set()

    def add(self, image_id: str, labels: dict[str, str], parent: str = "") -> None:
        self.rows[image_id] = {"Id": image_id, "Labels": labels, "ParentId": parent}

    def images(self, *, filters: dict[str, str]) -> list[dict[str, Any]]:
        return [row for row in self.rows.values() if filters["label"] in row["Labels"]]

    def inspect_image(self, name: str) -> dict[str, Any]:
        if name not in self.names:
            raise docker.errors.ImageNotFound(f"No such image: {name}")
        return self.rows[self.names[name]]

    def remove_image(self, image_id: str, *, noprune: bool) -> None:
        assert noprune, "what it was made of is not ours to remove"
        if image_id in self.in_use:
            raise docker.errors.APIError("conflict: a container uses it")
        del self.rows[image_id]

    def commit(self, container: str, repository: str, tag: str, **options: Any) -> None:
        self.commits.append((container, options))
        image_id = f"id {len(self.commits)}"
        self.add(image_id, {LABEL: str(int(time.time()))})
        self.names[f"{repository}:{tag}"] = image_id


class FakeEngine:
    """An engine that holds images of some ages, in seconds, by name."""

    def __init__(self, **ages: float) -> None:
        self.api = FakeApi()
        self.client = SimpleNamespace(api=self.api)
        for name, age in ages.items():
            self.api.add(name, {LABEL: str(int(time.time() - age))})

    def find_labels(self, name: str) -> dict[str, str] | None:
        row = self.api.rows.get(name)
        return None if row is None else row["Labels"]

    @property
    def ids(self) -> set[str]:
        return set(self.api.rows)


def _engine(**ages: float) -> Any:
    return FakeEngine(**ages)


AGES = {
    "fresh": (0.0, True),
    "nearly-old": (FRESH_SECONDS - 60, True),
    "old": (FRESH_SECONDS + 60, False),
}


@pytest.mark.parametrize(("age", "expected"), AGES.values(), ids=AGES.keys())
def test_how_long_it_serves(age: float, expected: bool) -> None:  # noqa: FBT001
    assert is_kept(_engine(it=age), "it") is expected


@pytest.mark.parametrize("labels", [{}, {LABEL: ""}, {LABEL: "soon"}], ids=str)
def test_one_that_does_not_say_how_old_it_is_serves_nobody(labels: dict[str, str]) -> None:
    engine = _engine()
    engine.api.add("it", labels)
    assert is_kept(engine, "it") is False


def test_what_is_not_there_is_not_kept() -> None:
    assert is_kept(_engine(), "it") is False


def test_old_ones_go_unless_they_are_in_use() -> None:
    engine = _engine(fresh=0, old=FRESH_SECONDS + 60, used=FRESH_SECONDS + 60)
    engine.api.add("another's", {})
    engine.api.in_use.add("used")
    remove_kept(engine)
    assert engine.ids == {"fresh", "used", "another's"}
    remove_kept(engine, older_than=-1)
    assert engine.ids == {"used", "another's"}


def test_those_above_an_image_go_before_it() -> None:
    engine = _engine(other=0)
    engine.api.add("child", {LABEL: "0"}, parent="base")
    engine.api.add("another's child", {}, parent="base")
    remove_kept_above(engine, "base")
    assert engine.ids == {"other", "another's child"}


@pytest.mark.parametrize("error", [docker.errors.APIError("busy"), requests.ConnectionError()])
def test_an_engine_that_cannot_list_its_images_costs_nothing(error: Exception) -> None:
    def refuse(**_options: Any) -> None:
        raise error

    engine = _engine(old=FRESH_SECONDS + 60)
    engine.api.images = refuse
    remove_kept(engine)
    assert engine.ids == {"old"}


def _session(api: Any, *, image: str, keep_as: str) -> ContainerSession:
    registry: Any = SimpleNamespace(closed=False)
    spec = ContainerSpec(keep_as=keep_as, environment={"UV_INDEX": "https://me:secret@a.example"})
    return ContainerSession(SimpleNamespace(api=api), image, spec, registry)


def test_it_is_kept_under_its_name_with_the_time_and_no_owner() -> None:
    engine = _engine()
    keep(engine.client, "container", NAME)
    [(container, options)] = engine.api.commits
    assert (container, options["pause"], set(engine.api.names)) == ("container", False, {NAME})
    kept, owner = options["changes"]
    label, _, when = kept.rpartition("=")
    assert (label, owner) == (f"LABEL {LABEL}", f'LABEL {PID_LABEL}=""')
    assert 0 <= time.time() - int(when) < 60


def test_an_earlier_one_of_that_name_goes() -> None:
    engine = _engine(other=0)
    keep(engine.client, "container", NAME)
    keep(engine.client, "container", NAME)
    assert engine.ids == {"other", "id 2"}


def test_a_session_that_is_to_be_kept_as_nothing_is_not() -> None:
    _session(SimpleNamespace(), image="debian", keep_as="").keep()


def test_an_engine_that_cannot_keep_it_is_a_stage_error() -> None:
    def refuse(*_words: Any, **_options: Any) -> None:
        raise docker.errors.APIError("no space left on device")

    api: Any = FakeApi()
    api.commit = refuse
    session = _session(api, image="debian", keep_as=NAME)
    with pytest.raises(StageError, match="cannot keep the container of debian") as caught:
        session.keep()
    assert "no space left" in caught.value.found


@pytest.mark.parametrize(
    ("image", "keep_as", "prepared"),
    [(NAME, NAME, True), ("debian", NAME, False), ("debian", "", False)],
)
def test_a_session_of_the_kept_image_is_prepared(
    image: str,
    keep_as: str,
    prepared: bool,  # noqa: FBT001
) -> None:
    assert _session(SimpleNamespace(), image=image, keep_as=keep_as).is_prepared is prepared


def test_a_container_is_made_without_the_variables_of_its_commands() -> None:
    """They are kept with an image, and an index's URL may hold a login."""
    made: dict[str, Any] = {}
    api = SimpleNamespace(
        create_host_config=lambda **_options: {},
        create_container=lambda _image, **options: made.update(options),
        start=lambda _name: None,
        inspect_container=lambda _name: {"State": {"Running": True}},
        remove_container=lambda _name, **_options: None,
    )
    session = _session(api, image="debian", keep_as=NAME)
    session._create_and_start(init=True)  # noqa: SLF001
    # docker-py would add the proxies of Docker's own configuration, with their logins.
    assert (made["environment"], made["use_config_proxy"]) == ({}, False)
    assert "secret" not in str(made)
