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
        (f"r.example/musllinux_1_2_aarch64@sha256:{'0' * 64}", "musllinux_1_2_aarch64", "musl"),
        ("r.example/manylinux_2_28/builder:manylinux_2_34", "", "glibc"),
        ("builder:latest", "", "glibc"),
        (f"r.example/x:1@sha256:{'0' * 64}", "", "glibc"),
        ("localhost:1/nobody/there:1", "", "glibc"),
        ("local/nameless:1", "", "glibc"),
        ("aarch64-wheels/debian:abc", "", "glibc"),
        ("[::1]:5000/x", "", "glibc"),
        ("Registry.Example/x__y/z--w:V1.0_x", "", "glibc"),
        ("r.example/x86_64/builder:1", "", "glibc"),
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
        ("a b/c", "no image reference"),
    ],
)
def test_unknown_names(name: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_image(name)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("/", id="slash"),
        pytest.param("::", id="colons"),
        pytest.param(":1", id="tag-only"),
        pytest.param("x:", id="no-tag"),
        pytest.param("r.example/", id="no-name"),
        pytest.param("r.example//x", id="empty-part"),
        pytest.param("/x", id="path"),
        pytest.param("./x", id="relative-path"),
        pytest.param("r.example:port/x", id="port"),
        pytest.param("r.example/X", id="upper-case"),
        pytest.param("r.example/x_-y", id="separators"),
        pytest.param("r.example/x:-1", id="tag"),
        pytest.param("r.example/x:" + "1" * 129, id="long-tag"),
        pytest.param("r.example/" + "x" * 250, id="long-name"),
        pytest.param("r.example/x@sha256:0", id="short-digest"),
        pytest.param("r.example/x@", id="no-digest"),
        pytest.param("r.example/x\n", id="newline"),
        pytest.param("https://r.example/x", id="url"),
        pytest.param("user:secret@r.example/x", id="credentials"),
        pytest.param("docker://user:secret@r.example/x", id="url-with-credentials"),
        pytest.param("user:secret/secret@r.example/x", id="odd-credentials"),
    ],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no image reference\n.*\n.*manylinux2014") as caught:
        find_image(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "architecture", "instead"),
    [
        ("r.example/x/manylinux_2_28_x86_64", "x86_64", "r.example/x/manylinux_2_28_aarch64"),
        (f"r.example/x_i686:1@sha256:{'0' * 64}", "i686", "r.example/x_aarch64:1"),
        ("r.example/x_ppc64le", "ppc64le", "r.example/x_aarch64"),
        ("r.example/x_s390x", "s390x", "r.example/x_aarch64"),
        ("r.example/x_armv7l", "armv7l", "r.example/x_aarch64"),
        ("r.example/x-riscv64", "riscv64", "r.example/x-aarch64"),
        ("r.example/x:1.0-amd64", "amd64", "r.example/x:1.0-arm64"),
    ],
)
def test_another_architecture(reference: str, architecture: str, instead: str) -> None:
    with pytest.raises(UsageError, match=f"is one for {architecture} ") as caught:
        find_image(reference)
    assert caught.value.hint == f"try `{instead}`"
