"""The records of a wheel's ELF files: what compiled each, its hash, the package it comes from."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aarch64_wheels.bill import signatures
from aarch64_wheels.bill.origin import CLANG
from aarch64_wheels.bill.packages import packages_of
from aarch64_wheels.native.provenance import UNKNOWN, made_by, trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from aarch64_wheels.audit.model import ObjectSummary
    from aarch64_wheels.bill.origin import Compilers
    from aarch64_wheels.native.provenance import Call
    from aarch64_wheels.report.model import ObjectRecord

#: What stands for the compiler of a library that the repair has taken from the image.
IMAGE = "image"
_CHUNK = 1 << 20


def describe(
    wheel: Path,
    summaries: Sequence[ObjectSummary],
    calls: Sequence[Call] | None,
    compilers: Compilers,
) -> tuple[ObjectRecord, ...]:
    """Say of each ELF file of a wheel what it is.

    Args:
        wheel: it has come through the audit, which has seen what unpacking it would do.
        summaries: what the audit saw of the ELF files.
        calls: the recorded compiler calls, None where there is no record.
        compilers: of the build.

    Raises:
        OSError: it cannot be read. What zipfile raises of a broken one (`archive.BROKEN`).
    """
    members = [row.file for row in summaries]
    with zipfile.ZipFile(wheel) as archive:
        hashes = {name: _sha256(archive, name) for name in members}
        packages = packages_of(archive, filter(is_grafted, members))
    return tuple(
        replace(
            record,
            sha256=hashes[row.file],
            producers=signatures.shown(row.producers),
            package=packages.get(row.file, ""),
        )
        for row, record in zip(
            summaries, _compiled(summaries, calls, compilers, packages), strict=True
        )
    )


def is_grafted(member: str) -> bool:
    """Tell whether a repair has put a file into the wheel: auditwheel has a directory for these."""
    return PurePosixPath(member).parent.name.endswith(".libs")


def _compiled(
    summaries: Sequence[ObjectSummary],
    calls: Sequence[Call] | None,
    compilers: Compilers,
    packages: Mapping[str, str],
) -> Iterable[ObjectRecord]:
    traced = _traced([row.file for row in summaries], calls, compilers)
    for row, record in zip(summaries, traced, strict=True):
        if not is_grafted(row.file):
            yield _with_signatures(record, row.producers, is_recorded=calls is not None)
        # A grafted library may be one that the project's own build has made before.
        elif calls is None or row.file in packages or UNKNOWN in record.compilers:
            yield replace(record, compilers=(IMAGE,))
        else:
            yield record


def _traced(
    members: Sequence[str], calls: Sequence[Call] | None, compilers: Compilers
) -> tuple[ObjectRecord, ...]:
    if calls is None:
        return made_by(members, compilers.image)
    return trace(calls, members, native=compilers.native, fallback=compilers.image)


def _with_signatures(
    record: ObjectRecord, producers: Sequence[str], *, is_recorded: bool
) -> ObjectRecord:
    """Add what the object's signatures tell besides what is known.

    Where calls are recorded, those of C and C++ are; what made the rest (Rust's compiler calls
    nobody) has signed it. Where none are, a project may have chosen a compiler of its own.
    """
    signed = signatures.others(producers)
    if not is_recorded:
        gccs = signatures.gccs(producers)
        own = {*record.compilers} if not gccs or gccs & {*record.compilers} else gccs
        return replace(record, compilers=tuple(sorted(own | signed)))
    rest = {name for name in signed if not name.startswith(f"{CLANG} ")}
    known = {*record.compilers} - {UNKNOWN} if rest else {*record.compilers}
    return replace(record, compilers=tuple(sorted(known | rest)))


def _sha256(archive: zipfile.ZipFile, name: str) -> str:
    total = hashlib.sha256()
    with archive.open(name) as stream:
        while chunk := stream.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()
