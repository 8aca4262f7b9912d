"""Whether files may be published at all: asked before the first byte is sent."""

from __future__ import annotations

import io
import logging
import re
import zipfile
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from twine.commands.check import check
from twine.package import PackageFile

from aarch64_wheels.audit import Level
from aarch64_wheels.audit.catalogue import Levels
from aarch64_wheels.audit.check import audit_wheel
from aarch64_wheels.errors import AarchWheelsError, PublishError
from aarch64_wheels.publish.index import is_public
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aarch64_wheels.publish.distributions import Distribution

#: In bytes. Real ones are mostly a README; twine reads them into memory whole.
_MAX_METADATA = 1 << 24
_MOST_SAID = 600
#: Of a tag's words, those after one of these may be its version: `release-1.2`, `demo@1.2`.
_SEPARATOR = re.compile(r"[-_/@]")
#: Platform tags that PyPI does not know what they need: all of Linux but some old ARM.
_BARE_LINUX = re.compile(r"linux_(?!armv[67]l$)")
_NO_LEVELS = Levels()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What speaks against publishing a file, or against the set (`filename` is empty)."""

    filename: str
    message: str

    def __str__(self) -> str:
        text = f"{self.filename}: {self.message}" if self.filename else self.message
        return one_line(text)[:_MOST_SAID]


def require_fit(findings: Sequence[Finding]) -> None:
    """Refuse to publish where something was found.

    Raises:
        PublishError: names all of it, each once.
    """
    if findings:
        raise PublishError(
            "nothing is published",
            found="\n".join(dict.fromkeys(map(str, findings))),
            hint="mend what is named, and publish again: nothing was sent",
        )


def package_of(one: Distribution) -> PackageFile:
    """Read a distribution's metadata as twine does.

    Raises:
        PublishError: it is not as an index would take it.
    """
    with _blaming(one):
        _refuse_large_metadata(one)
        package: PackageFile = PackageFile.from_filename(str(one.path), None)
        # This is what twine sends, and an index goes by; what is there was asked by file name.
        name, version = str(package.metadata["name"]), str(package.metadata["version"])
        if (canonicalize_name(name), Version(version)) != (one.project, one.version):
            raise ValueError(
                f"its metadata is of {name} {version}, its name is of {one.project} {one.version}"
            )
    return package


@contextmanager
def _blaming(one: Distribution) -> Iterator[None]:
    """Take every error for one of the file: over a broken one, libraries raise anything."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - see above
        raise PublishError(
            f"{one.filename} would be refused by an index",
            found=one_line(str(error)) or type(error).__name__,
            hint="mend the project's metadata, and build again",
        ) from None


def _refuse_large_metadata(one: Distribution) -> None:
    if one.is_wheel:
        with zipfile.ZipFile(one.path) as wheel:
            sizes = [row.file_size for row in wheel.infolist() if "METADATA" in row.filename]
        if max(sizes, default=0) > _MAX_METADATA:
            raise ValueError(f"METADATA would have {max(sizes)} bytes")


def check_metadata(one: Distribution) -> Iterator[Finding]:
    """Say what `twine check` says, and whether file name and metadata agree."""
    try:
        package_of(one)
        said = _said_by_twine(one)
    except PublishError as error:
        said = error.found
    if said:
        yield Finding(filename=one.filename, message=said)


def _said_by_twine(one: Distribution) -> str:
    """Give the words of a failed `twine check`."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logger = logging.getLogger("twine.commands.check")
    logger.addHandler(handler)
    try:
        with _blaming(one), redirect_stdout(io.StringIO()):
            failed = check([str(one.path)])
    finally:
        logger.removeHandler(handler)
    return said.getvalue() if failed else ""


def check_audit(one: Distribution, levels: Levels = _NO_LEVELS) -> Iterator[Finding]:
    """Say what the audit finds in a wheel for aarch64; others are not for it.

    Args:
        one: the file.
        levels: of the audit's checks, where the user has chosen others.
    """
    if not one.is_aarch64:
        return
    try:
        result = audit_wheel(one.path, levels=levels)
    except AarchWheelsError as error:
        said = ": ".join(filter(None, (error.what, error.found)))
        yield Finding(filename=one.filename, message=f"audit: {said}")
        return
    for finding in result.findings:
        # `check_metadata` has looked at METADATA, as for sdists.
        if finding.level is Level.ERROR and finding.check != "metadata":
            yield Finding(filename=one.filename, message=f"audit: {finding.words}")


def check_public(files: Sequence[Distribution], url: str) -> Iterator[Finding]:
    """Say what PyPI and TestPyPI never take: they would say so when others are there already.

    Args:
        files: what is to be published.
        url: where to.
    """
    if not is_public(url):
        return
    for one in files:
        if one.version.local:
            message = f"{one.version} is a local version (PEP 440), which public indexes refuse"
            yield Finding(filename=one.filename, message=message)
        for platform in sorted(filter(_BARE_LINUX.match, one.platforms)):
            message = f"public indexes refuse the platform {platform}: have auditwheel repair it"
            yield Finding(filename=one.filename, message=message)


def check_tag(files: Sequence[Distribution], tag: str) -> Iterator[Finding]:
    """Compare a release's tag with the version that the files name.

    Args:
        files: of one release.
        tag: empty where there is none to compare.
    """
    if not tag:
        return
    one, tagged = files[0], _version_in(tag, files[0].project)
    if tagged is None:
        message = f"the tag {tag} names no version (PEP 440); --tag compares another one"
        yield Finding(filename="", message=message)
    elif tagged != one.version:
        message = f"the tag {tag} says version {tagged}, the files say {one.version}"
        yield Finding(filename="", message=message)


def _version_in(tag: str, project: str) -> Version | None:
    """Read the version that a tag ends with: the longest end of it that is one.

    Of `v1.2-1` that is a post-release, not 1. Of `demo-2-1`, if `demo-2` is the project, it is 1.
    """
    name = re.escape(project).replace(r"\-", "[-_.]+")
    rest = re.sub(rf"^{name}[-_/@]+", "", tag, flags=re.IGNORECASE)
    for start in (0, *(match.end() for match in _SEPARATOR.finditer(rest))):
        try:
            return Version(rest[start:])
        except InvalidVersion:
            continue
    return None
