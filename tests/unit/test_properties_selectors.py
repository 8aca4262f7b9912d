"""What cibuildwheel's selectors choose of the targets for Linux aarch64, ours choose."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from cibuildwheel.selector import BuildSelector, EnableGroup
from cibuildwheel.util import resources
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from aarch64_wheels.catalogue import find_image, images, interpreters
from aarch64_wheels.errors import UsageError
from aarch64_wheels.images import Images
from aarch64_wheels.source.metadata import Metadata
from aarch64_wheels.targets import choose_targets
from tests.unit.strategies import globs, lists_or_text, project_layers, thorough

pytestmark = pytest.mark.usefixtures("_remembered_facts")

CATALOGUE = interpreters()
THEIRS = {
    row["identifier"]: row["path_str"]
    for row in tomllib.loads(resources.BUILD_PLATFORMS.read_text(encoding="utf-8"))["linux"][
        "python_configurations"
    ]
    if row["identifier"].endswith("_aarch64")
}
_FETCHED = "not in the catalogue: there `manylinux-interpreters ensure` fetches it"
#: What differs, and is meant to. All else is the same.
WANTED = {
    "pp39-manylinux_aarch64": "end of life, and not in the catalogue",
    "pp310-manylinux_aarch64": "end of life, and not in the catalogue",
    "pp312-manylinux_aarch64": _FETCHED,
    "gp312_250-manylinux_aarch64": _FETCHED,
    "gp313_253-manylinux_aarch64": _FETCHED,
}
ENABLE = st.lists(st.sampled_from([*EnableGroup, "all"]), max_size=3).map(
    lambda groups: [str(group) for group in groups]
)
REQUIRES = st.one_of(
    st.just(""),
    st.builds(
        "{}{}".format,
        st.sampled_from((">=", ">", "<", "<=", "~=", "!=")),
        st.sampled_from(("3.9", "3.10.4", "3.13", "3.14.0", "3.15.0b1", "4.0")),
    ),
    st.sampled_from(("==3.*", ">=3.9,<3.13,!=3.11.*", "<3.14", ">=3.8.1,<4", ">=3.15")),
)
BUILD = st.one_of(st.just("*"), st.just(""), lists_or_text(globs))


def _ours(table: dict[str, Any], requires: str) -> set[str]:
    layers = project_layers(table)
    try:
        chosen = choose_targets(
            layers.settings(),
            Metadata(requires_python=requires),
            Images(layers=layers, find=find_image),
            CATALOGUE,
        )
    except UsageError:  # nothing is left
        return set()
    return {target.identifier for target in chosen.targets}


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else " ".join(value)


@thorough
@given(build=BUILD, skip=lists_or_text(globs), enable=ENABLE, requires=REQUIRES)
def test_the_same_targets_are_chosen(
    build: str | list[str], skip: str | list[str], enable: list[str], requires: str
) -> None:
    selector = BuildSelector(
        build_config=_text(build) or "*",
        skip_config=_text(skip),
        requires_python=SpecifierSet(requires),
        enable=EnableGroup.parse_option_value(" ".join(enable)),
    )
    table = {"build": build, "skip": skip, "enable": enable}
    theirs = {name for name in THEIRS if name not in WANTED and selector(name)}
    assert _ours(table, requires) == theirs


def test_every_difference_is_one_that_is_wanted() -> None:
    ours = _ours({"enable": "all"}, "")
    assert set(THEIRS) - ours == set(WANTED)
    assert ours <= set(THEIRS)


def test_interpreters_are_where_the_images_have_them() -> None:
    """cibuildwheel names the directories of the very images that the catalogue pins."""
    for image in images():
        for row in CATALOGUE:
            if not image.embedded and row.tag in (image.interpreters or ()):
                assert THEIRS[row.identifier(image.libc)] == f"/opt/python/{row.directory}"


@settings(thorough, max_examples=50)
@given(skip=lists_or_text(globs), more=lists_or_text(globs), requires=REQUIRES)
def test_more_to_skip_never_builds_more(
    skip: str | list[str], more: str | list[str], requires: str
) -> None:
    both = f"{_text(skip)} {_text(more)}"
    assert _ours({"skip": both}, requires) <= _ours({"skip": skip}, requires)


@thorough
@given(build=lists_or_text(globs), skip=lists_or_text(globs))
def test_a_list_is_its_words(build: str | list[str], skip: str | list[str]) -> None:
    expected = project_layers({"build": build, "skip": skip}).settings()
    words = {"build": _text(build), "skip": _text(skip).split()}
    assert project_layers(words).settings() == expected
