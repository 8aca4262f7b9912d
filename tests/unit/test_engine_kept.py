"""Containers kept as images: for how long they serve, how they are made, and that they go."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest

from aarch64_wheels.engine.container import ContainerSession
from aarch64_wheels.engine.kept import FRESH_SECONDS, LABEL, is_kept, keep, remove_kept
from aarch64_wheels.engine.spec import ContainerSpec
from aarch64_wheels.errors import StageError

NAME = "aarch64-wheels/environment:cp313-0"


class FakeEngine:
    """An engine's images, by name, with their labels."""

    def __init__(self, images: dict[str, dict[str, str]]) -> None:
        self.images = images
        self.client = SimpleNamespace(api=SimpleNamespace(images=self._list))

    def has_image(self, name: str) -> bool:
        return name in self.images

    def image_labels(self, name: str) -> dict[str, str]:
        return self.images[name]

    def forget_image(self, name: str) -> None:
        del self.images[name]

    def _list(self, *, filters: dict[str, str]) -> list[dict[str, Any]]:
        return [
            {"Id": name, "Labels": labels}
            for name, labels in self.images.items()
            if filters["label"] in labels
        ]


def _engine(**ages: float) -> Any:
    now = time.time()
    return FakeEngine({name: {LABEL: str(int(now - age))} for name, age in ages.items()})


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
    engine: Any = FakeEngine({"it": labels})
    assert is_kept(engine, "it") is False


def test_what_is_not_there_is_not_kept() -> None:
    assert is_kept(_engine(), "it") is False


def test_old_ones_go() -> None:
    engine = _engine(fresh=0, old=FRESH_SECONDS + 60)
    engine.images["another's"] = {}
    remove_kept(engine)
    assert set(engine.images) == {"fresh", "another's"}
    remove_kept(engine, older_than=-1)
    assert set(engine.images) == {"another's"}


def test_an_engine_that_cannot_list_its_images_costs_nothing() -> None:
    def refuse(**_options: Any) -> None:
        raise docker.errors.APIError("busy")

    engine = _engine(old=FRESH_SECONDS + 60)
    engine.client.api.images = refuse
    remove_kept(engine)
    assert set(engine.images) == {"old"}


def _session(api: Any, *, image: str, keep_as: str) -> ContainerSession:
    registry: Any = SimpleNamespace(closed=False)
    spec = ContainerSpec(keep_as=keep_as, environment={"UV_INDEX": "https://me:secret@a.example"})
    return ContainerSession(SimpleNamespace(api=api), image, spec, registry)


def test_it_is_kept_under_its_name_with_the_time() -> None:
    asked: list[Any] = []
    api = SimpleNamespace(commit=lambda *words, **options: asked.append((words, options)))
    keep(SimpleNamespace(api=api), "container", NAME)
    [(words, options)] = asked
    assert words == ("container", "aarch64-wheels/environment", "cp313-0")
    label, _, when = options["changes"][0].rpartition("=")
    assert label == f"LABEL {LABEL}"
    assert 0 <= time.time() - int(when) < 60


def test_a_session_that_is_to_be_kept_as_nothing_is_not() -> None:
    _session(SimpleNamespace(), image="debian", keep_as="").keep()


def test_an_engine_that_cannot_keep_it_is_a_stage_error() -> None:
    def refuse(*_words: Any, **_options: Any) -> None:
        raise docker.errors.APIError("no space left on device")

    session = _session(SimpleNamespace(commit=refuse), image="debian", keep_as=NAME)
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
    assert made["environment"] == {}
    assert "secret" not in str(made)
