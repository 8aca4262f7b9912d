"""What a release gets beside the wheels: checksums, the report of the build, and an SBOM."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.release import AssetFile
from aarch64_wheels.publish.sbom import render_sbom
from aarch64_wheels.report.writer import FILE_NAME as REPORT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
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
    try:
        made = [AssetFile.read(path) for path in _made(files, places, directory)]
    except OSError as error:
        raise PublishError(
            f"cannot write the release's files to {directory}",
            found=error.strerror or str(error),
            hint="free space there, or set TMPDIR",
        ) from error
    return (*wheels, *made)


def _made(files: Sequence[Distribution], places: Iterable[Path], directory: Path) -> Iterator[Path]:
    lines = [f"{one.sha256}  {one.filename}\n" for one in files]
    yield _written(directory / CHECKSUMS, "".join(lines))
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
