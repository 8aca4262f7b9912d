"""Environment markers (PEP 508) mean the target, not the machine that the installer runs on.

`numpy==1.21; platform_machine == "aarch64"` must be taken, though a native interpreter says
x86_64 to an installer, for it is to be given native wheels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aarch64_wheels.native.facts import Facts

_NATIVE = "x86_64"
_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy"}


def for_target(requires: Iterable[str], facts: Facts) -> tuple[str, ...]:
    """Give the requirements that hold for the target, without their markers.

    What is no requirement stays as it is: the installer has the words for it.
    """
    return tuple(_for_target(requires, facts))


def _for_target(requires: Iterable[str], facts: Facts) -> Iterator[str]:
    for text in requires:
        try:
            parsed = Requirement(text)
        except InvalidRequirement:
            yield text
            continue
        if parsed.marker is None:
            yield text
        elif _holds(parsed, facts, facts.machine):
            parsed.marker = None
            yield str(parsed)


def is_requirement(text: str) -> bool:
    """Tell whether a text is a requirement (PEP 508): an installer takes paths and options too."""
    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True


def depends_on_machine(requirement: str, facts: Facts) -> bool:
    """Tell whether a requirement holds for only one of the target and a native interpreter."""
    try:
        parsed = Requirement(requirement)
    except InvalidRequirement:
        return False
    return _holds(parsed, facts, facts.machine) != _holds(parsed, facts, _NATIVE)


def _holds(requirement: Requirement, facts: Facts, machine: str) -> bool:
    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate(_environment(facts, machine))
    except UndefinedEnvironmentName:
        return False


def _environment(facts: Facts, machine: str) -> dict[str, str | set[str]]:
    """Give what PEP 508 lists, as `packaging.markers.default_environment` would on that machine."""
    version = ".".join(str(part) for part in facts.version)
    return {
        "implementation_name": facts.implementation,
        "implementation_version": version,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": _IMPLEMENTATIONS.get(facts.implementation, ""),
        "platform_system": "Linux",
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "sys_platform": "linux",
        "extra": "",
    }
