"""How the URLs of sources are read, and which are refused before anything is asked."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from aarch64_wheels.errors import ExitCode, UsageError
from aarch64_wheels.source.urls import GitLocation, SdistLocation, read_location, shown

SHA = "0" * 40
HASH = "AB" * 32
NO_PART = PurePosixPath()

GIT = {
    "plain": ("git+https://h.example/o/x", "https://h.example/o/x", "", NO_PART, ""),
    "tag": ("git+https://h.example/o/x.git@v1.0", "https://h.example/o/x.git", "v1.0", NO_PART, ""),
    "branch": ("git+https://h.example/x@a/b", "https://h.example/x", "a/b", NO_PART, ""),
    "commit": (f"git+https://h.example/x@{SHA}", "https://h.example/x", SHA, NO_PART, ""),
    "part": (
        "git+https://h.example/x@v1#egg=leaf&subdirectory=a/b",
        *("https://h.example/x", "v1", PurePosixPath("a/b"), ""),
    ),
    "name": ("leaf @ git+https://h.example/x", "https://h.example/x", "", NO_PART, "leaf"),
    "extra": ("leaf[a,b]@git+https://h.example/x", "https://h.example/x", "", NO_PART, "leaf"),
    "ssh": ("git+ssh://git@h.example:22/o/x@v1", "ssh://git@h.example:22/o/x", "v1", NO_PART, ""),
    "file": ("git+file:///srv/x@v1", "file:///srv/x", "v1", NO_PART, ""),
    "case": ("GIT+HTTPS://h.example/x", "https://h.example/x", "", NO_PART, ""),
}


@pytest.mark.parametrize(("text", "url", "ref", "part", "name"), GIT.values(), ids=GIT.keys())
def test_a_repository(text: str, url: str, ref: str, part: PurePosixPath, name: str) -> None:
    found = read_location(text)
    assert found == GitLocation(url=url, shown=url, ref=ref, subdirectory=part, name=name)


def test_an_sdist_with_a_hash() -> None:
    url = "https://h.example/a/leaf-1.0.tar.gz"
    found = read_location(f"leaf @ {url}?t=1#sha256={HASH}&subdirectory=python")
    assert isinstance(found, SdistLocation)
    assert (found.url, found.shown) == (f"{url}?t=1", url)
    assert (found.filename, found.name) == ("leaf-1.0.tar.gz", "leaf")
    assert found.digests == {"sha256": HASH.lower()}
    assert found.subdirectory == PurePosixPath("python")


@pytest.mark.parametrize(
    "text",
    [
        "git+https://user:secret@h.example/o/x@v1",
        "leaf @ git+https://secret@h.example/o/x",
        "https://user:secret@h.example/leaf-1.tar.gz?token=secret",
    ],
)
def test_credentials_are_kept_and_not_shown(text: str) -> None:
    found = read_location(text)
    assert found is not None
    assert "secret@h.example" in found.url
    assert "secret" not in found.shown
    assert "secret" not in repr(found)


@pytest.mark.parametrize("text", ["kiwisolver==1.4.7", "./a", "", "/a@b/c", "demo-1.tar.gz"])
def test_what_is_no_url_is_left_to_others(text: str) -> None:
    assert read_location(text) is None


REFUSED = {
    "option-as-ref": ("git+https://h.example/x@--upload-pack=evil", "no branch"),
    "empty-ref": ("git+https://h.example/x@", "no branch"),
    "refspec": ("git+https://h.example/x@+a:b", "no branch"),
    "expression": ("git+https://h.example/x@HEAD~1", "no branch"),
    "dots": ("git+https://h.example/x@a..b", "no branch"),
    "runs-a-program": ("git+ext::sh://c/x", "cannot be read"),
    "ext": ("git+ext://h/x", "git over ext"),
    "unencrypted-git": ("git+git://h.example/x", "git over git"),
    "option-as-host": ("git+ssh://-oProxyCommand=evil/x", "no host"),
    "option-as-user": ("git+ssh://-oProxyCommand=evil@h.example/x", "no host"),
    "scp-port": ("git+ssh://git@h.example:o/x", "host or port"),
    "ssh-password": ("git+ssh://git:secret@h.example/x", "a password"),
    "no-path": ("git+https://h.example", "no path"),
    "query": ("git+https://h.example/x?secret=1", "a query"),
    "remote-file": ("git+file://h.example/x", "three slashes"),
    "leaves": ("git+https://h.example/x#subdirectory=../y", "leads out"),
    "absolute": ("git+https://h.example/x#subdirectory=/etc", "leads out"),
    "newline": ("git+https://u%0a:secret@h.example/x", "control characters"),
    "misspelt-hash": ("https://h.example/x-1.tar.gz#sha25=00", "holds more than"),
    "weak-hash": ("https://h.example/x-1.tar.gz#md5=00", "holds more than"),
    "two-hashes": ("https://h.example/x-1.tar.gz#sha256=0&sha256=1", "holds more than"),
    "no-sdist": ("https://user:secret@h.example/o/x", "git+https://"),
    "wheel": ("https://h.example/x-1-py3-none-any.whl", "does not end with"),
    "ftp": ("ftp://h.example/x-1.tar.gz", "scheme ftp"),
    "mercurial": ("hg+https://h.example/x", "clone it"),
    "marker": ("leaf @ https://h.example/x-1.tar.gz ; python_version > '3'", "marker"),
    "scp": ("git@h.example:o/x.git", "git+ssh://"),
    "two-words": ("see https://h.example/x", "cannot be read"),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_location(text)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://u:secret@h/o/n.git@v1", "https://h/o/n.git@v1"),
        ("https://u:secret@h/o/n@v1?secret#secret", "https://h/o/n@v1"),
        ("leaf[a]@git+https://secret@h:1/o/n.git@a/b", "leaf[a]@git+https://h:1/o/n.git@a/b"),
        ("https://h.example/o/n@v1", "https://h.example/o/n@v1"),
        ("access 'https://localhost:1/n@x':", "access 'https://localhost:1/n@x':"),
        ("https://u:secret@[::1]:1/n@x", "https://[::1]:1/n@x"),
        ("https://u:secret@h/x", "https://h/x"),
        # Each of these may be half of a password.
        ("https://u:1/secret@h/x", "https://h/x"),
        ("https://u:1/secret@h", "https://h"),
        ("https://secret/secret@h.example/x", "https://h.example/x"),
        ("https://1.2/secret@h", "https://h"),
        ("https://my.name:1/secret@h", "https://h"),
        ("https://u:secret@secret@h/x@v1", "https://v1"),
        ("https://u:s@secret/secret@h/x", "https://h/x"),
        ("https://u:secret@h/x?a@b", "https://..."),
        ("u:secret@h/n@x", "x"),
    ],
)
def test_what_is_shown_of_a_url(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_a_refusal_names_the_host() -> None:
    with pytest.raises(UsageError) as caught:
        read_location("https://u:secret@h/o/n.git@v1")
    assert "`https://h/o/n.git@v1` is not a source" in str(caught.value)
