"""One architecture, several names."""

from __future__ import annotations

import pytest

from aarch64_wheels.machine import is_arm64


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aarch64", True),
        ("arm64", True),
        ("ARM64", True),
        ("x86_64", False),
        ("armv7l", False),
        ("", False),
    ],
)
def test_names(name: str, expected: bool) -> None:  # noqa: FBT001
    assert is_arm64(name) is expected
