"""The audit of one wheel: each check is a function from content to findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.audit.archive import WheelContent, read_wheel
from aarch64_wheels.audit.elf import ElfFacts
from aarch64_wheels.audit.model import AuditResult, Finding, Level
from aarch64_wheels.audit.platforms import Family, Platform
from aarch64_wheels.audit.policy import Judgement, judge
from aarch64_wheels.audit.stable_abi import stable_abi
from aarch64_wheels.audit.suffix import wrong_suffix
from aarch64_wheels.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from packaging.tags import Tag

#: So many tags are named as evidence.
_SHOWN = 4


def audit_wheel(path: Path, *, plat: str | None = None) -> AuditResult:
    """Audit one wheel.

    Args:
        path: the wheel.
        plat: a platform tag that the wheel must be good for, such as
            `manylinux2014_aarch64`. With it, a wheel without any aarch64 code is an
            error, without it a warning.

    Raises:
        UsageError: the file is not a wheel, or `plat` is not a tag of aarch64 Linux.
    """
    wanted = None if plat is None else (plat, parse_plat(plat))
    content = read_wheel(path)
    claims = _claims(content)
    findings = [*_archive(content), *_tag(content, wanted), *_declared(content)]
    findings += [
        *_machine(content),
        *_suffix(content),
        *_libc(content, claims),
        *_content(content, wanted),
        *stable_abi(path, content),
    ]
    judgements: dict[Family, Judgement] = {}
    if any(isinstance(facts, ElfFacts) for facts in content.elfs.values()) and not content.problems:
        demands = _demands(claims, wanted)
        judgements = {family: judge(path, family) for family in _families(demands)}
        findings += _policy(judgements, demands)
    return AuditResult(
        filename=path.name,
        tags=tuple(sorted(str(tag) for tag in content.tags)),
        policy=".".join(sorted({found.policy for found in judgements.values()} - {""})),
        findings=tuple(findings),
    )


def parse_plat(plat: str) -> Platform:
    """Read the tag of the platform that wheels must be good for.

    Raises:
        UsageError: it is not a tag of aarch64 Linux.
    """
    platform = Platform.parse(plat)
    if platform is None:
        raise UsageError(
            f"{plat!r} is not a platform tag of aarch64 Linux",
            hint="use one like manylinux2014_aarch64, manylinux_2_28_aarch64 or linux_aarch64",
        )
    return platform


def _claims(content: WheelContent) -> dict[str, Platform]:
    """Find the aarch64 Linux platforms that the wheel's name claims, by tag."""
    tags = sorted({tag.platform for tag in content.tags})
    return {tag: platform for tag in tags if (platform := Platform.parse(tag))}


def _demands(
    claims: dict[str, Platform], wanted: tuple[str, Platform] | None
) -> list[tuple[str, Platform]]:
    """List the platforms that the content must be good for, each with who says so."""
    demands = [(f"the tag {tag} claims", platform) for tag, platform in claims.items()]
    return [*demands, (f"{wanted[0]} asks for", wanted[1])] if wanted else demands


def _families(demands: list[tuple[str, Platform]]) -> list[Family]:
    """List the C libraries to judge the content by: a static program is good for both."""
    families = {platform.family for _, platform in demands} - {Family.LINUX}
    return sorted(families) or [Family.LINUX]


def _archive(content: WheelContent) -> Iterator[Finding]:
    for message, evidence in content.problems:
        yield Finding(check="archive", level=Level.ERROR, message=message, evidence=evidence)


def _tag(content: WheelContent, wanted: tuple[str, Platform] | None) -> Iterator[Finding]:
    platforms = sorted({tag.platform for tag in content.tags})
    for platform in platforms:
        if platform == "any" and not content.elfs:
            continue  # `_content` says it
        if Platform.parse(platform) is None:
            message = f"the platform tag {platform} is not one of aarch64 Linux"
            yield Finding(check="tag", level=Level.ERROR, message=message)
    if wanted and not any(claim.runs_on(wanted[1]) for claim in _claims(content).values()):
        yield Finding(
            check="tag",
            level=Level.ERROR,
            message=f"no platform tag of the wheel installs on {wanted[0]}",
            evidence=".".join(platforms),
        )


def _declared(content: WheelContent) -> Iterator[Finding]:
    """Installers go by the file's name, but what is installed keeps the WHEEL file (PEP 427)."""
    if content.declared is None or content.declared == content.tags:
        return
    sides = [
        ("only in WHEEL", content.declared - content.tags),
        ("only in the name", content.tags - content.declared),
    ]
    yield Finding(
        check="tag",
        level=Level.ERROR,
        message="the WHEEL file declares other tags than the file's name",
        evidence="; ".join(f"{side}: {_some(tags)}" for side, tags in sides if tags),
    )


def _some(tags: frozenset[Tag]) -> str:
    words = sorted(str(tag) for tag in tags)
    rest = [f"and {len(words) - _SHOWN} more"] if len(words) > _SHOWN else []
    return ", ".join([*words[:_SHOWN], *rest])


def _machine(content: WheelContent) -> Iterator[Finding]:
    for name, facts in content.elfs.items():
        if isinstance(facts, str):
            message = f"{name} can't be read as ELF"
            yield Finding(check="machine", level=Level.ERROR, message=message, evidence=facts)
        elif not facts.is_aarch64:
            # Programs for other machines may be data (a debugger's test files, say).
            yield Finding(
                check="machine",
                level=Level.ERROR if facts.is_shared_object else Level.WARNING,
                message=f"{name} is not AArch64 code",
                evidence=facts.describe(),
            )


def _suffix(content: WheelContent) -> Iterator[Finding]:
    for name in content.names:
        if expected := wrong_suffix(name, content.tags):
            yield Finding(
                check="suffix",
                level=Level.ERROR,
                message=f"{name} would not be imported: no interpreter of the wheel's tag has "
                "that suffix",
                evidence=f"expected {expected}",
            )


def _libc(content: WheelContent, claims: dict[str, Platform]) -> Iterator[Finding]:
    """Find objects of the other C library: auditwheel sets them aside in silence."""
    linked = {name: _libraries(facts) for name, facts in content.elfs.items()}
    present = {family for libraries in linked.values() for family in libraries}
    claimed = {platform.family for platform in claims.values()} - {Family.LINUX}
    # A wheel for both may bring each its own objects; then content alone can't tell.
    level = Level.WARNING if len(claimed) > 1 and present == claimed else Level.ERROR
    for name, libraries in linked.items():
        foreign = [lib for family in libraries if claimed - {family} for lib in libraries[family]]
        if foreign:
            message = f"{name} is linked against the C library of another platform"
            evidence = ", ".join(foreign)
            yield Finding(check="libc", level=level, message=message, evidence=evidence)


def _libraries(facts: ElfFacts | str) -> dict[Family, list[str]]:
    """Pick the C libraries that an object asks for."""
    needed = facts.needed if isinstance(facts, ElfFacts) else ()
    musl = [lib for lib in needed if lib.startswith(("libc.musl-", "ld-musl-"))]
    glibc = [lib for lib in needed if lib == "libc.so.6" or lib.startswith("ld-linux-")]
    found = {Family.MUSLLINUX: musl, Family.MANYLINUX: glibc}
    return {family: libraries for family, libraries in found.items() if libraries}


def _content(content: WheelContent, wanted: tuple[str, Platform] | None) -> Iterator[Finding]:
    facts = [facts for facts in content.elfs.values() if isinstance(facts, ElfFacts)]
    if not any(fact.is_aarch64 for fact in facts):
        yield Finding(
            check="content",
            level=Level.ERROR if wanted else Level.WARNING,
            message="there is nothing aarch64 in this wheel",
            evidence=f"{len(content.names)} files, {len(content.elfs)} of them ELF",
        )


def _policy(
    judgements: dict[Family, Judgement], demands: list[tuple[str, Platform]]
) -> Iterator[Finding]:
    """Compare each demand with the judgement by its own C library."""
    for judgement in dict.fromkeys(judgements.values()):
        if Platform.parse(judgement.policy) is None:
            message = "auditwheel could not say which policy the wheel meets"
            evidence = judgement.error or judgement.policy
            yield Finding(check="policy", level=Level.ERROR, message=message, evidence=evidence)
    for demand, platform in demands:
        # `linux` alone has none of its own: there, any judgement is enough.
        judgement = judgements.get(platform.family) or next(iter(judgements.values()))
        met = Platform.parse(judgement.policy)
        if met is not None and not met.runs_on(platform):
            message = f"the content does not meet what {demand}"
            evidence = f"auditwheel: it meets {judgement.policy}"
            yield Finding(check="policy", level=Level.ERROR, message=message, evidence=evidence)
