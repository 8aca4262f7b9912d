"""Getting images, against a real engine."""

from __future__ import annotations

import os

import pytest

from aarch64_wheels.emulation.probe_elf import image_archive
from aarch64_wheels.engine.client import Engine, connect
from aarch64_wheels.engine.images import ensure_image, interpreters_in
from aarch64_wheels.errors import UnfitError
from aarch64_wheels.plan import Image
from aarch64_wheels.settings.schema import EngineName
from tests.integration.session_samples import no_sink


@pytest.fixture(scope="module")
def engine() -> Engine:
    return connect(EngineName.AUTO, os.environ)


def make_image(reference: str) -> Image:
    return Image(
        name=reference,
        reference=reference,
        policy="manylinux_2_17_aarch64",
        libc="glibc",
        interpreters=None,
    )


def test_ensure_image_takes_what_is_there(engine: Engine, debian_image: str) -> None:
    found = ensure_image(engine, make_image(debian_image), no_sink)
    assert found == engine.image_id(debian_image)


def test_ensure_image_names_the_way_without_a_registry(engine: Engine) -> None:
    with pytest.raises(UnfitError) as caught:
        ensure_image(engine, make_image("registry.invalid/no/image:1"), no_sink)
    assert "registry.invalid/no/image:1" in caught.value.what
    assert "--image debian" in caught.value.hint
    assert caught.value.found


def test_ensure_image_refuses_another_architecture(engine: Engine) -> None:
    tag = "aarch64-wheels/other-architecture:1"
    engine.load_stream(image_archive(tag=tag, architecture="riscv64"))
    try:
        with pytest.raises(UnfitError, match="riscv64"):
            ensure_image(engine, make_image(tag), no_sink)
    finally:
        engine.client.images.remove(tag)


def test_interpreters_of_the_embedded_image(engine: Engine, debian_image: str) -> None:
    with engine.start_session(debian_image) as session:
        assert {"cp39-cp39", "cp313-cp313"} <= interpreters_in(session)
