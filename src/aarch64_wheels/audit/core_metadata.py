"""Reading METADATA, the core metadata, in bounded time."""

from __future__ import annotations

import re

from packaging.metadata import RawMetadata, parse_email

_FIELD = re.compile(rb"^([!-9;-~]{1,100}):", re.MULTILINE)
#: The most fields, and kinds of them; there are some thirty. Reading takes time by their product.
MAX_FIELDS, MAX_KINDS = 20_000, 200


def read_metadata(text: bytes) -> tuple[RawMetadata, dict[str, list[str]]]:
    """Read a METADATA file: its known fields, and those that no specification knows.

    Raises:
        ValueError: it cannot be read, or has more fields than any wheel's.
    """
    head = re.split(rb"\r?\n\r?\n", text, maxsplit=1)[0]
    names = _FIELD.findall(head)
    if len(names) > MAX_FIELDS or len({name.lower() for name in names}) > MAX_KINDS:
        raise ValueError(f"it has {len(names)} fields")
    try:
        return parse_email(text)
    except (LookupError, RecursionError) as error:
        raise ValueError(str(error) or type(error).__name__) from error
