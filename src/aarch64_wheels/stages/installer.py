"""pip's settings among a project's variables, as the installer that is used here knows them.

A project's `environment` may tell pip where packages come from (`PIP_EXTRA_INDEX_URL`, `PIP_PRE`),
because cibuildwheel's frontends install with pip.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What uv calls the same.
_SAME = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CONSTRAINT": "UV_CONSTRAINT",
    "PIP_TRUSTED_HOST": "UV_INSECURE_HOST",
    "PIP_NO_BINARY": "UV_NO_BINARY_PACKAGE",
    "PIP_ONLY_BINARY": "UV_ONLY_BINARY_PACKAGE",
}
_ALL = ":all:"
#: pip has no order of indexes: with more than one, the best release of all is taken.
_MORE = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
_FALSE = frozenset({"", "0", "false", "no", "off"})
_MENTIONED = re.compile(r"\b(PIP|UV)_[A-Z]")


def mentions_installer(assignments: str) -> bool:
    """Tell whether a project's `environment` may say something to an installer."""
    return bool(_MENTIONED.search(assignments))


def as_uv(variables: Mapping[str, str]) -> dict[str, str]:
    """Put pip's settings among variables into uv's words; uv's own go before them."""
    found = {_SAME[name]: value for name, value in variables.items() if name in _SAME and value}
    for name, all_of in (
        ("UV_NO_BINARY_PACKAGE", "UV_NO_BINARY"),
        ("UV_ONLY_BINARY_PACKAGE", "UV_NO_BUILD"),
    ):
        if name in found:
            value = found.pop(name)
            found |= {all_of: "1"} if value == _ALL else _listed(name, value)
    if variables.get("PIP_PRE", "").lower() not in _FALSE:
        found["UV_PRERELEASE"] = "allow"
    if "UV_INDEX" in found:
        found |= _MORE
    return found | {name: value for name, value in variables.items() if name.startswith("UV_")}


def _listed(name: str, value: str) -> dict[str, str]:
    """Pip's lists have commas, uv's spaces; uv builds all but what must be a wheel."""
    if name == "UV_ONLY_BINARY_PACKAGE":
        return {"UV_NO_BUILD_PACKAGE": value.replace(",", " ")}
    return {name: value.replace(",", " ")}
