"""What the wheel's name, its WHEEL file and its content say of the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.elf import ElfFacts
from aarch64_wheels.audit.model import Level
from aarch64_wheels.audit.platforms import Platform
from aarch64_wheels.text import one_line, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.claims import Claims
    from aarch64_wheels.audit.model import Finding

#: So many tags are named as evidence.
_SHOWN = 4
_LONGEST = 40


def tags(content: WheelContent, claims: Claims) -> Iterator[Finding]:
    """Find platforms that are not aarch64 Linux, and the one that is asked for and missing."""
    platforms = sorted({tag.platform for tag in content.tags})
    for platform in platforms:
        if platform == "any" and not content.elfs:
            continue  # `nothing_native` says it
        if Platform.parse(platform) is None:
            yield found("tag", f"the platform tag {platform} is not one of aarch64 Linux")
    wanted = claims.wanted
    if wanted and not any(claim.runs_on(wanted[1]) for claim in claims.tags.values()):
        message = f"no platform tag of the wheel installs on {wanted[0]}"
        yield found("tag", message, evidence=".".join(platforms))


def declared(content: WheelContent) -> Iterator[Finding]:
    """Installers go by the file's name, but what is installed keeps the WHEEL file (PEP 427)."""
    file = f"{content.info}/WHEEL"
    label = content.declared
    if label is None:
        yield found("wheel-file", "there is no WHEEL file", file=file)
        return
    if label.wheel_version.partition(".")[0] != "1":
        message = "the WHEEL file names no version of its format that installers take"
        evidence = f"Wheel-Version: {one_line(label.wheel_version)[:_LONGEST] or 'missing'}"
        yield found("wheel-file", message, evidence=evidence, file=file)
    if label.is_purelib and content.objects:
        message = "the WHEEL file says that there is no compiled code"
        evidence = "Root-Is-Purelib: true"
        yield found("wheel-file", message, evidence=evidence, file=file, level=Level.WARNING)
    if label.tags != content.tags:
        sides = [
            ("only in WHEEL", sorted(map(str, label.tags - content.tags))),
            ("only in the name", sorted(map(str, content.tags - label.tags))),
        ]
        evidence = "; ".join(f"{side}: {some(words, _SHOWN)}" for side, words in sides if words)
        message = "the WHEEL file declares other tags than the file's name"
        yield found("wheel-file", message, evidence=evidence, file=file)


def nothing_native(content: WheelContent, claims: Claims) -> Iterator[Finding]:
    """Find that there is no aarch64 code: an error where a platform was asked for."""
    facts = [facts for facts in content.elfs.values() if isinstance(facts, ElfFacts)]
    if not any(fact.is_aarch64 for fact in facts):
        yield found(
            "content",
            "there is nothing aarch64 in this wheel",
            evidence=f"{len(content.names)} files, {len(content.elfs)} of them ELF",
            level=Level.ERROR if claims.wanted else None,
        )
