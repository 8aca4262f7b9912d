"""Whether indexes can show a wheel's description: asked in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aarch64_wheels.audit.catalogue import found
from aarch64_wheels.audit.core_metadata import read_metadata
from aarch64_wheels.audit.model import Level
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aarch64_wheels.audit.archive import WheelContent
    from aarch64_wheels.audit.model import Finding

#: Seconds; the longest real ones take two.
TIMEOUT = 20.0
_SHOWN = 200


def description(content: WheelContent) -> Iterator[Finding]:
    """Find that a description in reStructuredText, the only kind that can fail, does."""
    file = f"{content.info}/METADATA"
    text = _restructured(content.texts.get(file, b""))
    said = render(text) if text else ""
    if said is None:
        message = f"the description is not rendered within {TIMEOUT:g} s"
        yield found("metadata", message, file=file, level=Level.WARNING)
    elif said:
        evidence = one_line(said)[:_SHOWN]
        yield found("metadata", "the description cannot be rendered", evidence=evidence, file=file)


def _restructured(metadata: bytes) -> str:
    """Give the description if it is reStructuredText, which is what a missing type means."""
    try:
        raw, _ = read_metadata(metadata)
    except ValueError:
        return ""
    kind = raw.get("description_content_type", "text/x-rst").partition(";")[0].strip().lower()
    return raw.get("description", "") if kind == "text/x-rst" else ""


def render(text: str, *, timeout: float = TIMEOUT) -> str | None:
    """Have a text rendered.

    Args:
        text: in reStructuredText.
        timeout: seconds it may take.

    Returns:
        What is wrong with it, empty if nothing is; None if it took too long.
    """
    argv = [sys.executable, "-P", str(Path(__file__).with_name("rendering.py"))]
    data = text.encode("utf-8", "replace")
    try:
        done = subprocess.run(argv, input=data, capture_output=True, check=False, timeout=timeout)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        return "".join(last) or f"status {done.returncode}"
    return done.stdout.decode("utf-8", "replace")
