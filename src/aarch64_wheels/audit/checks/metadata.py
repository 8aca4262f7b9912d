"""The core metadata, as indexes judge it: what `twine check` says, without an upload's tools."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, cast

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata, parse_email

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.model import Level
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.model import Finding

#: A longer description is not rendered: docutils takes seconds for a megabyte.
_MAX_RENDERED = 1 << 19
_SHOWN = 200


def metadata(content: WheelContent) -> Iterator[Finding]:
    """Find faults of METADATA: fields, their values, and a description nobody can render."""
    file = f"{content.info}/METADATA"
    text = content.texts.get(file)
    if text is None:
        yield found("metadata", "there is no METADATA that can be read", file=file)
        return
    try:
        raw, unknown = parse_email(text)
    except (ValueError, LookupError) as error:
        yield found("metadata", "METADATA cannot be read", evidence=_short(error), file=file)
        return
    for problem in _invalid(raw):
        yield found("metadata", "METADATA is not valid", evidence=problem, file=file)
    for name in sorted(unknown):
        evidence = _short(name)
        message = "METADATA has a field that no specification knows, or that it repeats"
        yield found("metadata", message, evidence=evidence, file=file, level=Level.WARNING)
    yield from _description(raw, file)


def _invalid(raw: RawMetadata) -> list[str]:
    kept = {**raw}
    # setuptools wrote it long before the version that has it (PEP 639), and indexes let it pass.
    kept.pop("license_files", None)
    try:
        Metadata.from_raw(cast("RawMetadata", kept))
    except ExceptionGroup as group:
        return [_short(error) for error in group.exceptions if isinstance(error, InvalidMetadata)]
    return []


def _description(raw: RawMetadata, file: str) -> Iterator[Finding]:
    """Render reStructuredText, the only kind that can fail; it is what a missing type means."""
    description = raw.get("description", "")
    kind = raw.get("description_content_type", "text/x-rst").partition(";")[0].strip().lower()
    if kind != "text/x-rst" or not 0 < len(description) <= _MAX_RENDERED:
        return
    # Only such projects need docutils, whose import takes longer than most audits.
    from readme_renderer import rst

    said = io.StringIO()
    try:
        rendered = rst.render(description, stream=said)
    except Exception as error:  # noqa: BLE001 - over odd markup docutils raises anything
        rendered = None
        said.write(f"{type(error).__name__}: {error}")
    if rendered is None:
        evidence = _short(said.getvalue())
        yield found("metadata", "the description cannot be rendered", evidence=evidence, file=file)


def _short(value: object) -> str:
    return one_line(str(value))[:_SHOWN]
