"""Text from elsewhere in Markdown, for pages of GitHub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aarch64_wheels.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

# Everything that Markdown, HTML or GitHub's mentions could take for markup; GitHub makes a link of
# what begins with `www.` (GFM 6.9).
_MARKUP = re.compile(r"[^\w \-.,/+=()%]|_|(?<=www)\.", re.IGNORECASE)


def escape(value: str) -> str:
    """Make text safe for a cell of a Markdown table: one line, no markup.

    A character reference is never read as markup (CommonMark 2.5).
    """
    line = " ".join(clean(part) for part in value.splitlines())
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", line)


def row(cells: Iterable[str]) -> str:
    """Make a row of a table, of cells that are Markdown already."""
    return f"| {' | '.join(cells)} |"
