"""What the wheel says of itself in its `.dist-info`, beside its file name (PEP 427, PEP 491)."""

from __future__ import annotations

from dataclasses import dataclass
from email.parser import HeaderParser
from typing import TYPE_CHECKING

from packaging.tags import parse_tag
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    import zipfile

    from packaging.tags import Tag

INFO_SUFFIX = ".dist-info"
#: Largest WHEEL file that is read, in bytes; real ones have a few hundred.
MAX_WHEEL_FILE = 64 * 2**10
#: Most combinations one `Tag:` line may stand for: they multiply (PEP 425).
_MAX_DOTS = 20
#: The longest name a file can have.
_MAX_NAME = 255


def info_directory(names: tuple[str, ...]) -> str:
    """Find the wheel's `.dist-info` directory.

    Raises:
        ValueError: there is none with a RECORD, or more than one.
    """
    tops = {top for top, slash, _ in (name.partition("/") for name in names) if slash}
    found = sorted(top for top in tops if top.endswith(INFO_SUFFIX))
    records = sorted({f"{top}/RECORD" for top in found}.intersection(names))
    if len(records) != 1:
        raise ValueError(f"{len(records)} files called *{INFO_SUFFIX}/RECORD, not one")
    if len(found) != 1:
        raise ValueError(f"more than one {INFO_SUFFIX} directory: {', '.join(found)}")
    return found[0]


def is_of_release(info: str, name: str, version: Version) -> bool:
    """Whether a `.dist-info` directory is named after that release.

    Args:
        info: the directory's name.
        name: the project's canonical name (PEP 503). The directory may spell it otherwise.
        version: the release's version, likewise.
    """
    stem = info.removesuffix(INFO_SUFFIX)
    if len(stem) > _MAX_NAME:
        return False
    # Old tools left dashes in names and versions, so each dash may be the one between them.
    splits = [(stem[:at], stem[at + 1 :]) for at, char in enumerate(stem) if char == "-"]
    return any(
        canonicalize_name(left) == name and _is_version(right, version) for left, right in splits
    )


def _is_version(text: str, version: Version) -> bool:
    try:
        # PEP 427 once had every dash replaced, also the one of `1.0-1` (PEP 440: 1.0.post1).
        return Version(text.replace("_", "-")) == version
    except InvalidVersion:
        return False


@dataclass(frozen=True, kw_only=True)
class Label:
    """What the WHEEL file says: its tags, the version of its format, and where the wheel goes."""

    tags: frozenset[Tag]
    wheel_version: str
    is_purelib: bool


def read_label(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Label:
    """Read the WHEEL file.

    Raises:
        ValueError: the file is too large or not UTF-8, or one of its tags is none.
    """
    if member.file_size > MAX_WHEEL_FILE:
        raise ValueError(f"WHEEL has {member.file_size} bytes (at most {MAX_WHEEL_FILE} are read)")
    headers = HeaderParser().parsestr(archive.read(member).decode())
    lines = [str(line).strip() for line in headers.get_all("Tag", [])]
    return Label(
        tags=frozenset(tag for line in lines for tag in _tags(line)),
        wheel_version=str(headers.get("Wheel-Version", "")).strip(),
        is_purelib=str(headers.get("Root-Is-Purelib", "")).strip().lower() == "true",
    )


def _tags(line: str) -> frozenset[Tag]:
    if line.count("-") != 2 or line.count(".") > _MAX_DOTS:  # noqa: PLR2004  # three parts
        raise ValueError(f"WHEEL declares a tag that is none: {line[:_MAX_NAME]}")
    return parse_tag(line)
