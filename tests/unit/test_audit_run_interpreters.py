"""Which interpreters a wheel is tried with, and what is said where an image has none."""

from __future__ import annotations

import pytest
from packaging.tags import Tag, parse_tag

from aarch64_wheels.audit.run.interpreters import (
    check_libc,
    choose,
    is_for_aarch64,
    name_of,
    no_interpreter,
)
from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.errors import UsageError

MANYLINUX = "manylinux_2_17_aarch64"
ALL = interpreters()
DEBIAN = tuple(row for row in ALL if row.tag in (find_image("debian").interpreters or ()))


def tags(text: str) -> frozenset[Tag]:
    """`cp313-cp313` for manylinux, or whole tags."""
    return parse_tag(text if text.count("-") == 2 else f"{text}-{MANYLINUX}")


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("cp313-cp313", ["cp313"]),
        ("cp312.cp313.cp314-none", ["cp314"]),
        ("cp312-cp312", ["cp312"]),
        ("cp314-cp314t", ["cp314t"]),
        ("cp310-abi3", ["cp310", "cp315"]),
        ("cp32-abi3", ["cp39", "cp315"]),
        ("cp315-abi3", ["cp315"]),
        ("cp315-abi3.abi3t", ["cp315", "cp315t"]),
        ("cp316-abi3", []),
        ("cp38-cp38", []),
        ("py3-none", ["cp315"]),
        ("py2.py3-none", ["cp315"]),
        ("pp311-pypy311_pp80", ["pp311"]),
        ("pp311-pypy311_pp73", []),
        ("pp311-none", ["pp311"]),
        ("graalpy312-graalpy250_312_native", []),
    ],
)
def test_chosen_of_all_interpreters(text: str, chosen: list[str]) -> None:
    assert [row.tag for row in choose(tags(text), ALL)] == chosen


def test_chosen_of_what_an_image_has() -> None:
    assert [row.tag for row in choose(tags("cp310-abi3"), DEBIAN)] == ["cp311", "cp315"]
    assert choose(tags("cp312-cp312"), DEBIAN) == ()
    assert choose(tags("cp313-cp313"), ()) == ()


def test_interpreters_have_names_for_people() -> None:
    names = {row.tag: name_of(row) for row in ALL}
    assert names["cp39"] == "CPython 3.9"
    assert names["cp314t"] == "CPython 3.14t"
    assert names["pp311"] == "PyPy 3.11"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("cp312-cp312", "use --image manylinux2014, manylinux_2_28, manylinux_2_34"),
        ("cp314-cp314t", "use --image manylinux2014, manylinux_2_28, manylinux_2_34"),
        ("pp311-pypy311_pp80", "use --image manylinux2014, manylinux_2_28, manylinux_2_34"),
        ("cp38-cp38", "no image with a short name has it: name an --image that does"),
    ],
)
def test_other_images_are_named(text: str, hint: str) -> None:
    error = no_interpreter("a.whl", tags(text), find_image("debian"))
    assert error.what == "the image debian has no interpreter for a.whl"
    assert error.found == f"the wheel is for {text}; the image has cp39, cp311, cp313, cp314, cp315"
    assert error.hint == hint


def test_an_image_that_nobody_has_listed() -> None:
    error = no_interpreter("a.whl", tags("cp312-cp312"), find_image("example.org/mine:1"))
    assert (
        error.found
        == "the wheel is for cp312-cp312; the image has none that fits below /opt/python"
    )


@pytest.mark.parametrize(
    ("platform", "image", "hint"),
    [
        ("musllinux_1_2_aarch64", "debian", "use --image musllinux_1_2"),
        (
            MANYLINUX,
            "musllinux_1_2",
            "use --image manylinux2014, manylinux_2_28, manylinux_2_34, debian",
        ),
    ],
)
def test_another_c_library_is_refused(platform: str, image: str, hint: str) -> None:
    with pytest.raises(UsageError) as refusal:
        check_libc("a.whl", tags(f"cp313-cp313-{platform}"), find_image(image))
    assert refusal.value.what == f"a.whl cannot be tried in the image {image}"
    assert refusal.value.hint == hint


@pytest.mark.parametrize(
    ("platform", "image"),
    [
        (MANYLINUX, "debian"),
        ("linux_aarch64", "musllinux_1_2"),
        (f"{MANYLINUX}.musllinux_1_2_aarch64", "debian"),
        (f"{MANYLINUX}.musllinux_1_2_aarch64", "musllinux_1_2"),
    ],
)
def test_one_c_library_of_two_is_enough(platform: str, image: str) -> None:
    check_libc("a.whl", wanted := tags(f"cp313-cp313-{platform}"), find_image(image))
    assert is_for_aarch64(wanted)


@pytest.mark.parametrize("platform", ["any", "manylinux_2_17_x86_64", "macosx_11_0_arm64"])
def test_wheels_for_other_platforms(platform: str) -> None:
    assert not is_for_aarch64(tags(f"cp313-cp313-{platform}"))
