"""Wheels that are not what they say, by their archive: RECORD, `.dist-info`, links, bombs."""

from __future__ import annotations

import base64
import hashlib
import stat
import zipfile
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.audit import AuditResult, Level, archive, record
from aarch64_wheels.audit.check import audit_wheel
from aarch64_wheels.errors import UsageError
from tests.unit.audit_samples import (
    EXTENSION,
    GOOD_NAME,
    INFO,
    METADATA,
    X86_64,
    elf,
    row,
    wheel_file,
    write_wheel,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("_judged")

CODE = {EXTENSION: elf()}
TOLD = row(f"{INFO}/METADATA", METADATA.encode())
LABEL = row(f"{INFO}/WHEEL", wheel_file().encode()) + TOLD
PLATFORM = "manylinux2014_aarch64"


def errors(result: AuditResult) -> list[tuple[str, str, str]]:
    return [
        (finding.check, finding.message, finding.evidence or finding.file)
        for finding in result.findings
        if finding.level is Level.ERROR
    ]


@pytest.mark.parametrize(
    ("files", "record", "message"),
    [
        pytest.param({"../evil.so": elf()}, None, "a path leads out of the wheel", id="up"),
        pytest.param({"/evil.so": elf()}, None, "a path leads out of the wheel", id="absolute"),
        pytest.param(
            CODE, [row("../../lib/libc.so.6", b"")], "a path leads out of the wheel", id="record"
        ),
        pytest.param(CODE, [row("gone.so", b"")], "RECORD lists a file that", id="missing"),
        pytest.param(CODE, [], "RECORD does not list", id="unlisted"),
        pytest.param(CODE, [f"{EXTENSION},,\n"], "RECORD has no sha256", id="no-hash"),
        pytest.param(CODE, [f"{EXTENSION},md5=abc,\n"], "RECORD has no sha256", id="weak-hash"),
        pytest.param(CODE, [row(EXTENSION, b"")], "RECORD has another hash", id="other-hash"),
        pytest.param(
            CODE, [row(EXTENSION, elf()).strip() + "0\n"], "RECORD has another size", id="size"
        ),
        pytest.param(
            {"fast.py": b"evil = 1"}, [row("fast.py", b"x = 1")], "RECORD has another", id="text"
        ),
        pytest.param({"evil.pth": b"import evil"}, [], "RECORD does not list", id="unlisted-text"),
        pytest.param(
            {f"{INFO}/sub/RECORD.jws": b"{}"}, [], "RECORD does not list", id="no-signature"
        ),
    ],
)
def test_a_wheel_that_shows_two_faces(
    tmp_path: Path, files: dict[str, bytes], record: list[str] | None, message: str
) -> None:
    rows = None if record is None else [*record, LABEL]
    result = audit_wheel(write_wheel(tmp_path, files=files, record=rows))
    checks = {check for check, said, _ in errors(result) if said.startswith(message)}
    assert checks == {"zip-path" if "path" in message else "record"}
    assert result.policy == ""
    assert not list(tmp_path.parent.glob("evil.so"))


@pytest.mark.parametrize(
    ("files", "more"),
    [
        pytest.param({}, [], id="plain"),
        pytest.param({f"{INFO}/RECORD.jws": b"{}", f"{INFO}/RECORD.p7s": b""}, [], id="signed"),
        pytest.param({}, [f"{INFO}/,,\n"], id="directory-listed"),
        pytest.param({}, [row(EXTENSION, elf())], id="listed-twice-alike"),
        pytest.param({}, ["\n"], id="empty-line"),
        pytest.param({"a,b \u00fc.txt": b""}, ['"' + row('a,b \u00fc.txt"', b"")], id="quoted"),
    ],
)
def test_what_record_may_do(tmp_path: Path, files: dict[str, bytes], more: list[str]) -> None:
    rows = [row(EXTENSION, elf()), LABEL, *more]
    assert audit_wheel(write_wheel(tmp_path, files={**CODE, **files}, record=rows)).findings == ()


def test_a_stronger_hash_without_size_is_good(tmp_path: Path) -> None:
    digest = base64.urlsafe_b64encode(hashlib.sha512(elf()).digest()).decode()
    rows = [f"{EXTENSION},sha512={digest},\n", LABEL]
    assert audit_wheel(write_wheel(tmp_path, record=rows)).findings == ()


def test_a_duplicate_member_is_an_error(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    with zipfile.ZipFile(path, "a") as wheel, pytest.warns(UserWarning, match="Duplicate"):
        wheel.writestr(EXTENSION, elf(machine=X86_64))
    messages = {message for _, message, _ in errors(audit_wheel(path))}
    assert "a file is in the archive more than once" in messages


def test_a_symbolic_link_is_an_error(tmp_path: Path) -> None:
    name = "fast.libs/libc.so.6"
    rows = [row(EXTENSION, elf()), row(name, b"/lib/libc.so.6"), LABEL]
    path = write_wheel(tmp_path, record=rows)
    link = zipfile.ZipInfo(name)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as wheel:
        wheel.writestr(link, "/lib/libc.so.6")
    message = "a symbolic link, which installers do not make"
    assert errors(audit_wheel(path)) == [("zip-link", message, name)]


@pytest.mark.parametrize(
    ("name", "info"),
    [
        ("fast-1.0", "fast-1.0"),
        ("fast-1.0", "Fast-1.0.0"),
        ("zope.interface-5.4.0", "zope.interface-5.4.0"),
        ("zope_interface-5.4.0", "zope.interface-5.4.0"),
        ("Zope_Interface-5.4.0", "zope-interface-5.4.0"),
        ("fast-1.0.post1", "fast-1.0_1"),
        ("fast-1.0.post1", "fast-1.0-1"),
        ("fast-1.0+cu12.1", "fast-1.0+cu12_1"),
        ("fast-1.0rc1", "fast-1.0.RC1"),
    ],
)
def test_spellings_of_one_release(tmp_path: Path, name: str, info: str) -> None:
    wheel = f"{name}-cp313-cp313-{PLATFORM}.whl"
    assert audit_wheel(write_wheel(tmp_path, wheel, info=f"{info}.dist-info")).findings == ()


@pytest.mark.parametrize(
    "info", ["fast-1.1", "faster-1.0", "fast", "-1.0", "fast-", "fast-x", "a-" * 200 + "fast-1.0"]
)
def test_dist_info_of_another_release_is_an_error(tmp_path: Path, info: str) -> None:
    result = audit_wheel(write_wheel(tmp_path, info=f"{info}.dist-info"))
    message = "the file's name is of another release"
    assert errors(result) == [("wheel-name", message, f"{info}.dist-info")]


def test_a_second_dist_info_is_refused(tmp_path: Path) -> None:
    files = {**CODE, "other-1.0.dist-info/METADATA": b""}
    with pytest.raises(UsageError) as caught:
        audit_wheel(write_wheel(tmp_path, files=files))
    assert "more than one .dist-info directory" in caught.value.found


@pytest.mark.parametrize(
    ("label", "evidence"),
    [
        pytest.param(
            "Wheel-Version: 1.0\nTag: cp313-cp313-linux_aarch64\n",
            "only in WHEEL: cp313-cp313-linux_aarch64; only in the name: "
            "cp313-cp313-manylinux2014_aarch64, cp313-cp313-manylinux_2_17_aarch64",
            id="other",
        ),
        pytest.param(
            "Wheel-Version: 1.9\nTag: cp313-cp313-manylinux2014_aarch64\n",
            "only in the name: cp313-cp313-manylinux_2_17_aarch64",
            id="fewer",
        ),
        pytest.param(
            wheel_file() + "Tag: py3-none-a.b.c.d.e.f\n",
            "only in WHEEL: py3-none-a, py3-none-b, py3-none-c, py3-none-d, and 2 more",
            id="more",
        ),
    ],
)
def test_the_wheel_file_must_have_the_names_tags(tmp_path: Path, label: str, evidence: str) -> None:
    message = "the WHEEL file declares other tags than the file's name"
    result = audit_wheel(write_wheel(tmp_path, label=label))
    assert errors(result) == [("wheel-file", message, evidence)]


@pytest.mark.parametrize(
    ("label", "count"), [("", 2), ("Wheel-Version: 1.0\n", 1)], ids=["empty", "none"]
)
def test_a_wheel_file_without_tags(tmp_path: Path, label: str, count: int) -> None:
    found = errors(audit_wheel(write_wheel(tmp_path, label=label)))
    assert [check for check, _, _ in found] == ["wheel-file"] * count


TAG = "Tag: cp313-cp313-manylinux2014_aarch64.manylinux_2_17_aarch64\n"


@pytest.mark.parametrize(
    ("label", "level", "evidence"),
    [
        pytest.param(TAG, Level.ERROR, "Wheel-Version: missing", id="no-version"),
        pytest.param(f"Wheel-Version: 9.0\n{TAG}", Level.ERROR, "Wheel-Version: 9.0", id="later"),
        pytest.param(
            f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n{TAG}",
            Level.WARNING,
            "Root-Is-Purelib: true",
            id="pure",
        ),
    ],
)
def test_what_installers_read_of_the_wheel_file(
    tmp_path: Path, label: str, level: Level, evidence: str
) -> None:
    result = audit_wheel(write_wheel(tmp_path, label=label))
    assert [(row.check, row.level, row.evidence) for row in result.findings] == [
        ("wheel-file", level, evidence)
    ]


@pytest.mark.parametrize("told", ["Name: slow\nVersion: 1.0\n", "Name: fast\nVersion: 9.9\n"])
def test_metadata_of_another_release_is_an_error(tmp_path: Path, told: str) -> None:
    result = audit_wheel(write_wheel(tmp_path, metadata=f"Metadata-Version: 2.1\n{told}"))
    message = "METADATA is of another release than the file's name"
    evidence = " ".join(line.partition(": ")[2] for line in told.splitlines())
    assert errors(result) == [("wheel-name", message, evidence)]


def test_a_directory_that_leads_out_is_an_error(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    with zipfile.ZipFile(path, "a") as wheel:
        wheel.writestr("../../evil/", "")
    message = "a path leads out of the wheel"
    assert errors(audit_wheel(path)) == [("zip-path", message, "../../evil/")]


def test_tags_may_be_compressed_and_in_any_order(tmp_path: Path) -> None:
    label = "Wheel-Version: 1.0\nTag: cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64\r\n"
    assert audit_wheel(write_wheel(tmp_path, label=label)).findings == ()


def test_without_a_wheel_file(tmp_path: Path) -> None:
    path = tmp_path / GOOD_NAME
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(EXTENSION, elf())
        wheel.writestr(f"{INFO}/METADATA", METADATA)
        wheel.writestr(f"{INFO}/RECORD", row(EXTENSION, elf()) + TOLD)
    message = "there is no WHEEL file"
    assert errors(audit_wheel(path)) == [("wheel-file", message, f"{INFO}/WHEEL")]


LONG = "a." * 21


@pytest.mark.parametrize(
    ("rows", "label", "said"),
    [
        pytest.param(["a" * 200_000], None, "RECORD is not CSV: field larger", id="huge-field"),
        pytest.param([row("a", b""), row("a", b"b")], None, "lists a twice", id="contradiction"),
        pytest.param(
            [f"gone{number},,\n" for number in range(20)], None, "RECORD lists over", id="endless"
        ),
        pytest.param(None, "Tag: nonsense\n", "a tag that is none: nonsense", id="tag"),
        pytest.param(None, f"Tag: {LONG}-{LONG}-{LONG}\n", "a tag that is none", id="tag-bomb"),
        pytest.param(None, "x" * 70_000, "WHEEL has 70000 bytes", id="huge-wheel-file"),
    ],
)
def test_hostile_lists_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[str] | None,
    label: str | None,
    said: str,
) -> None:
    monkeypatch.setattr(record, "MAX_MISSING", 10)
    with pytest.raises(UsageError, match="is not a wheel, or it is damaged") as caught:
        audit_wheel(write_wheel(tmp_path, record=rows, label=label))
    assert said in caught.value.found


def test_record_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MAX_RECORD", 100)
    with pytest.raises(UsageError) as caught:
        audit_wheel(write_wheel(tmp_path))
    assert "(at most 100 are read)" in caught.value.found


def test_record_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / GOOD_NAME
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{INFO}/RECORD", b"\xff\xfe,,\n")
    with pytest.raises(UsageError) as caught:
        audit_wheel(path)
    assert "utf-8" in caught.value.found


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [
        ("MAX_CONTENT", 1000, "(at most 1000 are read)"),
        ("SMALL_CONTENT", 1000, "over 100 times its own size"),
    ],
)
def test_a_bomb_is_refused_by_its_declared_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, said: str
) -> None:
    path = write_wheel(tmp_path, files={**CODE, "zeros": bytes(2_000_000)})
    assert audit_wheel(path).ok
    monkeypatch.setattr(archive, limit, value)
    with pytest.raises(UsageError) as caught:
        audit_wheel(path)
    assert said in caught.value.found


def test_an_unusual_compression_is_refused(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_BZIP2) as wheel:
        wheel.writestr("fast.py", "x = 1")
    with pytest.raises(UsageError) as caught:
        audit_wheel(path)
    assert caught.value.found == "fast.py is neither stored nor deflated"
