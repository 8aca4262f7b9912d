"""Lets x86-64 programs that know nothing of /native find a loader and libraries.

Programs out of PyPI's wheels (cmake, ninja, numpy) name the loader by the path of the psABI, and
it looks for libraries where Debian keeps them. Run by the native Python when an accelerated
image is made, so it imports nothing but the standard library.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from types import MappingProxyType

#: Links of an accelerated container, and what they lead to. Where /lib or /lib64 is a link
#: itself, they are made in the directory that it leads to.
LINKS = MappingProxyType(
    {
        PurePosixPath("/lib64/ld-linux-x86-64.so.2"): PurePosixPath(
            "/native/lib/ld-linux-x86-64.so.2"
        ),
        PurePosixPath("/lib/x86_64-linux-gnu"): PurePosixPath("/native/lib"),
    }
)


def make_links(root: Path = Path("/")) -> None:
    """Make the links below a root directory; one that is there already stays.

    Raises:
        OSError: a directory cannot be written.
    """
    for link, aim in LINKS.items():
        path = root / link.relative_to("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_symlink() and not path.exists():
            path.symlink_to(aim)


if __name__ == "__main__":
    make_links()
