"""The checks of a wheel that has been read: each gives the findings of a subject.

They take nothing but the content and the claims; processes of other programs (auditwheel,
abi3audit) are asked elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.audit.checks import (
    extensions,
    labels,
    loading,
    metadata,
    parts,
    processor,
    symbols,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.claims import Claims
    from aarch64_wheels.audit.model import Finding


def own_findings(content: WheelContent, claims: Claims) -> Iterator[Finding]:
    """Find everything that can be seen in the content itself."""
    yield from content.problems
    yield from labels.tags(content, claims)
    yield from labels.declared(content)
    yield from labels.nothing_native(content, claims)
    yield from metadata.metadata(content)
    yield from extensions.machines(content)
    yield from extensions.suffixes(content)
    yield from extensions.init_functions(content)
    yield from symbols.c_libraries(content, claims)
    yield from symbols.versions(content, claims)
    yield from loading.segments(content)
    yield from loading.search_paths(content)
    yield from processor.baseline(content)
    yield from parts.forbidden(content)
    yield from parts.leftovers(content)
    yield from parts.bills(content)
    yield from parts.licences(content)
