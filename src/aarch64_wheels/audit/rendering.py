"""Renders a description as indexes do, in a process of its own: markup can be a bomb.

docutils has no limits. Substitutions that name each other twice take it 2^n steps, and half a
megabyte of section lines a gigabyte of memory. So whoever asks sets limits from outside, and here
is what runs inside:

    python -P rendering.py < DESCRIPTION

prints what is wrong with the text; nothing if it can be rendered.
"""

from __future__ import annotations

import io
import resource
import sys

#: Bytes of memory: several times what the longest real description takes.
MEMORY = 2**30


def render(description: str) -> str:
    """Render reStructuredText; gives what keeps it from being shown."""
    from readme_renderer import rst

    said = io.StringIO()
    try:
        is_fine = rst.render(description, stream=said) is not None
    except (Exception, MemoryError) as error:  # noqa: BLE001 - over odd markup it raises anything
        return f"{type(error).__name__}: {error}"
    return "" if is_fine else said.getvalue() or "no reason is given"


def main() -> None:
    """Render what standard input holds."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.stdout.write(render(sys.stdin.buffer.read().decode("utf-8", "replace")))


if __name__ == "__main__":
    main()
