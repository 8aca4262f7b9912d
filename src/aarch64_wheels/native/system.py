"""Where the x86-64 loader, libraries and CPythons of /native come from."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Protocol

from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class NoInterpreter(UnfitError):  # noqa: N818 (a plain answer more often than a fault)
    """There is no native CPython of a version: its targets take the emulated backend.

    Args:
        version: what was asked for, such as `3.13` or `3.14t`.
        reason: why there is none, a short phrase for the report.
    """

    def __init__(self, version: str, reason: str) -> None:
        super().__init__(
            f"no native CPython {version} for the build backend",
            found=reason,
            hint=f"install an x86-64 CPython {version} on this machine, or use --backend emulated",
        )
        self.version = version
        self.reason = reason


class NativeSystem(Protocol):
    """A source of x86-64 libraries and interpreters that are laid out below /native."""

    @property
    def key(self) -> str:
        """Changes when the loader and libraries that are laid out change."""

    def interpreter_key(self, version: str, note: Callable[[str], None]) -> str:
        """Give what changes when the CPython that is laid out changes, or the libraries.

        Args:
            version: as `lay_interpreter` takes it.
            note: told if it must be fetched.

        Raises:
            NoInterpreter: there is none of this version.
            UnfitError: it cannot be read, or the disk is full.
        """

    @property
    def tools_version(self) -> str:
        """The CPython that runs the native tools, such as `3.13`; it is always to be had."""

    def lay_libraries(self, into: Path) -> None:
        """Fill a new directory, later /native/lib, with the loader and shared libraries.

        Raises:
            UnfitError: one that every program needs is not there, or the disk is full.
        """

    def lay_interpreter(self, version: str, into: Path) -> None:
        """Fill a new directory, later /native/python/<its name>, with one CPython.

        Args:
            version: minor version, with a `t` for the free-threaded build: `3.13`, `3.14t`.
            into: becomes the interpreter's prefix; nothing is left there on failure.

        Raises:
            NoInterpreter: there is none of this version.
            UnfitError: the disk is full, or a program that lays it out does not run.
        """


#: The modules that decide what is laid out.
_CODE = (
    *("relocation.py", "shared_libraries.py", "interpreter_copy.py", "places.py"),
    *("debian.py", "host_system.py", "host_interpreters.py"),
)


def code_digest() -> bytes:
    """Hash the code that lays libraries and interpreters out: a part of each system's key."""
    package = resources.files("aarch64_wheels.native")
    total = hashlib.sha256()
    for name in _CODE:
        total.update((package / name).read_bytes())
    return total.digest()
