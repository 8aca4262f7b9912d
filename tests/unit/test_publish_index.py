"""What an index lists, however it lists it, and where."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT
from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.index import Index, changed, find_index, listing_candidates
from aarch64_wheels.publish.reader import Reader
from tests.standins.index import IndexServer
from tests.standins.serving import StandIn
from tests.standins.traffic import Answer, Record, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WHEEL, OTHER = "demo-1.0-py3-none-any.whl", "demo-1.0-cp313-cp313-any.whl"
CONTENT = b"content"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
LOGIN = ("me", "geheim-123")


class Pages(StandIn):
    """A server of fixed answers by path, and 404."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, Answer] = {}

    def answer(self, record: Record) -> Answer:
        return self.pages.get(record.path, refusal(404))

    def links(self, path: str, *links: str) -> None:
        """Have a page with links, each `href=text`."""
        rows = [link.rpartition(" ") for link in links]
        body = "".join(f'<a href="{href}">{text}</a>\n' for href, _, text in rows)
        self.pages[path] = Answer(body=body.encode(), kind="text/html; charset=utf-8")

    def asked(self) -> list[str]:
        return [record.path for record in self.records]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def pages() -> Iterator[Pages]:
    with Pages() as server:
        yield server


@pytest.fixture
def others() -> Iterator[Pages]:
    with Pages() as server:
        yield server


def _index(server: Pages, reader: Reader | None = None) -> Index:
    return Index(url=f"{server.url}/simple/", reader=reader or Reader(waits=()))


@pytest.mark.parametrize(
    ("url", "candidates"),
    [
        (DEFAULT_REPOSITORY, [PYPI_SIMPLE_ENDPOINT]),
        (DEFAULT_REPOSITORY.removesuffix("/"), [PYPI_SIMPLE_ENDPOINT]),
        (TEST_REPOSITORY, [TEST_REPOSITORY.replace("/legacy/", "/simple/")]),
        (
            "http://[::1]:80/u/dev",
            ["http://[::1]:80/u/dev/simple/", "http://[::1]:80/u/dev/+simple/"],
        ),
        ("https://h/simple", ["https://h/simple/"]),
        ("https://h/u/dev/+simple/", ["https://h/u/dev/+simple/"]),
        (
            "https://h/x/legacy/",
            ["https://h/x/simple/", "https://h/x/legacy/simple/", "https://h/x/legacy/+simple/"],
        ),
        (
            "https://h/pypi/upload",
            [
                "https://h/pypi/simple/",
                "https://h/pypi/upload/simple/",
                "https://h/pypi/upload/+simple/",
            ],
        ),
    ],
)
def test_where_an_index_may_list_its_files(url: str, candidates: list[str]) -> None:
    assert list(listing_candidates(url)) == candidates


def test_files_are_given_with_their_hashes() -> None:
    with IndexServer() as server:
        server.add_file("Foo.Bar", "1.0", WHEEL, CONTENT)
        server.add_file("Foo.Bar", "1.0", OTHER, b"other")
        index = Index(url=server.simple_url)
        assert index.hashes("Foo.Bar", [WHEEL, "another.whl"]) == {WHEEL: SHA256}
        assert index.hashes("unknown", [WHEEL]) == {}
        assert [record.path for record in server.records] == [
            "/simple/foo-bar/",
            "/simple/unknown/",
        ]
        assert server.records[0].headers["user-agent"].startswith("aarch64-wheels/")
        assert server.records[0].headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("fragment", [f"#sha256={SHA256}", f"#sha256={SHA256.upper()}"])
def test_a_hash_that_is_told_is_believed(pages: Pages, fragment: str) -> None:
    pages.links("/simple/demo/", f"../../files/{WHEEL}{fragment} {WHEEL}")
    assert _index(pages).hashes("demo", [WHEEL]) == {WHEEL: SHA256}
    assert pages.asked() == ["/simple/demo/"]


@pytest.mark.parametrize("fragment", ["", f"#md5={MD5}", "#blake2_256=00", "#sha256="])
def test_without_a_sha256_the_wanted_files_are_fetched(pages: Pages, fragment: str) -> None:
    """And no others: a project may have hundreds."""
    rows = [f"/files/{name}{fragment} {name}" for name in (WHEEL, OTHER)]
    pages.links("/simple/demo/", *rows)
    pages.pages[f"/files/{WHEEL}"] = Answer(body=CONTENT)
    assert _index(pages).hashes("demo", [WHEEL]) == {WHEEL: SHA256}
    assert pages.asked() == ["/simple/demo/", f"/files/{WHEEL}"]


def test_a_file_is_hashed_as_it_is(pages: Pages) -> None:
    """Some servers send an sdist as an encoded tar archive, which clients then decode."""
    packed, name = gzip.compress(CONTENT), "demo-1.0.tar.gz"
    pages.links("/simple/demo/", f"/files/{name} {name}")
    pages.pages[f"/files/{name}"] = Answer(body=packed, headers={"Content-Encoding": "gzip"})
    assert _index(pages).hashes("demo", [name]) == {name: hashlib.sha256(packed).hexdigest()}


@pytest.mark.parametrize("sent_on", [False, True])
def test_another_server_with_the_files_does_not_see_the_password(
    pages: Pages, others: Pages, *, sent_on: bool
) -> None:
    elsewhere = f"{others.url}/{WHEEL}"
    pages.pages[f"/files/{WHEEL}"] = refusal(302, headers={"Location": elsewhere})
    pages.links("/simple/demo/", f"{f'/files/{WHEEL}' if sent_on else elsewhere} {WHEEL}")
    others.pages[f"/{WHEEL}"] = Answer(body=CONTENT)
    index = _index(pages, Reader(auth=LOGIN))
    assert index.hashes("demo", [WHEEL]) == {WHEEL: SHA256}
    assert {record.credentials() for record in pages.records} == {LOGIN}
    assert [record.path for record in others.records] == [f"/{WHEEL}"]
    assert "authorization" not in others.records[0].headers


def test_a_listed_file_that_is_not_there_is_an_error(pages: Pages) -> None:
    pages.links("/simple/demo/", f"/files/{WHEEL} {WHEEL}")
    with pytest.raises(PublishError) as caught:
        _index(pages).hashes("demo", [WHEEL])
    assert caught.value.found == "404 Not Found"


def test_an_index_that_sends_its_readers_elsewhere_has_no_such_project(
    pages: Pages, others: Pages
) -> None:
    others.links("/simple/demo/", f"/{WHEEL}#sha256={SHA256} {WHEEL}")
    target = f"{others.url}/simple/demo/"
    pages.pages["/simple/demo/"] = Answer(302, b"moved", headers={"Location": target})
    index = _index(pages)
    assert index.hashes("demo", [WHEEL]) == {}
    assert not index.knows("demo")
    assert others.records == []


def test_within_a_server_a_redirect_is_followed(pages: Pages) -> None:
    pages.pages["/simple/demo/"] = refusal(301, headers={"Location": "/pypi/demo/"})
    pages.links("/pypi/demo/", f"../files/{WHEEL}#sha256={SHA256} {WHEEL}")
    index = _index(pages, Reader(auth=LOGIN))
    assert index.hashes("demo", [WHEEL]) == {WHEEL: SHA256}
    assert {record.credentials() for record in pages.records} == {LOGIN}


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (Answer(body=b"welcome"), "UnsupportedContentTypeError"),
        (Answer(body=b"{", kind="application/vnd.pypi.simple.v1+json"), "JSONDecodeError"),
        (Answer(body=b"[]", kind="application/vnd.pypi.simple.v1+json"), "ValidationError"),
        (
            Answer(body=b'<meta name="pypi:repository-version" content="2.0">', kind="text/html"),
            "UnsupportedRepoVersionError",
        ),
        (refusal(418, "no"), "418 no"),
    ],
    ids=["text", "no JSON", "other JSON", "version", "status"],
)
def test_what_is_no_listing_is_an_error_at_once(pages: Pages, page: Answer, found: str) -> None:
    pages.pages["/simple/demo/"] = page
    with pytest.raises(PublishError, match=r"cannot read what .*/simple/ lists") as caught:
        _index(pages, Reader()).hashes("demo", [WHEEL])
    assert caught.value.found == found
    assert "--index-url" in caught.value.hint
    assert len(pages.records) == 1


def test_a_newer_listing_is_read_without_a_warning(pages: Pages) -> None:
    """A warning is an error in these tests, and a line that nobody understands elsewhere."""
    meta = '<meta name="pypi:repository-version" content="1.999">'
    pages.links("/simple/demo/", f"/{WHEEL}#sha256={SHA256} {WHEEL}")
    body = meta.encode() + pages.pages["/simple/demo/"].body
    pages.pages["/simple/demo/"] = Answer(body=body, kind="text/html")
    assert _index(pages).hashes("demo", [WHEEL]) == {WHEEL: SHA256}


@pytest.fixture
def found(pages: Pages) -> Callable[[str], str]:
    def find(project: str = "demo") -> str:
        return find_index(f"{pages.url}/u/dev", project, Reader(waits=())).url.removeprefix(
            pages.url
        )

    return find


def test_the_listing_that_knows_the_project_is_found(
    pages: Pages, found: Callable[[], str]
) -> None:
    pages.links("/u/dev/simple/demo/", "/ home", "/help us")  # no file, so no listing
    pages.links("/u/dev/simple/")
    pages.links("/u/dev/+simple/demo/", f"/{WHEEL}#sha256={SHA256} {WHEEL}")
    assert found() == "/u/dev/+simple/"


@pytest.mark.parametrize("place", ["/u/dev/simple/", "/u/dev/+simple/"])
def test_for_a_new_project_it_is_the_listing_that_answers(
    pages: Pages, found: Callable[[], str], place: str
) -> None:
    pages.links(place)
    assert found() == place


def test_a_refusal_at_one_place_does_not_hide_another(
    pages: Pages, found: Callable[[], str]
) -> None:
    pages.pages["/u/dev/simple/demo/"] = refusal(415, "unsupported media type")
    pages.links("/u/dev/+simple/")
    assert found() == "/u/dev/+simple/"


def test_no_listing_anywhere_is_an_error(pages: Pages, found: Callable[[], str]) -> None:
    with pytest.raises(PublishError, match="cannot find where") as caught:
        found()
    assert f"{pages.url}/u/dev/simple/ nor {pages.url}/u/dev/+simple/" in caught.value.found
    assert "--index-url" in caught.value.hint
    pages.pages["/u/dev/simple/demo/"] = refusal(403, "Forbidden")
    with pytest.raises(PublishError, match="cannot read") as caught:
        found()
    assert caught.value.found == "403 Forbidden"


def test_public_indexes_are_known_and_get_no_token() -> None:
    index = find_index(DEFAULT_REPOSITORY, "demo", Reader(auth=LOGIN))
    assert (index.url, index.reader.auth) == (PYPI_SIMPLE_ENDPOINT, None)


def test_a_hasty_index_tries_once_and_stays_itself() -> None:
    index = Index(url="https://index.example/simple/", reader=Reader(auth=LOGIN))
    hasty = index.hasty()
    assert (hasty.reader.waits, hasty.url, hasty.reader.auth) == ((), index.url, LOGIN)
    assert index.reader.waits


def test_what_is_listed_with_another_hash_is_changed() -> None:
    assert changed({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == ["b"]
