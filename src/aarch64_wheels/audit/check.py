"""The audit of one wheel: what it claims, what it holds, and what other programs say of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from aarch64_wheels.audit.archive import WheelContent, read_wheel
from aarch64_wheels.audit.catalogue import Levels, found
from aarch64_wheels.audit.checks import own_findings
from aarch64_wheels.audit.checks.symbols import highest_versions
from aarch64_wheels.audit.claims import Claims
from aarch64_wheels.audit.description import description
from aarch64_wheels.audit.elf import ElfFacts
from aarch64_wheels.audit.model import AuditResult, Finding, Level, ObjectSummary
from aarch64_wheels.audit.platforms import Family, Platform
from aarch64_wheels.audit.policy import Judgement, judge
from aarch64_wheels.audit.stable_abi import stable_abi

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

#: Checks that may be the reason for auditwheel's verdict, and tell more of it.
_EXPLAIN = frozenset({"symbol-version", "forbidden-library", "libc", "machine", "elf"})
_NO_LEVELS = Levels()
_MUSL_RESERVED = ("libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet.")
#: So many libraries are named.
_SHOWN = 8


def audit_wheel(path: Path, *, plat: str | None = None, levels: Levels = _NO_LEVELS) -> AuditResult:
    """Audit one wheel.

    Args:
        path: the wheel.
        plat: a platform tag that the wheel must be good for, such as
            `manylinux2014_aarch64`. With it, a wheel without any aarch64 code is an
            error, without it a warning.
        levels: what the user has chosen for some checks.

    Raises:
        UsageError: the file is not a wheel, or `plat` is not a tag of aarch64 Linux.
    """
    content = read_wheel(path)
    claims = Claims.of(content.tags, plat)
    with ThreadPoolExecutor(max_workers=3) as pool:
        judging = pool.submit(_judgements, path, content, claims)
        stable = pool.submit(lambda: list(stable_abi(path, content)))
        described = pool.submit(lambda: list(description(content)))
        findings = [*own_findings(content, claims)]
        judgements = judging.result()
        findings += [*described.result(), *stable.result(), *_policy(judgements, claims)]
    return AuditResult(
        filename=path.name,
        tags=tuple(sorted(str(tag) for tag in content.tags)),
        policy=".".join(sorted({row.policy for row in judgements.values()} - {""})),
        findings=_unexplained(levels.apply(findings)),
        versions=highest_versions(content),
        objects=tuple(_summary(name, facts) for name, facts in content.objects.items()),
    )


def _judgements(path: Path, content: WheelContent, claims: Claims) -> dict[Family, Judgement]:
    """Ask auditwheel, unless there is nothing to ask, or unpacking may do harm."""
    if content.problems or not any(isinstance(one, ElfFacts) for one in content.elfs.values()):
        return {}
    return {family: judge(path, family) for family in claims.families}


def _policy(judgements: dict[Family, Judgement], claims: Claims) -> Iterator[Finding]:
    """Compare each demand with the judgement by its own C library."""
    for judgement in dict.fromkeys(judgements.values()):
        if Platform.parse(judgement.policy) is None:
            message = "auditwheel could not say which policy the wheel meets"
            yield found("policy", message, evidence=judgement.error or judgement.policy)
    for demand, platform in claims.demands if judgements else ():
        # `linux` alone has none of its own: there, any judgement is enough.
        judgement = judgements.get(platform.family) or next(iter(judgements.values()))
        met = Platform.parse(judgement.policy)
        if met is not None and not (met.runs_on(platform) or _is_musls_own(judgement, platform)):
            message = f"the content does not meet what {demand}"
            libraries = ", ".join(judgement.libraries[:_SHOWN])
            more = f"; not promised: {libraries}" if libraries else ""
            yield found(
                "policy", message, evidence=f"auditwheel: it meets {judgement.policy}{more}"
            )


def _is_musls_own(judgement: Judgement, platform: Platform) -> bool:
    """Tell whether nothing is missing but what musl's loader takes for itself.

    It does so by the beginnings of names (`load_library` in ldso/dynlink.c); auditwheel knows only
    what Alpine calls its file.
    """
    libraries = judgement.libraries
    return (
        platform.family is Family.MUSLLINUX
        and bool(libraries)
        and all(name.startswith(_MUSL_RESERVED) for name in libraries)
    )


def _unexplained(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Leave out auditwheel's verdict where an error of ours says what it comes from."""
    rows = tuple(findings)
    explained = any(row.check in _EXPLAIN and row.level is Level.ERROR for row in rows)
    return tuple(row for row in rows if not (explained and row.check == "policy"))


def _summary(name: str, facts: ElfFacts) -> ObjectSummary:
    return ObjectSummary(
        file=name,
        producers=facts.producers,
        later=facts.code.features,
        detection=facts.code.detection,
    )
