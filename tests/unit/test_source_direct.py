"""Sdists by their own URL: hashes, encryption, size, and who is told the credentials."""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

import pytest
import requests

from aarch64_wheels.errors import AarchWheelsError, UnfitError, UsageError
from aarch64_wheels.hostindex import IndexSettings
from aarch64_wheels.source import Source, SourceKind, open_source
from aarch64_wheels.source.direct import fetch_direct
from aarch64_wheels.source.session import make_session
from aarch64_wheels.source.urls import SdistLocation, read_location
from tests.unit.fake_index import FakeIndex
from tests.unit.git_samples import served

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"an sdist"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
URL = "https://h.example/a/leaf-1.0.tar.gz"


def _fetch(
    text: str, tmp_path: Path, answer: tuple[int, bytes] | Exception = (200, CONTENT)
) -> tuple[Path, FakeIndex]:
    location = read_location(text)
    assert isinstance(location, SdistLocation)
    index = FakeIndex({URL: answer, URL.replace("https", "http"): answer})
    session = make_session(IndexSettings(), (location.url,))
    session.adapters.clear()
    session.mount("http", index)
    path = fetch_direct(location, tmp_path, IndexSettings(), session=session, limit=100)
    return path, index


def _refused(
    text: str, tmp_path: Path, answer: tuple[int, bytes] | Exception = (200, CONTENT)
) -> AarchWheelsError:
    with pytest.raises(AarchWheelsError) as caught:
        _fetch(text, tmp_path, answer)
    assert "secret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("mark", ["", f"#sha256={SHA256}", f"#sha256={SHA256.upper()}"])
def test_a_file_is_fetched(tmp_path: Path, mark: str) -> None:
    path, index = _fetch(URL + mark, tmp_path)
    assert (path.name, path.read_bytes()) == ("leaf-1.0.tar.gz", CONTENT)
    assert [request.url for request in index.seen] == [URL]


def test_credentials_go_into_the_header(tmp_path: Path) -> None:
    _, index = _fetch(URL.replace("//", "//me:secret@"), tmp_path)
    assert index.seen[0].url == URL
    assert index.seen[0].headers["Authorization"].startswith("Basic ")


def test_another_hash(tmp_path: Path) -> None:
    error = _refused(f"{URL}#sha256={'0' * 64}", tmp_path)
    assert isinstance(error, UsageError)
    assert SHA256 in error.found


def test_plain_http_needs_a_hash(tmp_path: Path) -> None:
    plain = URL.replace("https", "http")
    assert "without encryption" in str(_refused(plain, tmp_path))
    assert _fetch(f"{plain}#sha256={SHA256}", tmp_path)[0].is_file()


def test_more_than_an_sdist_may_have(tmp_path: Path) -> None:
    assert _refused(URL, tmp_path, (200, b"x" * 101)).found == "more than 100 bytes"


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ((404, b""), "HTTP status 404"),
        (requests.ConnectionError("https://me:secret@h.example/ is away"), "is away"),
        (requests.exceptions.SSLError("certificate"), "certificate"),
    ],
)
def test_what_cannot_be_fetched(
    tmp_path: Path, answer: tuple[int, bytes] | Exception, found: str
) -> None:
    error = _refused(URL.replace("//", "//me:secret@"), tmp_path, answer)
    assert isinstance(error, UnfitError)
    assert found in error.found
    assert error.what == f"cannot fetch {URL}"


def _sdist(path: Path, name: str = "leaf") -> str:
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    with tarfile.open(path, "w:gz") as tar:
        for member, content in {"PKG-INFO": text, "setup.py": b"", "in/setup.py": b""}.items():
            info = tarfile.TarInfo(f"leaf-1.0/{member}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _open(text: str, tmp_path: Path) -> Source:
    settings, cache = IndexSettings(), tmp_path / "cache"
    return open_source(text, tmp_path, index=settings, cache_dir=cache, no_cache=False, environ={})


def test_a_source_by_its_url(tmp_path: Path) -> None:
    digest = _sdist(tmp_path / "leaf-1.0.tar.gz")
    with served(tmp_path) as (host, _):
        url = f"http://{host}/leaf-1.0.tar.gz"
        source = _open(f"Leaf @ {url}?token=x#sha256={digest}", tmp_path)
        part = _open(f"{url}#subdirectory=in", tmp_path)
        with pytest.raises(UsageError, match="holds another project"):
            _open(f"tree @ {url}", tmp_path)
    assert (source.kind, source.origin, source.sha256) == (SourceKind.SDIST, url, digest)
    assert source.file is not None
    assert (source.file.name, source.metadata.version) == ("leaf-1.0.tar.gz", "1.0")
    assert part.directory == part.root / "in"
