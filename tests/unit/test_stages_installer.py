"""pip's settings in a project's variables, for the installer that is used here."""

from __future__ import annotations

import pytest

from aarch64_wheels.stages.installer import as_uv, mentions_installer

INDEX = "https://index.example/simple"
SAID = {
    "nothing": ({"PATH": "/bin", "PIP": "1"}, {}),
    "index": ({"PIP_INDEX_URL": INDEX}, {"UV_DEFAULT_INDEX": INDEX}),
    "more-indexes": (
        {"PIP_EXTRA_INDEX_URL": f"{INDEX} {INDEX}/two"},
        {"UV_INDEX": f"{INDEX} {INDEX}/two", "UV_INDEX_STRATEGY": "unsafe-best-match"},
    ),
    "prereleases": ({"PIP_PRE": "1"}, {"UV_PRERELEASE": "allow"}),
    "no-prereleases": ({"PIP_PRE": "0"}, {}),
    "all-wheels": ({"PIP_ONLY_BINARY": ":all:"}, {"UV_NO_BUILD": "1"}),
    "some-wheels": ({"PIP_ONLY_BINARY": "a,b"}, {"UV_NO_BUILD_PACKAGE": "a b"}),
    "all-sdists": ({"PIP_NO_BINARY": ":all:"}, {"UV_NO_BINARY": "1"}),
    "some-sdists": ({"PIP_NO_BINARY": "a,b"}, {"UV_NO_BINARY_PACKAGE": "a b"}),
    "uv-itself-goes-before": (
        {"PIP_INDEX_URL": INDEX, "UV_DEFAULT_INDEX": "own"},
        {"UV_DEFAULT_INDEX": "own"},
    ),
    "empty": ({"PIP_INDEX_URL": ""}, {}),
}


@pytest.mark.parametrize(("variables", "expected"), SAID.values(), ids=SAID.keys())
def test_what_uv_is_told(variables: dict[str, str], expected: dict[str, str]) -> None:
    assert as_uv(variables) == expected


@pytest.mark.parametrize(
    ("assignments", "does"),
    [
        pytest.param('PIP_PRE="1"', True, id="pip"),
        pytest.param('A=1 UV_INDEX="x"', True, id="uv"),
        pytest.param('B="$PIP_INDEX_URL"', True, id="used"),
        pytest.param("PIPELINE=1 CPIP_A=2", False, id="other-names"),
        pytest.param("", False, id="none"),
    ],
)
def test_which_environments_may_tell_it_something(assignments: str, *, does: bool) -> None:
    assert mentions_installer(assignments) is does
