"""The fields of the core metadata, as indexes judge them; `audit.description` does the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.core_metadata import read_metadata
from aarch64_wheels.audit.model import Level
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.model import Finding

_SHOWN = 200


def metadata(content: WheelContent) -> Iterator[Finding]:
    """Find faults of METADATA: fields and their values."""
    file = f"{content.info}/METADATA"
    text = content.texts.get(file)
    if text is None:
        yield found("metadata", "there is no METADATA that can be read", file=file)
        return
    try:
        raw, unknown = read_metadata(text)
    except ValueError as error:
        yield found("metadata", "METADATA cannot be read", evidence=_short(error), file=file)
        return
    for problem in _invalid(raw):
        yield found("metadata", "METADATA is not valid", evidence=problem, file=file)
    yield from _other_release(content, raw, file)
    for name in sorted(unknown):
        evidence = _short(name)
        message = "METADATA has a field that no specification knows, or that it repeats"
        yield found("metadata", message, evidence=evidence, file=file, level=Level.WARNING)


def _other_release(content: WheelContent, raw: RawMetadata, file: str) -> Iterator[Finding]:
    """Compare name and version with the file's: installers refuse another release."""
    name, version = raw.get("name", ""), raw.get("version", "")
    try:
        is_same = canonicalize_name(name) == content.name and Version(version) == content.version
    except InvalidVersion:
        return  # that is said already
    if name and version and not is_same:
        evidence = _short(f"{name} {version}")
        message = "METADATA is of another release than the file's name"
        yield found("wheel-name", message, evidence=evidence, file=file)


def _invalid(raw: RawMetadata) -> list[str]:
    kept = {**raw}
    # setuptools wrote it long before the version that has it (PEP 639), and indexes let it pass.
    kept.pop("license_files", None)
    try:
        Metadata.from_raw(cast("RawMetadata", kept))
    except RecursionError:
        return ["a requirement is nested too deeply"]
    except ExceptionGroup as group:
        return [_short(error) for error in group.exceptions if isinstance(error, InvalidMetadata)]
    return []


def _short(value: object) -> str:
    return one_line(str(value))[:_SHOWN]
