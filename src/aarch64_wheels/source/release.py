"""Which file of an index page a requirement means (PEP 440 versions, PEP 592 yanking)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from aarch64_wheels.errors import UsageError
from aarch64_wheels.source.archive import SDIST_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.requirements import Requirement
    from pypi_simple import DistributionPackage

#: How many versions or files an error lists.
_SHOWN = 6


def is_sdist(package: DistributionPackage) -> bool:
    """Whether it is an sdist that can be unpacked here, of a version that can be compared."""
    suffixed = package.filename.lower().endswith(SDIST_SUFFIXES)
    return package.package_type == "sdist" and suffixed and _version(package) is not None


def choose(
    packages: Sequence[DistributionPackage], requirement: Requirement, url: str
) -> DistributionPackage:
    """Choose the newest sdist that matches; a yanked one for an exact pin only (PEP 592).

    Raises:
        UsageError: there is none; it lists what there is at `url`.
    """
    sdists = [package for package in packages if is_sdist(package)]
    found = _matching((item for item in sdists if not item.is_yanked), requirement)
    if not found and _is_pin(requirement):
        found = _matching(sdists, requirement)
    if found:
        return max(found, key=_rank)
    raise _explain(packages, requirement, url)


def _rank(package: DistributionPackage) -> tuple[Version, bool]:
    return Version(package.version or ""), package.filename.endswith(".tar.gz")


def _version(package: DistributionPackage) -> Version | None:
    try:
        return Version(package.version or "")
    except InvalidVersion:
        return None


def _matching(
    packages: Iterable[DistributionPackage], requirement: Requirement
) -> list[DistributionPackage]:
    """Those the specifier takes; its filter also decides on prereleases."""
    known = [(package, version) for package in packages if (version := _version(package))]
    versions = set(requirement.specifier.filter({version for _, version in known}))
    return [package for package, version in known if version in versions]


def _is_pin(requirement: Requirement) -> bool:
    return any(
        item.operator == "===" or (item.operator == "==" and not item.version.endswith(".*"))
        for item in requirement.specifier
    )


def _explain(
    packages: Sequence[DistributionPackage], requirement: Requirement, url: str
) -> UsageError:
    matching = _matching(packages, requirement)
    if not matching:
        return _no_release(packages, requirement, url)
    newest = max(filter(None, map(_version, matching)))
    files = [package for package in matching if _version(package) == newest]
    name = f"{requirement.name} {newest}"
    if any(is_sdist(package) for package in files):
        hint = f"a yanked release needs an exact pin: {requirement.name}=={newest}"
        return UsageError(f"every matching sdist was yanked, such as {name}", hint=hint)
    return UsageError(
        f"{name} has no sdist at {url}",
        found=_few([package.filename for package in files]),
        hint="get its source from the project's repository and give the directory",
    )


def _no_release(
    packages: Sequence[DistributionPackage], requirement: Requirement, url: str
) -> UsageError:
    versions = {version for package in packages if (version := _version(package))}
    latest = [str(version) for version in sorted(versions, reverse=True)]
    return UsageError(
        f"no such release: {requirement.name}{requirement.specifier}",
        found=f"{url} has {_few(latest)}",
        hint="choose one of these versions, or leave the version out for the newest",
    )


def _few(items: Sequence[str]) -> str:
    more = len(items) - _SHOWN
    return ", ".join(items[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
