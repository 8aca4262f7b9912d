"""What keeps a file from being published, said before anything is sent."""

from __future__ import annotations

import io
import logging
import tarfile
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version
from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish import checks
from aarch64_wheels.publish.checks import Finding
from aarch64_wheels.publish.distributions import Distribution
from tests.standins.samples import make_wheel
from tests.unit.publish_samples import (
    SDIST,
    WHEEL,
    make_aarch64,
    make_sdist,
    metadata,
    named,
    with_metadata,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

RST = "Description-Content-Type: text/x-rst"


def _messages(findings: Iterable[Finding]) -> list[str]:
    return [finding.message for finding in findings]


def _metadata(path: Path) -> list[str]:
    return [str(finding) for finding in checks.check_metadata(Distribution.read(path))]


def test_good_files_have_no_findings(tmp_path: Path) -> None:
    for path in (make_wheel(tmp_path), make_sdist(tmp_path)):
        assert _metadata(path) == []
    package = checks.package_of(Distribution.read(tmp_path / WHEEL))
    assert package.sha2_digest == Distribution.read(tmp_path / WHEEL).sha256


METADATA = {
    "other-name": (metadata("other"), "its metadata is of other 1.0, its name is of demo 1.0"),
    "other-version": (metadata(version="2.0"), "its metadata is of demo 2.0"),
    "post-release": (metadata(version="1.0.post1"), "its metadata is of demo 1.0.post1"),
    "no-version": ("Metadata-Version: 2.1\nName: demo\n\n", "'version' is a required field"),
    "no-metadata-version": ("Name: demo\nVersion: 1.0\n\n", "METADATA missing"),
    "unknown-field": (metadata("demo", "1.0", "Colour: red"), "'colour'"),
    "bad-classifier": (metadata("demo", "one"), "'one' is invalid for 'version'"),
    "bad-markup": (metadata("demo", "1.0", RST, text="A\n==\n\n.. oops::\n"), "syntax errors"),
    # An option of the type becomes an argument of the renderer, and may clash with its own.
    "hostile-type": (metadata("demo", "1.0", f"{RST}; stream=x", text="A"), "stream"),
    "escapes": (metadata("de\x1b[2Jmo"), "is invalid for 'name'"),
}


@pytest.mark.parametrize(("content", "said"), METADATA.values(), ids=METADATA.keys())
def test_metadata_that_an_index_would_not_take(tmp_path: Path, content: str, said: str) -> None:
    (found,) = _metadata(with_metadata(tmp_path, content))
    assert found.startswith(f"{WHEEL}: ")
    assert said in found
    assert found.isprintable()
    assert len(found) <= 600


@pytest.mark.parametrize("content", [metadata("DEMO"), metadata(version="1.0.0")])
def test_other_spellings_are_the_same_release(tmp_path: Path, content: str) -> None:
    assert _metadata(with_metadata(tmp_path, content)) == []


@pytest.mark.parametrize("info", [metadata("other"), metadata(version="2.0"), "nonsense"])
def test_an_sdist_that_says_otherwise(tmp_path: Path, info: str) -> None:
    assert len(_metadata(make_sdist(tmp_path, info=info))) == 1


def test_metadata_of_unreasonable_size_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_metadata(tmp_path, metadata(text="x" * (1 << 24)))
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it is read"))
    (found,) = _metadata(path)
    assert "METADATA would have 16777" in found


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _encrypted(path: Path) -> None:
    _set_in_headers(path, 6, b"\1")


def _unknown_method(path: Path) -> None:
    _set_in_headers(path, 8, b"\x63")


def _set_in_headers(path: Path, at: int, value: bytes) -> None:
    """Set a byte in both headers of each member; what has none is made unreadable otherwise."""
    content = path.read_bytes()
    for signature, place in ((b"PK\3\4", at - 4), (b"PK\1\2", at - 2)):
        first, *rest = content.split(signature)
        changed = [part[:place] + value + part[place + 1 :] for part in rest]
        content = signature.join([first, *changed])
    path.write_bytes(content if content.startswith(b"PK") else content[:3] + b"\xff" * 40)


def _as_tar(path: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("demo-1.0/PKG-INFO"), io.BytesIO())


@pytest.mark.parametrize("spoil", [_cut, _empty, _encrypted, _unknown_method, _as_tar])
@pytest.mark.parametrize("make", [make_wheel, make_sdist], ids=["wheel", "sdist"])
def test_a_broken_file_is_a_finding(
    tmp_path: Path, make: Callable[[Path], Path], spoil: Callable[[Path], None]
) -> None:
    """Whatever the libraries raise over it: BadZipFile, EOFError, ReadError, RuntimeError, …"""
    path = make(tmp_path)
    spoil(path)
    (found,) = _metadata(path)
    assert len(found) > len(path.name) + len(": ")


def test_twine_prints_nothing_and_is_left_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers = list(logging.getLogger("twine.commands.check").handlers)
    _metadata(with_metadata(tmp_path, metadata("demo", "1.0", RST, text="A\n==\n\n.. oops::\n")))
    assert capsys.readouterr() == ("", "")
    assert logging.getLogger("twine.commands.check").handlers == handlers


@pytest.mark.usefixtures("_judged")
def test_the_audit_looks_at_wheels_for_aarch64_alone(tmp_path: Path) -> None:
    for path in (make_aarch64(tmp_path), make_wheel(tmp_path), make_sdist(tmp_path)):
        assert list(checks.check_audit(Distribution.read(path))) == []


@pytest.mark.usefixtures("_judged")
def test_the_audits_errors_are_findings_with_their_evidence(tmp_path: Path) -> None:
    path = make_aarch64(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.py", "")
    (message,) = _messages(checks.check_audit(Distribution.read(path)))
    assert message.startswith("audit: RECORD does not list a file")
    assert "(more.py)" in message
    path.write_bytes(b"no zip")
    (message,) = _messages(checks.check_audit(Distribution.read(path)))
    assert message.startswith(f"audit: {path.name} is not a wheel")
    assert "File is not a zip file" in message


PUBLIC = {
    "good": ("demo-1.0-cp313-cp313-manylinux2014_aarch64.whl", "1.0", ""),
    "musl": ("demo-1.0-cp313-cp313-musllinux_1_2_aarch64.whl", "1.0", ""),
    "pure": (WHEEL, "1.0", ""),
    "epoch": ("demo-1!1.0.tar.gz", "1!1.0", ""),
    "local": ("demo-1.0+gpu.tar.gz", "1.0+gpu", "1.0+gpu is a local version"),
    "linux": ("demo-1.0-cp313-cp313-linux_aarch64.whl", "1.0", "refuse the platform linux_aarch64"),
    "old-arm": ("demo-1.0-cp313-cp313-linux_armv7l.whl", "1.0", ""),
    "both": ("demo-1.0-py3-none-any.linux_x86_64.whl", "1.0", "refuse the platform linux_x86_64"),
}


@pytest.mark.parametrize(("filename", "version", "said"), PUBLIC.values(), ids=PUBLIC.keys())
def test_what_public_indexes_never_take(filename: str, version: str, said: str) -> None:
    files = [named(SDIST), named(filename, version=version)]
    for url in (DEFAULT_REPOSITORY, TEST_REPOSITORY):
        found = list(checks.check_public(files, url))
        assert [one.filename for one in found] == ([filename] if said else [])
        assert said in "".join(_messages(found))
    assert not list(checks.check_public(files, "https://index.invalid/legacy/"))


TAGS = {
    "none": ("", "1.2.3", ""),
    "plain": ("1.2.3", "1.2.3", ""),
    "v": ("v1.2.3", "1.2.3", ""),
    "capital": ("V1.2.3", "1.2.3", ""),
    "release": ("release-1.2", "1.2", ""),
    "release-folder": ("release/v1.2", "1.2", ""),
    "shorter": ("v1.2", "1.2.0", ""),
    "candidate": ("1.2.0rc1", "1.2.0rc1", ""),
    "candidate-spelt-apart": ("v1.2.0-rc.1", "1.2.0rc1", ""),
    "alpha": ("1.2-alpha-3", "1.2a3", ""),
    "project": ("demo-v1.2", "1.2", ""),
    "project-at": ("demo@1.2", "1.2", ""),
    "other-words": ("python-demo_lib-v1.2", "1.2", ""),
    "whole-reference": ("refs/tags/v1.2", "1.2", ""),
    "epoch": ("v1!2.0", "1!2.0", ""),
    "local": ("v1.2+gpu", "1.2+gpu", ""),
    "post-release": ("v1.2-1", "1.2.post1", ""),
    "dev": ("1.2.dev5", "1.2.dev5", ""),
    "not-its-end": ("v1.2-1", "1", "the tag v1.2-1 says version 1.2.post1, the files say 1"),
    "not-a-candidate": ("v1.2rc1", "1.2", "says version 1.2rc1, the files say 1.2"),
    "not-the-final": ("v1.2", "1.2rc1", "says version 1.2, the files say 1.2rc1"),
    "not-the-epoch": ("v2.0", "1!2.0", "says version 2.0, the files say 1!2.0"),
    "not-the-local": ("v1.2", "1.2+gpu", "says version 1.2, the files say 1.2+gpu"),
    "not-the-build": ("1.2.3+build.5", "1.2.3", "says version 1.2.3+build.5"),
    "name": ("nightly", "1.2", "the tag nightly names no version"),
    "date": ("2026-01-02T03", "1.2", "names no version"),
    "word-behind": ("v1.2-final", "1.2", "names no version"),
    "glued": ("release1.2", "1.2", "names no version"),
}


@pytest.mark.parametrize(("tag", "version", "said"), TAGS.values(), ids=TAGS.keys())
def test_a_tag_names_the_files_version(tag: str, version: str, said: str) -> None:
    messages = _messages(checks.check_tag([named(version=version)], tag))
    assert len(messages) == bool(said)
    assert said in "".join(messages)


@pytest.mark.parametrize("tag", ["demo-2-1", "Demo_2-1", "demo-2-v1", "demo.2@1"])
def test_the_projects_name_is_no_part_of_the_version(tag: str) -> None:
    """Its end could begin one: 2-1 is 2.post1."""
    one = replace(named(version="1"), project="demo-2")
    assert _messages(checks.check_tag([one], tag)) == []


# No deadline: a loaded machine is no fault.
quick = settings(deadline=None, database=None)
NUMBERS = st.lists(st.integers(0, 99), min_size=1, max_size=4).map(
    lambda numbers: ".".join(map(str, numbers))
)
VERSIONS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "1!"]),
    NUMBERS,
    st.sampled_from(["", "a1", "b2", "rc3"]),
    st.sampled_from(["", ".post1", ".dev2", ".post3.dev4"]),
    st.sampled_from(["", "+abc.1"]),
)
PREFIXES = st.sampled_from(
    ["", "v", "V", "release-", "release/v", "demo-", "demo_v", "demo@", "a/b-"]
)


@quick
@given(version=VERSIONS, other=VERSIONS, prefix=PREFIXES)
def test_a_tag_fits_its_own_version_alone(version: str, other: str, prefix: str) -> None:
    found = list(checks.check_tag([named(version=version)], prefix + version))
    assert found == []
    found = list(checks.check_tag([named(version=version)], prefix + other))
    assert bool(found) == (Version(version) != Version(other))


@quick
@given(tag=st.text(st.characters(blacklist_categories=["Cs"]), max_size=30))
def test_any_tag_is_judged(tag: str) -> None:
    found = list(checks.check_tag([named(version="1.0")], tag))
    assert len(found) <= 1
    assert all(str(one).isprintable() for one in found)


def test_nothing_found_is_fit() -> None:
    checks.require_fit([])


def test_all_that_was_found_is_told_once_and_inert() -> None:
    same = Finding(filename="", message="x")
    findings = [same, Finding(filename=WHEEL, message="a\n::error::b"), same]
    with pytest.raises(PublishError, match="nothing is published") as caught:
        checks.require_fit(findings)
    assert caught.value.found == f"x\n{WHEEL}: a ::error::b"
    assert caught.value.exit_code == 4
