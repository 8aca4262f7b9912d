"""The files to publish: found, named and hashed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from aarch64_wheels.errors import UsageError
from aarch64_wheels.hashing import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from packaging.version import Version

_SUFFIXES = (".whl", ".tar.gz")
#: Names hold nothing that a terminal, a page or a list of checksums could take for more than a
#: name. `!` is of epochs, `+` of local versions (PEP 440).
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*")
#: What twine makes of a file beside a distribution; PEP 740 objects and signatures of earlier runs.
_BESIDE = (".attestation", ".asc")
_BUILD = "build first: aarch64-wheels build"


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A wheel or an sdist.

    Attributes:
        path: the file. project: normalized name (PEP 503). version: of the release.
        sha256: in hex. size: in bytes.
    """

    path: Path
    project: str
    version: Version
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        """The name it has on an index."""
        return self.path.name

    @property
    def is_wheel(self) -> bool:
        """It is a wheel, not an sdist."""
        return self.path.suffix == ".whl"

    @property
    def platforms(self) -> frozenset[str]:
        """A wheel's platform tags; an sdist has none."""
        if not self.is_wheel:
            return frozenset()
        return frozenset(tag.platform for tag in parse_wheel_filename(self.filename)[3])

    @property
    def is_aarch64(self) -> bool:
        """It is a wheel for aarch64: what builds make, reports name and the audit is for."""
        return any("aarch64" in platform for platform in self.platforms)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            UsageError: it is no distribution, or cannot be read.
        """
        project, version = _parsed(path)
        try:
            sha256, size = sha256_of(path), path.stat().st_size
        except OSError as error:
            raise UsageError(f"cannot read {path}", found=error.strerror or str(error)) from error
        return cls(path=path, project=project, version=version, sha256=sha256, size=size)


def _parsed(path: Path) -> tuple[str, Version]:
    if not path.name.endswith(_SUFFIXES):  # PEP 625: an sdist is a .tar.gz, no longer a .zip
        raise _not_one(path, "its name does not end with .whl or .tar.gz")
    if not _NAME.fullmatch(path.name):
        raise _not_one(path, "its name has characters that no distribution's name has")
    try:
        if path.name.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(path.name)
        else:
            name, version = parse_sdist_filename(path.name)
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise _not_one(path, str(error)) from error
    return str(name), version


def _not_one(path: Path, found: str) -> UsageError:
    hint = "name .whl and .tar.gz files, or a directory that holds them"
    return UsageError(f"{path} is neither a wheel nor an sdist", found=found, hint=hint)


def _forget(_text: str) -> None:
    """Tell nobody."""


def find_distributions(
    paths: Sequence[Path], note: Callable[[str], None] = _forget
) -> tuple[Distribution, ...]:
    """Find the distributions of one release.

    Args:
        paths: files, and directories whose wheels and sdists are taken. What lies beside them
            (reports, logs, attestations of an earlier run) is left alone.
        note: told of attestations and signatures that are named (a shell's `dist/*`): they are
            left alone, too.

    Returns:
        Sorted by file name, each once.

    Raises:
        UsageError: there are none, one is unreadable, or they are of several releases.
    """
    found = {one.filename: one for one in map(Distribution.read, _listed(paths, note))}
    rows = tuple(found[name] for name in sorted(found))
    if not rows:
        raise UsageError(
            f"there is nothing to publish in {', '.join(map(str, paths))}",
            found="no .whl and no .tar.gz file",
            hint=_BUILD,
        )
    _require_one_release(rows)
    return rows


def _listed(paths: Iterable[Path], note: Callable[[str], None]) -> list[Path]:
    try:
        return list(_files(paths, note))
    except OSError as error:
        place = error.filename or ", ".join(map(str, paths))
        raise UsageError(
            f"cannot look for files in {place}", found=error.strerror or str(error)
        ) from error


def _files(paths: Iterable[Path], note: Callable[[str], None]) -> Iterator[Path]:
    seen: dict[str, Path] = {}
    for path in paths:
        for file in _inside(path) if path.is_dir() else _named(path, note):
            if seen.setdefault(file.name, file).resolve() != file.resolve():
                raise UsageError(
                    f"two files have the name {file.name}", found=f"{seen[file.name]} and {file}"
                )
            yield file


def _inside(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if path.name.endswith(_SUFFIXES):
            yield _regular(path)


def _named(path: Path, note: Callable[[str], None]) -> Iterator[Path]:
    if path.name.endswith(_BESIDE):
        note(f"{path} is left alone: it belongs to another file, and is not published")
    else:
        yield _regular(path)


def _regular(path: Path) -> Path:
    """Refuse links: a source can put them into a directory of its own, to publish what it likes."""
    if not path.is_symlink() and path.is_file():
        return path
    what = f"{path} cannot be published"
    if path.is_symlink():
        raise UsageError(what, found="it is a link", hint="name the file that it leads to")
    if path.exists():
        raise UsageError(what, found="it is not a file")
    raise UsageError(what, found="there is no such file or directory", hint=_BUILD)


def _require_one_release(rows: Sequence[Distribution]) -> None:
    # Versions that are equal (1.0 and 1.0.0) are one release to an index too.
    if len({(row.project, row.version) for row in rows}) > 1:
        raise UsageError(
            "these files are of several releases",
            found=", ".join(sorted({f"{row.project} {row.version}" for row in rows})),
            hint="publish one release at a time, and name its files",
        )
