"""The audit of one wheel: each check is a function from content to findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.audit.archive import WheelContent, read_wheel
from aarch64_wheels.audit.elf import ElfFacts
from aarch64_wheels.audit.model import AuditResult, Finding, Level
from aarch64_wheels.audit.platforms import Family, Platform
from aarch64_wheels.audit.policy import Judgement, judge
from aarch64_wheels.audit.suffix import wrong_suffix
from aarch64_wheels.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
    wanted = None if plat is None else _wanted(plat)
    content = read_wheel(path)
    claims = _claims(content)
    findings = [*_archive(content), *_tag(content, wanted), *_machine(content)]
    findings += [*_suffix(content), *_libc(content, claims), *_content(content, wanted)]
    policy = ""
    if any(isinstance(facts, ElfFacts) for facts in content.elfs.values()) and not content.problems:
        judgement = judge(path, _family(claims))
        policy = judgement.policy
        findings += _policy(judgement, claims, wanted)
    return AuditResult(
        filename=path.name,
        tags=tuple(sorted(str(tag) for tag in content.tags)),
        policy=policy,
        findings=tuple(findings),
    )


def _wanted(plat: str) -> tuple[str, Platform]:
    platform = Platform.parse(plat)
    if platform is None:
        raise UsageError(
            f"{plat!r} is not a platform tag of aarch64 Linux",
            hint="use one like manylinux2014_aarch64, manylinux_2_28_aarch64 or linux_aarch64",
        )
    return plat, platform


def _claims(content: WheelContent) -> dict[str, Platform]:
    """Find the aarch64 Linux platforms that the wheel's name claims, by tag."""
    tags = sorted({tag.platform for tag in content.tags})
    return {tag: platform for tag in tags if (platform := Platform.parse(tag))}


def _family(claims: dict[str, Platform]) -> Family:
    families = {platform.family for platform in claims.values()}
    return families.pop() if len(families) == 1 else Family.LINUX


def _archive(content: WheelContent) -> Iterator[Finding]:
    for message, evidence in content.problems:
        yield Finding(check="archive", level=Level.ERROR, message=message, evidence=evidence)


def _tag(content: WheelContent, wanted: tuple[str, Platform] | None) -> Iterator[Finding]:
    platforms = sorted({tag.platform for tag in content.tags})
    for platform in platforms:
        if platform == "any" and not content.elfs:
            continue  # `_content` says it
        if Platform.parse(platform) is None:
            yield Finding(
                check="tag",
                level=Level.ERROR,
                message=f"the platform tag {platform} is not one of aarch64 Linux",
            )
    if wanted and not any(claim.runs_on(wanted[1]) for claim in _claims(content).values()):
        yield Finding(
            check="tag",
            level=Level.ERROR,
            message=f"no platform tag of the wheel installs on {wanted[0]}",
            evidence=".".join(platforms),
        )


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
    family = _family(claims)
    for name, facts in content.elfs.items():
        needed = facts.needed if isinstance(facts, ElfFacts) else ()
        musl = [lib for lib in needed if lib.startswith(("libc.musl-", "ld-musl-"))]
        glibc = [lib for lib in needed if lib == "libc.so.6" or lib.startswith("ld-linux-")]
        foreign = {Family.MANYLINUX: musl, Family.MUSLLINUX: glibc, Family.LINUX: []}[family]
        if foreign:
            message = f"{name} is linked against the C library of another platform"
            evidence = ", ".join(foreign)
            yield Finding(check="libc", level=Level.ERROR, message=message, evidence=evidence)


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
    judgement: Judgement, claims: dict[str, Platform], wanted: tuple[str, Platform] | None
) -> Iterator[Finding]:
    met = Platform.parse(judgement.policy)
    if met is None:
        message = "auditwheel could not say which policy the wheel meets"
        evidence = judgement.error or judgement.policy
        yield Finding(check="policy", level=Level.ERROR, message=message, evidence=evidence)
        return
    demands = [(f"the tag {tag} claims", platform) for tag, platform in claims.items()]
    if wanted:
        demands.append((f"{wanted[0]} asks for", wanted[1]))
    for demand, platform in demands:
        if not met.runs_on(platform):
            yield Finding(
                check="policy",
                level=Level.ERROR,
                message=f"the content does not meet what {demand}",
                evidence=f"auditwheel: it meets {judgement.policy}",
            )
