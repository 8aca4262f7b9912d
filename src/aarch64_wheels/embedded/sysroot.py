"""The embedded image's sysroot: bullseye's glibc, made to hand out what manylinux2014 promises."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection

from aarch64_wheels.embedded.toolchain import TRIPLET
from aarch64_wheels.errors import UnfitError

if TYPE_CHECKING:
    from pathlib import Path, PurePosixPath

_HIDDEN = 0x8000

#: Newer than glibc 2.17; whoever asks for it does so weakly (see `thread_atexit.py`).
_OPTIONAL = frozenset({"__cxa_thread_atexit_impl"})

_FCNTL = """\
#ifndef __USE_FILE_OFFSET64
extern int fcntl (int __fd, int __cmd, ...);
#else
# ifdef __REDIRECT
extern int __REDIRECT (fcntl, (int __fd, int __cmd, ...), fcntl64);
# else
#  define fcntl fcntl64
# endif
#endif
"""

#: What a header says, and what it says instead: interfaces that glibc 2.17 has too.
_HEADERS = {
    # fcntl64 came with 2.28, and Python.h asks for it; on a 64-bit architecture fcntl is the same.
    "usr/include/fcntl.h": {_FCNTL: "extern int fcntl (int __fd, int __cmd, ...);\n"},
    # pthread_cond_clockwait and its like came with 2.30; libstdc++ can do without.
    f"usr/include/{TRIPLET}/c++/10/bits/c++config.h": {
        f"#define _GLIBCXX_USE_PTHREAD_{name} 1": f"/* {name} is newer than glibc 2.17 */"
        for name in ("COND_CLOCKWAIT", "MUTEX_CLOCKLOCK", "RWLOCK_CLOCKLOCK")
    },
}


def relink(root: Path, sysroot: PurePosixPath) -> None:
    """Make the sysroot's absolute links relative.

    `libm.so -> /lib/aarch64-linux-gnu/libm.so.6` would lead out of the sysroot, to the
    userland's newer glibc.
    """
    top = root / str(sysroot).lstrip("/")
    for path in top.rglob("*"):
        if path.is_symlink() and (destination := path.readlink()).is_absolute():
            inside = top / str(destination).lstrip("/")
            path.unlink()
            path.symlink_to(os.path.relpath(inside, path.parent))


def lower_headers(root: Path, sysroot: PurePosixPath) -> None:
    """Keep headers from calling what came after glibc 2.17.

    Raises:
        UnfitError: a header does not say what it is known to say.
    """
    for name, changes in _HEADERS.items():
        path = root / str(sysroot).lstrip("/") / name
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for old, new in changes.items():
            if old not in text:
                raise UnfitError(
                    f"the header {name} is not as expected",
                    found=f"no {old.splitlines()[0]!r}",
                    hint="please report it: the recipe is outdated",
                )
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")


def prefer_static_libraries(root: Path, sysroot: PurePosixPath, version: str) -> None:
    """Let `-lstdc++` and `-lgfortran` find only static libraries, whoever does the linking.

    Bullseye's shared ones ask for its own glibc (2.29), and would take wheels with them.
    """
    directory = root / str(sysroot).lstrip("/") / f"usr/lib/gcc/{TRIPLET}/{version}"
    for name in ("libstdc++.so", "libgfortran.so"):
        (directory / name).unlink(missing_ok=True)


def lower_glibc(root: Path, sysroot: PurePosixPath) -> int:
    """Make the sysroot's glibc hand out the oldest version of each symbol that has several.

    Bullseye's glibc gives `pow@GLIBC_2.29` to whatever is linked with it although it still
    has `pow@GLIBC_2.17`; with the old one as the default, wheels stay within manylinux2014.

    Returns:
        How many symbols were changed.
    """
    libraries = root / str(sysroot).lstrip("/") / f"lib/{TRIPLET}"
    return sum(_lower_library(path) for path in sorted(libraries.glob("lib*-2.31.so")))


def _lower_library(path: Path) -> int:
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        names = _version_names(elf)
        offset = _section(elf, ".gnu.version")["sh_offset"]
        dynsym = _section(elf, ".dynsym")
        symbols = [(symbol.name, symbol["st_shndx"]) for symbol in dynsym.iter_symbols()]
        stream.seek(offset)
        versions = list(struct.unpack(f"<{len(symbols)}H", stream.read(2 * len(symbols))))
    changed = _choose_oldest(symbols, versions, names)
    if changed:
        with path.open("r+b") as out:
            out.seek(offset)
            out.write(struct.pack(f"<{len(versions)}H", *versions))
    return changed


def _section(elf: ELFFile, name: str) -> Any:
    section = elf.get_section_by_name(name)
    if section is None:
        raise UnfitError(
            f"Debian's glibc has no section {name}", hint="please report it: the recipe is outdated"
        )
    return section


def _version_names(elf: ELFFile) -> dict[int, str]:
    section = next(s for s in elf.iter_sections() if isinstance(s, GNUVerDefSection))
    return {
        version["vd_ndx"]: next(iter(auxiliaries)).name
        for version, auxiliaries in section.iter_versions()
    }


def _choose_oldest(
    symbols: list[tuple[str, str | int]], versions: list[int], names: dict[int, str]
) -> int:
    """Swap the default flag in `versions` from a symbol's newest version to its oldest.

    What is `_OPTIONAL` loses it: a weak reference to it then stays without a version.
    """
    several: dict[str, list[int]] = {}
    for index, (name, section) in enumerate(symbols):
        # Undefined symbols (imports) and local ones (0, 1) have no version to choose.
        if section != "SHN_UNDEF" and versions[index] & ~_HIDDEN > 1:
            several.setdefault(name, []).append(index)
    changed = 0
    for indexes in several.values():
        oldest = min(indexes, key=lambda i: _number(names.get(versions[i] & ~_HIDDEN, "")))
        default = [i for i in indexes if not versions[i] & _HIDDEN]
        wanted = [] if symbols[oldest][0] in _OPTIONAL else [oldest]
        if default and default != wanted:
            for index in default:
                versions[index] |= _HIDDEN
            for index in wanted:
                versions[index] &= ~_HIDDEN
            changed += 1
    return changed


def _number(version: str) -> tuple[int, ...]:
    """`GLIBC_2.29` as (2, 29); what is no public version (GLIBC_PRIVATE) counts as newest."""
    digits = version.removeprefix("GLIBC_").split(".")
    return tuple(int(part) for part in digits) if all(p.isdigit() for p in digits) else (9999,)
