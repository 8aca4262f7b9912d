"""The names of the machines that wheels are built for, and that native tools are made for."""

from __future__ import annotations

#: The kernel's name, and that of Go (Docker, Podman), Debian and macOS.
_ARM64 = frozenset({"aarch64", "arm64"})
#: The kernel's, the psABI's, and that of Go, Debian and Windows.
_X86_64 = frozenset({"x86_64", "x86-64", "amd64"})


def is_arm64(name: str) -> bool:
    """Tell whether this is a name of the 64-bit Arm architecture, as any system spells it."""
    return name.lower() in _ARM64


def is_x86_64(name: str) -> bool:
    """Tell whether this is a name of the 64-bit x86 architecture, as any system spells it."""
    return name.lower() in _X86_64
