from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aarch64_wheels.catalogue import find_image, interpreters
from aarch64_wheels.errors import ExitCode, UnfitError, UsageError
from aarch64_wheels.settings.selectors import is_exact, select, split

CATALOGUE = interpreters()
TAGS = [item.tag for item in CATALOGUE]
CPYTHONS = [tag for tag in TAGS if tag.startswith("cp")]
DEBIAN = find_image("debian")


def _tags(*selectors: str) -> list[str]:
    return [item.tag for item in select(selectors, CATALOGUE)]


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        pytest.param(["cp313"], ["cp313"], id="tag"),
        pytest.param(["CP313"], ["cp313"], id="upper-case"),
        pytest.param(["3.13"], ["cp313"], id="version"),
        pytest.param(["3.14"], ["cp314"], id="version-with-the-lock"),
        pytest.param(["3.14t"], ["cp314t"], id="free-threaded-version"),
        pytest.param(["3.11"], ["cp311"], id="version-is-not-pypy"),
        pytest.param(["cp313-manylinux_aarch64"], ["cp313"], id="identifier"),
        pytest.param(["cp313-*"], ["cp313"], id="identifier-glob"),
        pytest.param(["cp31?"], ["cp310", "cp311", "cp312", "cp313", "cp314", "cp315"], id="one"),
        pytest.param(["cp31[34]"], ["cp313", "cp314"], id="set"),
        pytest.param(["cp3*"], CPYTHONS, id="glob"),
        pytest.param(["*"], CPYTHONS, id="star-without-opt-in"),
        pytest.param(["pp*"], ["pp311"], id="pypy-glob"),
        pytest.param(["pp311"], ["pp311"], id="pypy"),
        pytest.param(["all"], TAGS, id="all"),
        pytest.param(["cp313 cp39,cp311"], ["cp39", "cp311", "cp313"], id="one-text"),
        pytest.param(["cp313", "3.13", "cp31?"], _tags("cp31?"), id="no-duplicates"),
        pytest.param([], [], id="none"),
    ],
)
def test_select(selectors: list[str], expected: list[str]) -> None:
    assert _tags(*selectors) == expected


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        pytest.param(["all"], ["cp39", "cp311", "cp313", "cp314", "cp315"], id="all"),
        pytest.param(["cp31*"], ["cp311", "cp313", "cp314", "cp315"], id="glob"),
        pytest.param(["cp39"], ["cp39"], id="tag"),
    ],
)
def test_an_image_limits_the_selection(selectors: list[str], expected: list[str]) -> None:
    assert [item.tag for item in select(selectors, CATALOGUE, DEBIAN)] == expected


def test_an_unlisted_image_may_hold_everything() -> None:
    image = find_image("registry.example/builder:1")
    assert len(select(["all"], CATALOGUE, image)) == len(CATALOGUE)


@pytest.mark.parametrize(
    ("selector", "near"),
    [("cp133", "cp313"), ("3.77", "3."), ("cp313-manylinux_arch64", "cp313-manylinux_aarch64")],
)
def test_unknown_selectors_name_the_nearest(selector: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        select([selector], CATALOGUE)
    assert f"`{selector}`" in caught.value.what
    assert f"did you mean `{near}" in caught.value.hint


@pytest.mark.parametrize("selector", ["cp310", "3.12", "pp311", "pp*", "cp31?t", "cp310-*"])
def test_known_but_not_in_the_image(selector: str) -> None:
    with pytest.raises(UnfitError) as caught:
        select(["cp313", selector], CATALOGUE, DEBIAN)
    assert caught.value.exit_code == ExitCode.UNFIT
    assert caught.value.what == f"no such interpreter in the image debian: `{selector}`"
    assert "cp39" in caught.value.found
    assert "cp310" not in caught.value.found


def test_an_identifier_of_another_platform_is_not_in_the_image() -> None:
    with pytest.raises(UnfitError, match="cp313-manylinux_aarch64"):
        select(["cp313-musllinux_aarch64"], CATALOGUE, DEBIAN)
    musl = replace(DEBIAN, libc="musl")
    assert len(select(["cp313-musllinux_aarch64"], CATALOGUE, musl)) == 1


@pytest.mark.parametrize(
    ("selector", "exact"), [("cp313", True), ("3.13", True), ("all", False), ("cp3*", False)]
)
def test_is_exact(selector: str, exact: bool) -> None:  # noqa: FBT001  # a table's column
    assert is_exact(selector) is exact


# No deadline: a loaded machine is no fault.
quick = settings(deadline=None, max_examples=60, database=None)
SELECTORS = st.lists(
    st.sampled_from([*TAGS, "3.9", "3.14t", "cp3*", "cp31?", "*", "pp*", "all", "*-musllinux*"])
)


@quick
@given(SELECTORS)
def test_selection_keeps_order_without_duplicates(selectors: list[str]) -> None:
    positions = [CATALOGUE.index(item) for item in select(selectors, CATALOGUE)]
    assert positions == sorted(set(positions))


@quick
@given(SELECTORS, st.sampled_from([" ", ",", ", ", "\n"]))
def test_separators_do_not_matter(selectors: list[str], separator: str) -> None:
    assert select([separator.join(selectors)], CATALOGUE) == select(selectors, CATALOGUE)


@quick
@given(SELECTORS, SELECTORS)
def test_more_selectors_never_select_less(some: list[str], more: list[str]) -> None:
    assert set(select(some, CATALOGUE)) <= set(select([*some, *more], CATALOGUE))


@quick
@given(st.lists(st.text(max_size=12)))
def test_split_gives_single_words_once(texts: list[str]) -> None:
    words = split(texts)
    assert len(set(words)) == len(words)
    assert all(word and word.split() == [word] and "," not in word for word in words)
