"""Placeholders in the commands of a project: `{project}`, `{wheel}`, as cibuildwheel has them."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePosixPath


def fill(command: str, **values: str | PurePosixPath) -> str:
    """Put values in for the placeholders of a shell command, quoted where a shell needs it.

    What is in braces and no placeholder stays (`${HOME}`, `{a,b}`), and `#{project}` stands for
    `{project}` itself.
    """
    names = "|".join(map(re.escape, values))

    def value(found: re.Match[str]) -> str:
        mark, name = found.groups()
        return f"{{{name}}}" if mark else shlex.quote(str(values[name]))

    return re.sub(rf"(#?)\{{({names})\}}", value, command) if names else command
