"""Which requirements hold, as the target would say."""

from __future__ import annotations

from typing import Any

import pytest

from aarch64_wheels.native.markers import depends_on_machine, for_target
from tests.unit.backend_samples import facts

HELD: dict[str, tuple[str, tuple[str, ...]]] = {
    "plain": ("numpy>=2", ("numpy>=2",)),
    "extras-and-urls-stay": ("a[x]@ https://h.example/a.whl", ("a[x]@ https://h.example/a.whl",)),
    "the-targets-machine": ("a>1; platform_machine == 'aarch64'", ("a>1",)),
    "this-machine": ("a; platform_machine == 'x86_64'", ()),
    "version": ("a; python_version >= '3.13'", ("a",)),
    "full-version": ("a; python_full_version == '3.13.5'", ("a",)),
    "another-version": ("a; python_version < '3.13'", ()),
    "system": ("a; sys_platform == 'win32'", ()),
    "implementation": ("a; platform_python_implementation == 'CPython'", ("a",)),
    "an-extra-nobody-asked-for": ("a; extra == 'test'", ()),
    "kernel-release": ("a; platform_release == '6'", ()),
    "no-requirement": ("--index-url=http://evil.example", ("--index-url=http://evil.example",)),
}


@pytest.mark.parametrize(("requirement", "expected"), HELD.values(), ids=HELD.keys())
def test_what_the_target_requires(requirement: str, expected: tuple[str, ...]) -> None:
    assert for_target([requirement], facts()) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"version": [3, 9, 2]}, ("a",)), ({"version": [3, 14, 0]}, ())],
    ids=["older", "newer"],
)
def test_the_version_is_the_targets(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert for_target(["a; python_version < '3.10'"], facts(**changes)) == expected


DEPENDS = {
    "plain": ("a", False),
    "here-only": ("a; platform_machine == 'x86_64'", True),
    "there-only": ("a; platform_machine == 'aarch64'", True),
    "elsewhere": ("a; platform_machine == 's390x'", False),
    "not-elsewhere": ("a; platform_machine != 's390x'", False),
    "not-for-this-version": ("a; platform_machine == 'x86_64' and python_version < '3'", False),
    "no-requirement": ("platform_machine", False),
    "nonsense": ("platform_machine ==", False),
}


@pytest.mark.parametrize(("requirement", "expected"), DEPENDS.values(), ids=DEPENDS.keys())
def test_what_depends_on_the_machine(requirement: str, *, expected: bool) -> None:
    assert depends_on_machine(requirement, facts()) is expected
