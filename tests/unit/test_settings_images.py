"""The images of a project for cibuildwheel: which is meant for what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.images import Images
from tests.unit.strategies import project_layers

if TYPE_CHECKING:
    from aarch64_wheels.plan import Image


def _images(**table: str) -> dict[str, Image]:
    named = {name.replace("_image", "-image"): value for name, value in table.items()}
    found = Images(layers=project_layers(named), find=find_image)
    return {
        target.identifier: target.image
        for libc in ("glibc", "musl")
        for target in found.targets(interpreters(), libc)
    }


def test_pypy_has_an_image_of_its_own() -> None:
    found = _images(**{"manylinux-aarch64_image": "manylinux2014"})
    assert found["cp313-manylinux_aarch64"].name == "manylinux2014"
    assert found["pp311-manylinux_aarch64"].name == "manylinux_2_28"
    found = _images(**{"manylinux-pypy_aarch64_image": "manylinux_2_34"})
    assert found["pp311-manylinux_aarch64"].name == "manylinux_2_34"


def test_an_image_for_musl_is_one_whatever_it_is_called() -> None:
    found = _images(**{"musllinux-aarch64_image": "registry.example/alpine:1"})
    assert found["cp313-musllinux_aarch64"].libc == "musl"
    assert found["cp313-manylinux_aarch64"].libc == "glibc"
    assert "pp311-musllinux_aarch64" not in found
