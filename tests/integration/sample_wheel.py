"""Wheels as setuptools and auditwheel leave them, with one thing or another that is not right."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

INFO = "fast-1.0.dist-info"
TAG = "cp313-cp313-manylinux2014_aarch64.manylinux_2_17_aarch64"
EXTENSION = "fast/_fast.cpython-313-aarch64-linux-gnu.so"
METADATA = """\
Metadata-Version: 2.4
Name: fast
Version: 1.0
Summary: Answers
License-Expression: MIT
License-File: LICENSE
Description-Content-Type: text/x-rst

Answers
=======

It *answers*.
"""
_MIT = "Permission is hereby granted, free of charge, to any person obtaining a copy.\n"
#: Rows of RECORD, by file.
Rows = dict[str, str]


def _same(rows: Rows) -> Rows:
    return rows


@dataclass(frozen=True, kw_only=True)
class SampleWheel:
    """A wheel to be written.

    Attributes:
        files: its members, without WHEEL and RECORD; name: of the release, as the file is called.
        tag: as the file is called; label: the tag in the WHEEL file, that of the file where None,
            no WHEEL file where empty.
        rows: makes RECORD's rows from what they should be.
        method: of compression; entries: more members, with attributes or names of their own.
    """

    files: Mapping[str, bytes]
    name: str = "fast-1.0"
    tag: str = TAG
    label: str | None = None
    rows: Callable[[Rows], Rows] = _same
    method: int = zipfile.ZIP_DEFLATED
    entries: tuple[tuple[zipfile.ZipInfo, bytes], ...] = ()

    @classmethod
    def of(cls, extension: bytes, member: str = EXTENSION) -> Self:
        """Make one around an extension."""
        files = {
            "fast/__init__.py": b"from fast._fast import value\n",
            member: extension,
            f"{INFO}/licenses/LICENSE": _MIT.encode(),
            f"{INFO}/METADATA": METADATA.encode(),
            f"{INFO}/top_level.txt": b"fast\n",
        }
        return cls(files=files)

    def adding(self, files: Mapping[str, bytes]) -> Self:
        """Give the same with further files, or others of the same names."""
        return replace(self, files={**self.files, **files})

    def without(self, left_out: str) -> Self:
        """Give the same without a file."""
        files = {name: data for name, data in self.files.items() if name != left_out}
        return replace(self, files=files)

    def but(self, **fields: object) -> Self:
        """Give the same with other values of fields."""
        return replace(self, **fields)  # type: ignore[arg-type]

    def write(self, directory: Path) -> Path:
        """Write it to a directory, and give its path."""
        label = {} if self.label == "" else {f"{INFO}/WHEEL": self._label().encode()}
        files = {**self.files, **label}
        listed = {**files, **{entry.filename: data for entry, data in self.entries}}
        rows = {name: _row(name, data) for name, data in listed.items()}
        rows[f"{INFO}/RECORD"] = f"{INFO}/RECORD,,"
        files[f"{INFO}/RECORD"] = "".join(f"{row}\n" for row in self.rows(rows).values()).encode()
        path = directory / f"{self.name}-{self.tag}.whl"
        with zipfile.ZipFile(path, "w", self.method) as archive:
            for name, data in files.items():
                archive.writestr(_entry(name, self.method), data)
            for entry, data in self.entries:
                archive.writestr(entry, data)
        return path

    def _label(self) -> str:
        python, abi, platforms = (self.label or self.tag).split("-")
        tags = "".join(f"Tag: {python}-{abi}-{platform}\n" for platform in platforms.split("."))
        return f"Wheel-Version: 1.0\nGenerator: setuptools (80.9.0)\nRoot-Is-Purelib: false\n{tags}"


def _entry(name: str, method: int) -> zipfile.ZipInfo:
    """Begin a member with a fixed date, and the mode of a file."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type, entry.external_attr = method, 0o100644 << 16
    return entry


def _row(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}"
