"""Which interpreters a wheel is tried with: those that its tags fit, as an installer would have it.

What fits is `packaging`'s answer (PEP 425, PEP 384, PEP 703), for an interpreter as the catalogue
names it.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from packaging.tags import compatible_tags, cpython_tags, generic_tags

from aarch64_wheels.audit.platforms import Family, Platform
from aarch64_wheels.catalogue import images, interpreters
from aarch64_wheels.errors import UnfitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from packaging.tags import Tag

    from aarch64_wheels.plan import Image, Interpreter

_LIBC = {Family.MANYLINUX: "glibc", Family.MUSLLINUX: "musl"}
_NAMES = {"pp": "PyPy", "gp": "GraalPy"}


def is_for_aarch64(tags: Collection[Tag]) -> bool:
    """Tell whether one of a wheel's tags is for aarch64 Linux alone."""
    return any(Platform.parse(tag.platform) for tag in tags)


def fitting(tags: Collection[Tag], rows: Sequence[Interpreter]) -> tuple[Interpreter, ...]:
    """Give the interpreters that a wheel of these tags installs for, in their order."""
    return tuple(row for row in rows if any(tag in tags for tag in _tags(row, tags)))


def choose(tags: Collection[Tag], rows: Sequence[Interpreter]) -> tuple[Interpreter, ...]:
    """Choose of the interpreters that fit: the oldest and the newest, where they may differ.

    A wheel that says nothing of interpreters (`py3-none`) is tried with the newest CPython.
    """
    fits = fitting(tags, rows)
    if {tag.abi for tag in tags} == {"none"}:
        usual = [row for row in fits if row.default and not row.tag.endswith("t")]
        return tuple((usual or fits)[-1:])
    return tuple(dict.fromkeys((*fits[:1], *fits[-1:])))


def name_of(row: Interpreter) -> str:
    """Name an interpreter for people: `CPython 3.14t`."""
    suffix = "t" if row.tag.endswith("t") else ""
    return f"{_NAMES.get(row.tag[:2], 'CPython')} {row.version}{suffix}"


def check_libc(name: str, tags: Collection[Tag], image: Image) -> None:
    """See that an image has the C library of a wheel.

    Args:
        name: the wheel's file name.
        tags: its tags.
        image: that it is to be tried in.

    Raises:
        UsageError: it has another one.
    """
    platforms = [platform for tag in tags if (platform := Platform.parse(tag.platform))]
    wanted = {_LIBC[row.family] for row in platforms if row.family in _LIBC}
    if wanted and image.libc not in wanted:
        raise UsageError(
            f"{name} cannot be tried in the image {image.name}",
            found=f"the wheel is for {' or '.join(sorted(wanted))}, the image has {image.libc}",
            hint=_instead(tags, wanted),
        )


def no_interpreter(name: str, tags: Collection[Tag], image: Image) -> UnfitError:
    """Make the error for a wheel that no interpreter of an image fits.

    Args:
        name: the wheel's file name.
        tags: its tags.
        image: that it was to be tried in.
    """
    has = ", ".join(image.interpreters or ()) or "none that fits below /opt/python"
    return UnfitError(
        f"the image {image.name} has no interpreter for {name}",
        found=f"the wheel is for {_words(tags)}; the image has {has}",
        hint=_instead(tags, {image.libc}),
    )


def _instead(tags: Collection[Tag], libcs: Collection[str]) -> str:
    fits = {row.tag for row in fitting(tags, interpreters())}
    others = [
        row.name
        for row in images()
        if row.libc in libcs and fits.intersection(row.interpreters or ())
    ]
    if not others:
        return "no image with a short name has it: name an --image that does"
    return f"use --image {', '.join(others)}"


def _words(tags: Collection[Tag]) -> str:
    return ", ".join(sorted({f"{tag.interpreter}-{tag.abi}" for tag in tags})[:8])


def _tags(row: Interpreter, wanted: Collection[Tag]) -> Iterator[Tag]:
    """Give the tags that an interpreter installs, on platforms that are wanted."""
    name, _, abi = row.directory.partition("-")
    major, _, minor = row.version.partition(".")
    version = (int(major), int(minor))
    platforms = sorted({tag.platform for tag in wanted})
    own = (
        cpython_tags(version, abis=[abi], platforms=platforms)
        if name.startswith("cp")
        else generic_tags(name, abis=[abi], platforms=platforms)
    )
    return chain(own, compatible_tags(version, name, platforms=platforms))
