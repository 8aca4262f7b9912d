"""What the reports of builds say of files: all that was planned is there, unchanged, and alone."""

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
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


def check_reports(
    files: Sequence[Distribution], directories: Iterable[Path], *, allow_partial: bool
) -> Iterator[Finding]:
    """Compare files with the reports of builds: all of their targets, and what they have audited.

    Args:
        files: what is to be published, of one release.
        directories: where the reports are.
        allow_partial: failed targets, wheels that are not among the files, and wheels without any
            report are no finding.

    Raises:
        PublishError: there is something of that name that is no report.
    """
    paths = [place / FILE_NAME for place in directories]
    reports = {path: report for path in paths if (report := _read(path)) is not None}
    if not reports and not allow_partial:
        yield from _unreported(files)
    targets = []
    for path, report in reports.items():
        if _is_of(report, files[0]):
            targets += report["targets"]
        else:
            yield _of_another(path, report)
    hashes = {one.filename: one.sha256 for one in files}
    for target in targets:
        yield from _compared(target, hashes, allow_partial=allow_partial)
    if targets:  # what another release's report makes of these wheels need not be said as well
        yield from _unknown(files, targets)


def _of_another(path: Path, report: Mapping[str, Any]) -> Finding:
    message = f"{path} is of {report['project']} {report['version']}: move it away, or name its "
    return Finding(filename="", message=message + "directory by --output-dir")


def _unknown(
    files: Sequence[Distribution], targets: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """Name the wheels that no build has finished: of a build before, or of who knows whom."""
    wheels = filter(None, map(_finished, targets))
    known = {wheel["filename"] for wheel in wheels}
    for one in files:
        if one.is_aarch64 and one.filename not in known:
            message = "no report has it as built and audited: take it away (an earlier build may "
            message += f"have left it), or bring its own {FILE_NAME} along, in its directory"
            yield Finding(filename=one.filename, message=message)


def _unreported(files: Sequence[Distribution]) -> Iterator[Finding]:
    """Refuse wheels of which nothing says that they are all, and as they were audited."""
    count = sum(one.is_aarch64 for one in files)
    if count:
        message = f"there is no {FILE_NAME}, so nothing says that the aarch64 wheels ({count}) are "
        message += f"all, and as they were built: bring {FILE_NAME} along with the wheels, or "
        yield Finding(filename="", message=message + "publish them as they are: --allow-partial")


def _finished(target: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Give the wheel of a target that did not fail."""
    return target["wheel"] if target["status"] == Status.OK else None


def _compared(
    target: Mapping[str, Any], hashes: Mapping[str, str], *, allow_partial: bool
) -> Iterator[Finding]:
    wheel = _finished(target)
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
