"""The names of the machine that wheels are built for."""

from __future__ import annotations

#: The kernel's name, and that of Go (Docker, Podman), Debian and macOS.
_NAMES = frozenset({"aarch64", "arm64"})


def is_arm64(name: str) -> bool:
    """Tell whether this is a name of the 64-bit Arm architecture, as any system spells it."""
    return name.lower() in _NAMES
