"""The loader and the shared libraries that all native programs have in common."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aarch64_wheels.errors import UnfitError
from aarch64_wheels.native.places import LOADER
from aarch64_wheels.native.relocation import Libraries, copy_libraries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aarch64_wheels.native.relocation import Relocator

LOADER_NAME = LOADER.name

#: Nothing runs without them.
_REQUIRED = (LOADER_NAME, "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0")

#: What manylinux wheels may ask a system for, short of graphics (PEP 600, auditwheel's policies),
#: what glibc loads by itself, and what several interpreters need.
_WANTED = (
    *("librt.so.1", "libutil.so.1", "libresolv.so.2", "libanl.so.1", "libmvec.so.1"),
    *("libnss_dns.so.2", "libnss_files.so.2", "libnsl.so.1", "libcrypt.so.1"),
    *("libgcc_s.so.1", "libstdc++.so.6", "libatomic.so.1", "libgomp.so.1"),
    *("libz.so.1", "libexpat.so.1", "libbz2.so.1.0", "libbz2.so.1", "liblzma.so.5", "libzstd.so.1"),
    *("libssl.so.3", "libcrypto.so.3", "libffi.so.8", "libsqlite3.so.0", "libuuid.so.1"),
    *("libmpdec.so.4", "libmpdec.so.3", "libtinfo.so.6", "libncursesw.so.6", "libreadline.so.8"),
)


#: Parts of glibc, which only work with the loader they came with.
_GLIBC = re.compile(
    r"(?:ld-linux-.*|lib(?:c|m|mvec|dl|pthread|rt|util|resolv|anl|nsl|nss_\w+|thread_db)\.so\.\d+)"
)


def shared_libraries(libraries: Libraries) -> dict[str, Path]:
    """Find what goes into /native/lib, by name, with all that it needs.

    Raises:
        UnfitError: a library that every program needs is not there.
    """
    named = {name: libraries.find(name) for name in (*_REQUIRED, *_WANTED)}
    if missing := [name for name in _REQUIRED if named[name] is None]:
        raise UnfitError(
            "the native tools need the x86-64 glibc of this machine, and it is not whole",
            found=f"no {', '.join(missing)} in {', '.join(map(str, libraries.directories))}",
            hint="run on a system with glibc, or use --mode emulated",
        )
    found = {name: path for name, path in named.items() if path is not None}
    whole = libraries.closure(found.values())
    return {**found, **{name: path for name, path in whole.items() if path is not None}}


def own_libraries(
    found: Mapping[str, Path | None], shared: Mapping[str, Path]
) -> dict[str, Path | None]:
    """Give those of a program's libraries that /native/lib does not have, or not the same of.

    An interpreter may come with libraries newer than the system's, under the same names.
    """
    return {
        name: path
        for name, path in found.items()
        if not _GLIBC.fullmatch(name) and path != shared.get(name)
    }


def copy_shared(found: Mapping[str, Path], into: Path, relocator: Relocator) -> None:
    """Lay out /native/lib.

    Raises:
        UnfitError: the disk is full, or patchelf fails.
    """
    try:
        copy_libraries(found, into)
    except OSError as error:
        raise UnfitError(
            "cannot copy the libraries of the native tools",
            found=str(error)[-300:],
            hint="free some disk space in the cache directory (--cache-dir)",
        ) from error
    relocator.libraries(sorted(into.iterdir()), into)
