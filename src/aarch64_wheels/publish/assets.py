"""What a release gets beside the wheels: checksums, the report of the build, and an SBOM."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.asset_files import AssetFile
from aarch64_wheels.publish.sbom import render_sbom
from aarch64_wheels.report.writer import FILE_NAME as REPORT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from aarch64_wheels.publish.distributions import Distribution

#: As `sha256sum --check` reads it.
CHECKSUMS = "SHA256SUMS"


def make_assets(
    files: Sequence[Distribution], places: Iterable[Path], directory: Path
) -> tuple[AssetFile, ...]:
    """Make the files that a release is to have; the same files give the same assets.

    Args:
        files: what is published.
        places: where the build's report may be; the first one found is taken.
        directory: a new one, for what is made here.

    Raises:
        PublishError: they cannot be written.
    """
    wheels = [AssetFile(path=one.path, sha256=one.sha256) for one in files]
    with _writing(directory):
        made = [AssetFile.read(path, derived=True) for path in _made(files, places, directory)]
    return (*wheels, *made)


def complete(files: Sequence[AssetFile], others: Mapping[str, str]) -> tuple[AssetFile, ...]:
    """Have the checksums name what the release has already: of many runs comes one whole list.

    Args:
        files: as `make_assets` gives them; that of the checksums is written anew.
        others: files of the release that are not among them, name to hash.

    Raises:
        PublishError: it cannot be written.
    """
    hashes = {**others, **{one.name: one.sha256 for one in files if not one.derived}}
    return tuple(
        _rewritten(one, hashes) if others and one.derived and one.name == CHECKSUMS else one
        for one in files
    )


def _rewritten(one: AssetFile, hashes: Mapping[str, str]) -> AssetFile:
    with _writing(one.path.parent):
        return AssetFile.read(_written(one.path, _checksums(hashes)), derived=True)


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PublishError(
            f"cannot write the release's files to {directory}",
            found=error.strerror or str(error),
            hint="free space there, or set TMPDIR",
        ) from error


def _checksums(hashes: Mapping[str, str]) -> str:
    """Give the list, in an order that does not tell which run has brought what."""
    return "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items()))


def _made(files: Sequence[Distribution], places: Iterable[Path], directory: Path) -> Iterator[Path]:
    hashes = {one.filename: one.sha256 for one in files}
    yield _written(directory / CHECKSUMS, _checksums(hashes))
    name = f"{files[0].project}-{files[0].version}.cdx.json"
    yield _written(directory / name, render_sbom(files))
    reports = (place / REPORT for place in places)
    for report in reports:
        if report.is_file() and not report.is_symlink():
            yield shutil.copyfile(report, directory / REPORT)
            break


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
