"""What objects ask of libraries outside of the wheel: which C library, and how new."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from auditwheel.architecture import Architecture
from auditwheel.libc import Libc
from auditwheel.policy import WheelPolicies

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.elf import ElfFacts
from aarch64_wheels.audit.model import Level, SymbolVersion
from aarch64_wheels.audit.platforms import Family, Platform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.claims import Claims
    from aarch64_wheels.audit.elf import NeededVersion
    from aarch64_wheels.audit.model import Finding

_VERSION = re.compile(r"(?P<name>[A-Z]+)_(?P<version>[0-9]+(?:\.[0-9]+)*)")
#: The sets whose highest versions are told; policies limit more.
_TOLD = ("GLIBC", "GLIBCXX", "CXXABI", "GCC")


def c_libraries(content: WheelContent, claims: Claims) -> Iterator[Finding]:
    """Find objects of the other C library: auditwheel sets them aside in silence."""
    linked = {name: _c_library(facts) for name, facts in content.elfs.items()}
    present = {family for libraries in linked.values() for family in libraries}
    claimed = {platform.family for platform in claims.tags.values()} - {Family.LINUX}
    # A wheel for both may bring each its own objects; then content alone can't tell.
    level = Level.WARNING if len(claimed) > 1 and present == claimed else None
    for name, libraries in linked.items():
        foreign = [lib for family in libraries if claimed - {family} for lib in libraries[family]]
        if foreign:
            message = f"{name} is linked against the C library of another platform"
            evidence = ", ".join(foreign)
            yield found(
                "libc", message, evidence=evidence, file=name, section=".dynamic", level=level
            )


def _c_library(facts: ElfFacts | str) -> dict[Family, list[str]]:
    """Pick the C libraries that an object asks for."""
    needed = facts.needed if isinstance(facts, ElfFacts) else ()
    musl = [lib for lib in needed if lib.startswith(("libc.musl-", "ld-musl-"))]
    glibc = [lib for lib in needed if lib == "libc.so.6" or lib.startswith("ld-linux-")]
    libraries = {Family.MUSLLINUX: musl, Family.MANYLINUX: glibc}
    return {family: some for family, some in libraries.items() if some}


def versions(content: WheelContent, claims: Claims) -> Iterator[Finding]:
    """Find symbols that are newer than what the oldest platform of the wheel promises."""
    oldest = claims.oldest_glibc
    if oldest is None:
        return
    says, platform = oldest
    limits = _limits(platform)
    for name, need in _needs(content):
        prefix, _, version = need.version.partition("_")
        if prefix in limits and version not in limits[prefix]:
            symbol = f"{need.symbol}@{need.version}" if need.symbol else need.version
            yield found(
                "symbol-version",
                f"{name} asks for {need.version}, newer than {says}",
                evidence=f"{symbol} of {need.library}",
                file=name,
                section=".gnu.version_r",
                symbol=need.symbol,
            )


def highest_versions(content: WheelContent) -> tuple[SymbolVersion, ...]:
    """Give the highest version of each set of symbols that the wheel's objects ask for."""
    best: dict[str, tuple[tuple[int, ...], SymbolVersion]] = {}
    for name, need in _needs(content):
        match = _VERSION.fullmatch(need.version)
        if match is None or match["name"] not in _TOLD:
            continue
        number = _number(match["version"])
        if match["name"] not in best or number > best[match["name"]][0]:
            row = SymbolVersion(
                name=match["name"], version=match["version"], file=name, symbol=need.symbol
            )
            best[match["name"]] = (number, row)
    return tuple(best[name][1] for name in _TOLD if name in best)


def _number(version: str) -> tuple[int, ...]:
    # Python reads no integer of thousands of digits (CVE-2020-10735), and none is a version.
    return tuple(int(part[:9]) for part in version.split("."))


def _needs(content: WheelContent) -> Iterator[tuple[str, NeededVersion]]:
    """Give what objects ask of libraries that are not in the wheel themselves."""
    brought = {name.rpartition("/")[2] for name in content.elfs}
    for name, facts in content.objects.items():
        for need in facts.versions:
            if need.library not in brought:
                yield name, need


@functools.cache
def _limits(platform: Platform) -> Mapping[str, frozenset[str]]:
    """Give the versions that a manylinux platform promises, from auditwheel's policies."""
    known: dict[tuple[int, int], Mapping[str, frozenset[str]]] = {
        met.version: policy.symbol_versions
        for policy in WheelPolicies(libc=Libc.GLIBC, arch=Architecture.aarch64)
        if (met := Platform.parse(policy.name)) and met.family is Family.MANYLINUX
    }
    # Between two policies the older one's libraries are what is promised (PEP 600).
    return known[max((one for one in known if one <= platform.version), default=min(known))]
