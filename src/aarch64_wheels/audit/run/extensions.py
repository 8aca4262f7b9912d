"""What of a wheel can be imported: its extension modules, and where they are installed.

Nothing here is unpacked to a path, and the wheel may be hostile.
"""

from __future__ import annotations

import mmap
import re
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from shutil import copyfileobj
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from aarch64_wheels.audit.archive import BROKEN, refuse_harm
from aarch64_wheels.audit.elf_image import ElfImage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from packaging.tags import Tag

#: Most extensions of a wheel that are tried; the largest known wheels have some hundreds.
MOST = 2000
#: What an installer puts into site-packages without this prefix (PEP 427).
_DATA = re.compile(r"\A[^/]+\.data/(?:platlib|purelib)/")
#: Its name says that it is an extension, so one that is none is worth telling.
_TAGGED = re.compile(r"[^.]+\.[^.]+\.so")


@dataclass(frozen=True, kw_only=True)
class Extension:
    """A file that may be an extension module; `parts` are of its path below site-packages."""

    member: str
    parts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Importable:
    """A wheel, as an import sees it.

    Attributes:
        path: of the wheel. tags: of its name. extensions: in the order of the archive.
        installed: members by their path below site-packages.
    """

    path: Path
    tags: frozenset[Tag]
    extensions: tuple[Extension, ...]
    installed: Mapping[str, str]

    @property
    def top_level(self) -> frozenset[str]:
        """The names that it brings for `import`."""
        return frozenset(name.partition("/")[0].partition(".")[0] for name in self.installed)

    @contextmanager
    def image(self, member: str) -> Iterator[ElfImage]:
        """Open one of its ELF files.

        Raises:
            ValueError: it cannot be read.
        """
        try:
            with zipfile.ZipFile(self.path) as archive, _opened(archive, member) as image:
                yield image
        except (OSError, KeyError, *BROKEN) as error:
            raise ValueError(str(error)) from error


def read_importable(path: Path) -> Importable:
    """Read what of a wheel can be imported.

    Raises:
        ValueError: it cannot be read; the audit of its content says more of that.
    """
    try:
        tags = parse_wheel_filename(path.name)[3]
        with zipfile.ZipFile(path) as archive:
            members = [row for row in archive.infolist() if not row.is_dir()]
            refuse_harm(members, path.stat().st_size)
            installed = {_DATA.sub("", row.filename, count=1): row.filename for row in members}
            extensions = tuple(_extensions(archive, installed))
    except (OSError, KeyError, InvalidWheelFilename, *BROKEN) as error:
        raise ValueError(str(error) or type(error).__name__) from error
    return Importable(path=path, tags=tags, extensions=extensions, installed=installed)


def _extensions(archive: zipfile.ZipFile, installed: Mapping[str, str]) -> Iterator[Extension]:
    left = MOST
    for place, member in installed.items():
        *packages, name = place.split("/")
        is_named = name.endswith(".so") and all(part.isidentifier() for part in packages)
        if left and is_named and (_TAGGED.fullmatch(name) or _has_init(archive, member, place)):
            left -= 1
            yield Extension(member=member, parts=(*packages, name))


def _has_init(archive: zipfile.ZipFile, member: str, place: str) -> bool:
    """Tell a plain extension (`b.so`) from a library, which has no init function (PEP 489)."""
    packages, _, name = place.rpartition("/")
    stem = name.removesuffix(".so")
    module = packages.rpartition("/")[2] if stem == "__init__" else stem
    if not module.isidentifier():
        return False
    kind, spelled = ("PyInit_", module) if module.isascii() else ("PyInitU_", _punycode(module))
    try:
        with _opened(archive, member) as image:
            return any(row.section and row.name == kind + spelled for row in image.symbols)
    except (OSError, *BROKEN):
        return False


def _punycode(module: str) -> str:
    return module.encode("punycode").replace(b"-", b"_").decode()


@contextmanager
def _opened(archive: zipfile.ZipFile, member: str) -> Iterator[ElfImage]:
    with tempfile.TemporaryFile() as copy:
        with archive.open(member) as source:
            copyfileobj(source, copy)
        copy.flush()
        with mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ) as content:
            image = ElfImage(content)
            if not image.is_readable:
                raise ValueError("it is no 64-bit little-endian ELF file")
            yield image
