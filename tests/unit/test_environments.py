"""Kept build environments: which serves which build."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aarch64_wheels import environments
from aarch64_wheels.environments import Environments
from aarch64_wheels.plan import Interpreter

CP313 = Interpreter(tag="cp313", version="3.13", directory="cp313-cp313")
CP313T = replace(CP313, directory="cp313-cp313t")
REQUIRES = ("setuptools>=77", "cython")
MADE = Environments(image_id="sha256:1", indexes=("http://a.example",), given=("tools", "ca"))
NAME = MADE.name(CP313, REQUIRES, ("native", "k1"))

PLACES: dict[str, dict[str, Any]] = {
    "image": {"image_id": "sha256:2"},
    "other-index": {"indexes": ("http://b.example",)},
    "one-more-index": {"indexes": ("http://a.example", "http://b.example")},
    "no-index": {"indexes": ()},
    "other-tools": {"given": ("other", "ca")},
    "other-certificates": {"given": ("tools", "other")},
}
BUILDS: dict[str, tuple[Interpreter, tuple[str, ...], tuple[str, ...]]] = {
    "interpreter": (replace(CP313, tag="cp314", directory="cp314-cp314"), REQUIRES, ()),
    "free-threaded": (CP313T, REQUIRES, ("native", "k1")),
    "one-less": (CP313, REQUIRES[:1], ("native", "k1")),
    "another-release": (CP313, ("setuptools>=78", "cython"), ("native", "k1")),
    "nothing": (CP313, (), ("native", "k1")),
    "emulated": (CP313, REQUIRES, ()),
    "other-native-interpreter": (CP313, REQUIRES, ("native", "k2")),
}


@pytest.mark.parametrize("change", PLACES.values(), ids=PLACES.keys())
def test_where_it_was_made_counts(change: dict[str, Any]) -> None:
    assert replace(MADE, **change).name(CP313, REQUIRES, ("native", "k1")) != NAME


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS.keys())
def test_what_it_is_for_counts(
    build: tuple[Interpreter, tuple[str, ...], tuple[str, ...]],
) -> None:
    assert MADE.name(*build) != NAME


def test_the_order_of_requirements_does_not_count() -> None:
    assert MADE.name(CP313, REQUIRES[::-1], ("native", "k1")) == NAME
    assert NAME.startswith("aarch64-wheels/environment:cp313-")


def test_an_index_is_no_requirement() -> None:
    other = replace(MADE, indexes=(*MADE.indexes, "x"))
    assert other.name(CP313, ()) != MADE.name(CP313, ("x",))


def test_another_version_of_what_shapes_them_has_environments_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environments, "our_digest", lambda: "another")
    assert MADE.name(CP313, REQUIRES, ("native", "k1")) != NAME


def test_all_code_that_shapes_them_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = environments.our_digest.__wrapped__
    everything = digest()
    assert len(everything) == 64
    monkeypatch.setattr(environments, "_SHAPED_BY", ("stages",))
    assert digest() != everything
