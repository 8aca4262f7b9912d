"""Constraints on what a build and its tests require (`dependency-versions`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aarch64_wheels.errors import UsageError
from aarch64_wheels.settings.parameters import parse

if TYPE_CHECKING:
    from pathlib import Path

_OPTION = "dependency-versions"
#: cibuildwheel's words for its own pins and for none: they are about tools that are not used here.
_WORDS = frozenset({"", "pinned", "latest"})
_MAX_BYTES = 1 << 20


def read_constraints(wanted: str, root: Path, version: str) -> str:
    """Give the lines of a constraints file, empty if there are none.

    Args:
        wanted: the option: a file of the project, or `file: NAME`, or `packages: a==1 b`.
        root: the project's directory.
        version: the target's, such as `3.13`: a file `constraints-python313.txt` beside the one
            that is named stands for it.

    Raises:
        UsageError: there is no such file in the project, or it cannot be read.
    """
    if wanted.strip() in _WORDS:
        return ""
    if not wanted.startswith(("file:", "packages:")):
        return _read(wanted, root, version)
    found = parse(wanted, _OPTION, ("file", "packages"))
    files, packages = found.words("file"), found.words("packages")
    if found.name or len(files) > 1 or (files and packages):
        raise UsageError(f"`{_OPTION}` takes one file, or packages", found=wanted)
    return _read(files[0], root, version) if files else "".join(f"{line}\n" for line in packages)


def _read(name: str, root: Path, version: str) -> str:
    path = root / name
    own = path.parent / f"{path.stem}-python{version.replace('.', '')}{path.suffix}"
    try:
        for candidate in (own, path):
            if candidate.is_file():
                _refuse_outside(candidate, root, name)
                return _content(candidate, name)
    except OSError as error:
        raise _unusable("a file that cannot be read", f"{name}: {error.strerror}") from error
    raise _unusable("a file that the project has not got", name)


def _content(path: Path, name: str) -> str:
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise _unusable(f"a file of more than {_MAX_BYTES} bytes", name)
    return content.decode("utf-8", errors="replace")


def _unusable(what: str, found: str) -> UsageError:
    return UsageError(
        f"`{_OPTION}` names {what}",
        found=found,
        hint="give a file of the project, or `packages: NAME==VERSION ...`",
    )


def _refuse_outside(path: Path, root: Path, name: str) -> None:
    """Keep a project from having a file of this machine copied to where its code runs."""
    if not path.resolve().is_relative_to(root.resolve()):
        raise UsageError(
            f"`{_OPTION}` leads out of the project",
            found=name,
            hint="copy the file into the project",
        )
