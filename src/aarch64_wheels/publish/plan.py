"""What will be uploaded and what is there already. Pure, and made before the first byte."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.journal import FILE_NAME as JOURNAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aarch64_wheels.publish.distributions import Distribution


class Step(enum.StrEnum):
    """What becomes of a file at one destination."""

    UPLOAD = "upload"
    THERE = "is there already"
    SENT = "was sent, is not listed yet"
    REPLACE = "replace"


@dataclass(frozen=True, kw_only=True)
class Item:
    """A file, and what is to be done with it."""

    distribution: Distribution
    step: Step


@dataclass(frozen=True, kw_only=True)
class IndexPlan:
    """What is to be done at a package index.

    Attributes:
        destination: the repository's URL, without credentials. items: one for each file.
    """

    destination: str
    items: tuple[Item, ...]

    def of(self, step: Step) -> list[Distribution]:
        """Give the files with which this is to be done."""
        return [item.distribution for item in self.items if item.step is step]


def plan_index(
    destination: str,
    files: Sequence[Distribution],
    listed: Mapping[str, str],
    sent: Mapping[str, str],
) -> IndexPlan:
    """Compare files with what an index has, by SHA-256.

    Args:
        destination: the repository's URL.
        files: what is to be published.
        listed: the index's files, name to hash in hex.
        sent: files that an earlier run has sent and the index has taken, name to hash.

    Raises:
        PublishError: the index has another file under one of the names, or has just taken one.
            An index never lets a file be replaced (PEP 527 and its like), so nothing may be
            uploaded beside it.
    """
    known = {**sent, **listed}
    other = [one for one in files if known.get(one.filename, one.sha256) != one.sha256]
    if other:
        raise _conflict(destination, other, listed, known)
    items = (Item(distribution=one, step=_step(one, listed, sent)) for one in files)
    return IndexPlan(destination=destination, items=tuple(items))


def _step(one: Distribution, listed: Mapping[str, str], sent: Mapping[str, str]) -> Step:
    if one.filename in listed:
        return Step.THERE
    return Step.SENT if one.filename in sent else Step.UPLOAD


def _conflict(
    destination: str,
    other: Sequence[Distribution],
    listed: Mapping[str, str],
    known: Mapping[str, str],
) -> PublishError:
    lines = [
        f"{one.filename}: here {one.sha256[:16]}…, there {known[one.filename][:16]}…"
        + ("" if one.filename in listed else f" (sent a short time ago, says {JOURNAL})")
        for one in other
    ]
    return PublishError(
        f"{destination} has other files of these names: nothing is uploaded",
        found="\n".join(lines),
        hint="an index keeps a name for ever: release another version, or build what was released",
    )
