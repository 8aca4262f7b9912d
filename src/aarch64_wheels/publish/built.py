"""What the report of a build says of files: all that was planned is there, and unchanged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.checks import Finding
from aarch64_wheels.report.model import SCHEMA_VERSION, Status
from aarch64_wheels.report.writer import FILE_NAME
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from aarch64_wheels.publish.distributions import Distribution

_MAX_REPORT = 1 << 24


def find_reports(
    files: Sequence[Distribution], output_dir: Path, note: Callable[[str], None]
) -> list[Path]:
    """List the directories where a report of a build is.

    Args:
        files: where they are there may be one too: a job that publishes may have moved all.
        output_dir: what is called a report here is one.
        note: told of those that are none elsewhere, where they may be another tool's.

    Raises:
        PublishError: it is none.
    """
    found = []
    for directory in dict.fromkeys([output_dir, *(one.path.parent for one in files)]):
        try:
            found += [directory] if _read(directory / FILE_NAME) else []
        except PublishError as error:
            if directory == output_dir:
                raise
            note(f"{error.what}, and is not compared with the files: {error.found}")
    return found


def check_report(
    files: Sequence[Distribution], directory: Path, *, allow_partial: bool
) -> Iterator[Finding]:
    """Compare files with the report of the build: all of its targets, and what it has audited.

    Args:
        files: what is to be published, of one release.
        directory: where the report is; without one there is nothing to compare.
        allow_partial: failed targets, and wheels that are not among the files, are no finding.

    Raises:
        PublishError: there is something of that name that is no report.
    """
    report = _read(directory / FILE_NAME)
    if report is None:
        return
    if not _is_of(report, files[0]):
        message = f"{directory / FILE_NAME} is of {report['project']} {report['version']}: move it "
        yield Finding(filename="", message=message + "away, or name its directory by --output-dir")
        return
    hashes = {one.filename: one.sha256 for one in files}
    for target in report["targets"]:
        yield from _compared(target, hashes, allow_partial=allow_partial)


def _compared(
    target: Mapping[str, Any], hashes: Mapping[str, str], *, allow_partial: bool
) -> Iterator[Finding]:
    wheel = target["wheel"] if target["status"] == Status.OK else None
    if wheel is None:
        name = target["identifier"]
        message = f"the target {name} has no wheel (--allow-partial publishes the others)"
        found = [] if allow_partial else [Finding(filename="", message=message)]
    elif wheel["filename"] not in hashes:
        message = "it was built, and is not among the files (--allow-partial leaves it out)"
        found = [] if allow_partial else [Finding(filename=wheel["filename"], message=message)]
    else:
        message = "it is not the file that was built and audited"
        same = hashes[wheel["filename"]] == wheel["sha256"]
        found = [] if same else [Finding(filename=wheel["filename"], message=message)]
    yield from found


def _is_of(report: Mapping[str, Any], one: Distribution) -> bool:
    """Tell whether the report is of the files' release, as far as it was known when it began."""
    project, version = report["project"], report["version"]
    if project and canonicalize_name(project) != one.project:
        return False
    try:
        return not version or Version(version) == one.version
    except InvalidVersion:  # the project's own metadata may have been that; the wheels' is not
        return True


def _read(path: Path) -> dict[str, Any] | None:
    """Read `report.json`; None where there is none.

    Raises:
        PublishError: it is not a report.
    """
    if not path.is_symlink() and not path.exists():
        return None
    try:
        return _checked(json.loads(_content(path)))
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise PublishError(
            f"{path} is no report of a build",
            found=one_line(f"{type(error).__name__}: {error}"),
            hint="build again, or move it away if these files need none",
        ) from None


def _content(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise ValueError("it is a link, or no file")
    with path.open("rb") as stream:
        return stream.read(_MAX_REPORT)


def _checked(data: Any) -> dict[str, Any]:
    """See that all is there that is asked for: a row that cannot be read must not count as good.

    Raises:
        ValueError, LookupError, TypeError: it is not.
    """
    if data["schema"] != SCHEMA_VERSION:
        raise ValueError(f"its schema is {data['schema']}, not {SCHEMA_VERSION}")
    words = [data["project"], data["version"]]
    if not isinstance(data["targets"], list) or not data["targets"]:
        raise ValueError("it has no targets")
    for target in data["targets"]:
        words += [target["identifier"], target["status"]]
        if (wheel := target["wheel"]) is not None:
            words += [wheel["filename"], wheel["sha256"]]
    if not all(isinstance(word, str) for word in words):
        raise TypeError("it has other values than words")
    return dict(data)
