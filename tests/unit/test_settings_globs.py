"""Globs of identifiers: what braces stand for, and that too many are an error."""

from __future__ import annotations

import pytest

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.globs import expand, matches


def test_words_and_braces_are_written_out_once() -> None:
    assert expand(["cp3{13,14}-* cp313-*", "x"]) == ("cp313-*", "cp314-*", "x")


@pytest.mark.parametrize(
    "pattern",
    ["{1..99999999}", "{" * 3000, "{a," * 3000 + "}" * 3000],
    ids=["many", "open", "deep"],
)
def test_too_many_braces_are_an_error(pattern: str) -> None:
    with pytest.raises(UsageError, match="braces of a glob"):
        matches([pattern], "cp313-manylinux_aarch64")
