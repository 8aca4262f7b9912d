"""What an index asks of an upload: whose it is, and that form, file and digests agree."""

from __future__ import annotations

import email
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from tests.standins.multipart import Part

_METADATA_VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5")
_EXTENSIONS = {"sdist": (".tar.gz", ".zip"), "bdist_wheel": (".whl",)}
_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_NAME = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE)
_SINGLE = (
    ":action",
    "protocol_version",
    "metadata_version",
    "name",
    "version",
    "filetype",
    "pyversion",
    "content",
    "attestations",
)


class RefusedError(Exception):
    """An upload that is not taken: the status, and what the index says."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status, self.message = status, message


@dataclass
class Form:
    """The fields of an upload, each as often as it was sent."""

    parts: list[Part]

    def texts(self, name: str) -> list[str]:
        return [part.content.decode() for part in self.parts if part.name == name]

    def text(self, name: str) -> str:
        return next(iter(self.texts(name)), "")

    @property
    def file(self) -> Part:
        for part in self.parts:
            if part.name == "content" and part.filename:
                return part
        raise RefusedError(400, "Upload payload does not have a file.")

    @property
    def project(self) -> str:
        return canonicalize_name(self.text("name"))


def digests(content: bytes) -> dict[str, str]:
    return {
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "blake2_256": hashlib.blake2b(content, digest_size=32).hexdigest(),
    }


def check_form(form: Form) -> None:
    """Check what can be said before anybody is asked whose project it is."""
    if form.text("protocol_version") != "1":
        raise RefusedError(400, "Unknown protocol version.")
    for name in _SINGLE:
        if sum(part.name == name for part in form.parts) > 1:
            raise RefusedError(400, f"{name}: Should not be given twice.")
    for part in form.parts:
        if part.filename and part.name not in ("content", "gpg_signature"):
            raise RefusedError(400, f"{part.name}: Should not be a tuple.")
    _check_fields(form)
    _check_metadata(form)


def _check_fields(form: Form) -> None:
    if not _NAME.fullmatch(form.text("name")):
        raise RefusedError(400, f"{form.text('name')!r} is an invalid value for Name.")
    kind, python = form.text("filetype"), form.text("pyversion")
    if kind not in _EXTENSIONS:
        raise RefusedError(400, "Invalid value for filetype. Error: Use a known file type.")
    if kind == "sdist" and python != "source":
        raise _bad_python("Use 'source' as Python version for an sdist.")
    if not python:
        raise _bad_python("Python version is required for binary distribution uploads.")
    given = {name: form.text(f"{name}_digest") for name in digests(b"")}
    if not any(given.values()):
        raise RefusedError(400, "Error: Include at least one message digest.")
    for name, size in (("sha256", 64), ("blake2_256", 64), ("md5", 32)):
        digest = given[name]
        if digest and (len(digest) != size or not _HEX.fullmatch(digest)):
            reason = f"Use a valid, hex-encoded, {name} message digest."
            raise RefusedError(400, f"Invalid value for {name}_digest. Error: {reason}")


def _bad_python(reason: str) -> RefusedError:
    return RefusedError(400, f"Invalid value for pyversion. Error: {reason}")


def _check_metadata(form: Form) -> None:
    given = form.text("metadata_version")
    if given not in _METADATA_VERSIONS:
        raise RefusedError(400, f"{given!r} is not a valid metadata version.")
    try:
        version = Version(form.text("version"))
    except InvalidVersion:
        raise RefusedError(400, f"{form.text('version')!r} is invalid for 'version'.") from None
    if version.local:
        raise RefusedError(400, f"The use of local versions in '{version}' is not allowed.")


def check_name(form: Form) -> None:
    """Check the file's name as far as its characters and its extension go."""
    filename = form.file.filename or ""
    if not filename.isprintable() or "/" in filename or "\\" in filename:
        raise RefusedError(400, "Cannot upload a file with '/' or '\\' in the name.")
    kind = form.text("filetype")
    if not filename.endswith(_EXTENSIONS[kind]):
        raise RefusedError(400, f"Invalid file extension: it is invalid for filetype {kind}.")
    if form.file.kind.partition("/")[0] in ("", "image"):
        raise RefusedError(400, "Invalid distribution file.")


def check_digests(form: Form) -> None:
    for name, digest in digests(form.file.content).items():
        given = form.text(f"{name}_digest")
        if given and given.lower() != digest:
            raise RefusedError(
                400,
                "The digest supplied does not match a digest calculated from the uploaded file.",
            )


def check_file(form: Form) -> None:
    """Check that the file is what its name and the form say."""
    if form.text("filetype") == "bdist_wheel":
        _check_wheel(form)
    else:
        _check_sdist(form)


def _check_sdist(form: Form) -> None:
    filename = form.file.filename or ""
    try:
        name, version = parse_sdist_filename(filename)
    except InvalidSdistFilename:
        raise RefusedError(400, f"Invalid source distribution filename: {filename}") from None
    _check_agreement(form, name, version)
    expected = f"{form.project.replace('-', '_')}-{Version(form.text('version'))}.tar.gz"
    if filename != expected:
        raise RefusedError(400, f"Filename {filename!r} is invalid, should be {expected!r}.")


def _check_wheel(form: Form) -> None:
    filename = form.file.filename or ""
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise RefusedError(400, str(error)) from None
    _check_agreement(form, name, version)
    for tag in tags:
        if tag.platform.startswith("linux_") and "arm" not in tag.platform:
            raise RefusedError(
                400,
                f"Binary wheel '{filename}' has an unsupported platform tag '{tag.platform}'.",
            )
    normal = form.project.replace("-", "_")
    first, python = filename.split("-")[0], filename.split("-")[-3]
    if first != normal:
        raise RefusedError(
            400,
            f"Filename {filename!r} should contain the normalized project name {normal!r}, "
            f"not {first!r}.",
        )
    if form.text("pyversion") != python:
        raise _bad_python(f"{filename!r} is of {python!r}.")
    _check_inside(form)


def _check_agreement(form: Form, name: str, version: Version) -> None:
    if name != form.project:
        start = form.project.replace("-", "_")
        raise RefusedError(400, f"Start filename for {form.text('name')!r} with {start!r}.")
    if version != Version(form.text("version")):
        raise RefusedError(
            400, f"Version in filename should be {form.text('version')!r} not {str(version)!r}."
        )


def _check_inside(form: Form) -> None:
    filename = form.file.filename or ""
    folder = "-".join(filename.split("-")[:2]) + ".dist-info"
    try:
        with zipfile.ZipFile(io.BytesIO(form.file.content)) as archive:
            broken = archive.testzip()
            texts = {name: archive.read(f"{folder}/{name}") for name in ("METADATA", "RECORD")}
    except KeyError as error:
        raise RefusedError(400, f"Wheel '{filename}' does not contain {error}") from None
    except zipfile.BadZipFile:
        broken = filename
    if broken:
        raise RefusedError(400, "Invalid distribution file. File is not a zipfile")
    metadata = email.message_from_bytes(texts["METADATA"])
    _check_same(form, metadata["Name"] or "", metadata["Version"] or "")


def _check_same(form: Form, name: str, version: str) -> None:
    if canonicalize_name(name) != form.project or version != form.text("version"):
        raise RefusedError(
            400, f"METADATA is of {name} {version}: the form says otherwise (a stand-in's check)."
        )
