from __future__ import annotations

import re

import pytest

from aarch64_wheels.catalogue import find_image, images, interpreters
from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.schema import Settings


def test_tags_are_unique_and_say_the_version() -> None:
    tags = [item.tag for item in interpreters()]
    assert len(set(tags)) == len(tags)
    for item in interpreters():
        assert item.tag[2:].rstrip("t") == item.version.replace(".", "")
        assert item.directory.startswith(item.tag.rstrip("t"))


def test_images_hold_interpreters_of_the_catalogue() -> None:
    known = {item.tag for item in interpreters()}
    for image in images():
        assert image.interpreters
        assert set(image.interpreters) <= known


def test_references_are_pinned_and_only_the_embedded_image_has_none() -> None:
    assert [image.name for image in images() if image.embedded] == ["debian"]
    for image in images():
        assert image.embedded or re.search(r"@sha256:[0-9a-f]{64}$", image.reference)


def test_the_default_image_is_listed() -> None:
    assert find_image(Settings().image).policy == "manylinux_2_17_aarch64"


def test_the_embedded_image() -> None:
    image = find_image("debian")
    assert (image.reference, image.libc) == ("aarch64-wheels/debian", "glibc")
    assert image.interpreters == ("cp39", "cp311", "cp313", "cp314", "cp315")


@pytest.mark.parametrize(
    ("reference", "policy", "libc"),
    [
        ("r.example/x/manylinux_2_28_aarch64:1", "manylinux_2_28_aarch64", "glibc"),
        ("r.example:5000/manylinux2014_aarch64", "manylinux_2_17_aarch64", "glibc"),
        ("r.example/musllinux_1_2_aarch64@sha256:0", "musllinux_1_2_aarch64", "musl"),
        ("r.example/manylinux_2_28/builder:manylinux_2_34", "", "glibc"),
        ("builder:latest", "", "glibc"),
    ],
)
def test_references_are_taken_as_given(reference: str, policy: str, libc: str) -> None:
    image = find_image(reference)
    assert (image.name, image.reference) == (reference, reference)
    assert (image.policy, image.libc, image.interpreters) == (policy, libc, None)
    assert not image.embedded


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("manylinux_2_82", "did you mean `manylinux_2_28`"),
        ("zzz", "manylinux2014, manylinux_2_28"),
        ("", "the short names are"),
        ("a b/c", "no image is called `a b/c`"),
    ],
)
def test_unknown_names(name: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_image(name)
    assert words in str(caught.value)
