"""The corpus: archives, and what `.dist-info` says of them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from tests.integration.audit_corpus import Case, Objects, adding, but, good
from tests.integration.sample_wheel import EXTENSION, INFO, METADATA, TAG, SampleWheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.sample_wheel import Rows

_LINK, _FILE = 0o120777, 0o100644
_MAIN, _OTHER = "fast/__init__.py", "fast/__1nit__.py"


def _entry(name: str, data: bytes = b"x = 1\n", mode: int = _FILE) -> Callable[..., SampleWheel]:
    """Make the good wheel with one more member, which RECORD lists."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    # zipfile itself mends what is not a path; the name is written as it is.
    entry.filename = entry.orig_filename = name
    return but(entries=((entry, data),))


def _twice(objects: Objects) -> SampleWheel:
    """Make the good wheel with a file that `_renamed` makes the same as another."""
    wheel = good(objects)
    entry = zipfile.ZipInfo(_OTHER)
    return wheel.but(
        entries=((entry, wheel.files[_MAIN]),),
        rows=lambda rows: {name: row for name, row in rows.items() if name != _OTHER},
    )


def _renamed(data: bytes) -> bytes:
    return data.replace(_OTHER.encode(), _MAIN.encode())


def _cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def _behind(data: bytes) -> bytes:
    """Put something behind the archive, where a reader from the end does not look."""
    return data + b"x = 1\n"


def _locked(data: bytes) -> bytes:
    """Set the bit of encryption for every member, where it is first and where it is listed."""
    for start, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        parts = data.split(start)
        flags = at - len(start)
        changed = [p[:flags] + bytes([p[flags] | 1]) + p[flags + 1 :] for p in parts[1:]]
        data = start.join([parts[0], *changed])
    return data


def _other_hash(rows: Rows) -> Rows:
    return {**rows, EXTENSION: rows[EXTENSION].replace("sha256=", "sha256=AAAA")}


def _other_size(rows: Rows) -> Rows:
    return {**rows, EXTENSION: rows[EXTENSION] + "0"}


def _no_row(rows: Rows) -> Rows:
    return {name: row for name, row in rows.items() if name != EXTENSION}


def _more_rows(rows: Rows) -> Rows:
    return {**rows, "gone": f"fast/gone.py,{rows[_MAIN].split(',', 1)[1]}"}


def _no_hash(rows: Rows) -> Rows:
    return {**rows, EXTENSION: f"{EXTENSION},,"}


def _metadata(old: str, new: str) -> Callable[[Objects], SampleWheel]:
    assert old in METADATA
    return adding({f"{INFO}/METADATA": METADATA.replace(old, new).encode()})


_DAMAGED = (
    Case(check="zip-damaged", what="cut off", make=good, spoil=_cut),
    Case(check="zip-damaged", what="encrypted", make=good, spoil=_locked, says=("encrypted",)),
    Case(check="zip-damaged", what="no archive at all", make=good, spoil=lambda _: b"<html>"),
    Case(check="zip-damaged", what="another method", make=but(method=zipfile.ZIP_BZIP2)),
    Case(check="zip-bomb", what="zeros", make=adding({"fast/z": bytes(96 << 20)}), says=("times",)),
)
_PATHS = (
    Case(check="zip-path", what="above", make=_entry("../evil.py"), file="../evil.py"),
    Case(check="zip-path", what="absolute", make=_entry("/etc/evil"), file="/etc/evil"),
    Case(check="zip-path", what="within", make=_entry("fast/../../evil"), file="fast/../../evil"),
    Case(check="zip-path", what="backslash", make=_entry("..\\evil.py"), file="..\\evil.py"),
    Case(check="zip-duplicate", what="one twice", make=_twice, spoil=_renamed, file=_MAIN),
    Case(check="zip-hidden", what="behind the archive", make=good, spoil=_behind),
    Case(
        check="zip-link",
        what="for a SONAME",
        make=_entry("fast/libfast.so", b"libfast.so.1", _LINK),
        file="fast/libfast.so",
    ),
)
_RECORDS = (
    Case(check="record", what="another hash", make=but(rows=_other_hash), file=EXTENSION),
    Case(check="record", what="another size", make=but(rows=_other_size), file=EXTENSION),
    Case(check="record", what="no hash", make=but(rows=_no_hash), file=EXTENSION),
    Case(check="record", what="a file without row", make=but(rows=_no_row), file=EXTENSION),
    Case(check="record", what="a row without file", make=but(rows=_more_rows), file="fast/gone.py"),
)
_LABELS = (
    Case(check="wheel-name", what="another project", make=but(name="slow-1.0"), says=(INFO,)),
    Case(check="wheel-name", what="another version", make=but(name="fast-1.1"), says=(INFO,)),
    Case(
        check="wheel-file",
        what="the tag before the repair",
        make=but(label="cp313-cp313-linux_aarch64"),
        file=f"{INFO}/WHEEL",
        says=("linux_aarch64",),
    ),
    Case(check="wheel-file", what="none", make=but(label=""), file=f"{INFO}/WHEEL"),
    Case(
        check="tag",
        what="the host's platform",
        make=but(tag="cp313-cp313-linux_x86_64"),
        says=("linux_x86_64",),
    ),
    Case(
        check="metadata",
        what="no version",
        make=_metadata("Version: 1.0\nSummary", "Summary"),
        file=f"{INFO}/METADATA",
        says=("version",),
    ),
    Case(
        check="metadata",
        what="broken reStructuredText",
        make=_metadata("It *answers*.", ".. figure:: a.png\n    :width: x y z\n"),
        file=f"{INFO}/METADATA",
    ),
    Case(
        check="metadata",
        what="none",
        make=lambda objects: good(objects).without(f"{INFO}/METADATA"),
        file=f"{INFO}/METADATA",
    ),
    Case(
        check="content",
        what="the extension was not built",
        make=lambda objects: good(objects).without(EXTENSION),
        says=("0 of them ELF",),
    ),
)
ARCHIVES = (*_DAMAGED, *_PATHS, *_RECORDS, *_LABELS)
#: Wheels in which nothing must be found.
GOOD_ARCHIVES = {
    "stored": but(method=zipfile.ZIP_STORED),
    "one tag": but(tag=TAG.rpartition(".")[0]),
    "markdown": _metadata("text/x-rst", "text/markdown"),
}
