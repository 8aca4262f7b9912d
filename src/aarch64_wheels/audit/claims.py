"""What a wheel claims to run on, and what its user asks of it: the platforms it is held to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from aarch64_wheels.audit.platforms import Family, Platform
from aarch64_wheels.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag


@dataclass(frozen=True, kw_only=True)
class Claims:
    """The platforms of aarch64 Linux that a wheel is held to.

    Attributes:
        tags: by tag, those of the wheel's name. wanted: the tag that a user asks for, with its
            platform, None if none.
    """

    tags: dict[str, Platform]
    wanted: tuple[str, Platform] | None = None

    @classmethod
    def of(cls, tags: Iterable[Tag], plat: str | None) -> Self:
        """Read the claims from a wheel's tags.

        Raises:
            UsageError: `plat` is not a tag of aarch64 Linux.
        """
        platforms = {tag: Platform.parse(tag) for tag in sorted({tag.platform for tag in tags})}
        return cls(
            tags={tag: platform for tag, platform in platforms.items() if platform},
            wanted=None if plat is None else (plat, parse_plat(plat)),
        )

    @property
    def demands(self) -> list[tuple[str, Platform]]:
        """The platforms that the content must be good for, each with who says so."""
        demands = [(f"the tag {tag} claims", platform) for tag, platform in self.tags.items()]
        wanted = [(f"{self.wanted[0]} asks for", self.wanted[1])] if self.wanted else []
        return [*demands, *wanted]

    @property
    def families(self) -> list[Family]:
        """The C libraries to judge the content by: a static program is good for both."""
        families = {platform.family for _, platform in self.demands} - {Family.LINUX}
        return sorted(families) or [Family.LINUX]

    @property
    def oldest_glibc(self) -> tuple[str, Platform] | None:
        """The demand of the oldest glibc, which limits what symbols may be used."""
        rows = [row for row in self.demands if row[1].family is Family.MANYLINUX]
        return min(rows, key=lambda row: row[1].version, default=None)


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
