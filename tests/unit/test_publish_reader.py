"""Reading again where that may help, and not showing the password to others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import requests

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.index import Index
from aarch64_wheels.publish.reader import WAITS, NoListingError, Reader, same_server
from tests.standins.certificates import make_certificates
from tests.standins.index import IndexServer
from tests.standins.traffic import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHEEL = "demo-1.0-py3-none-any.whl"
PASSWORD = "geheim-€-123"  # noqa: S105 - the tests look for it


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer() as index:
        index.add_file("demo", "1.0", WHEEL, b"content")
        yield index


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def index(server: IndexServer, slept: list[float]) -> Index:
    return Index(url=server.simple_url, reader=Reader(sleep=slept.append))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://h/simple/", "https://h/other", True),
        ("https://h/", "https://H:443/", True),
        ("http://h/", "http://h:80/", True),
        ("http://[::1]:3141/a", "http://[::1]:3141/b", True),
        ("https://me:geheim@h/", "https://h/", True),
        ("http://h/", "https://h/", True),
        ("https://h/", "http://h/", False),
        ("http://h:8080/", "https://h/", False),
        ("http://h:8080/", "https://h:8080/", False),
        ("https://h/", "https://h:8443/", False),
        ("https://h/", "https://h.example/", False),
        ("http://h/", "https://g/", False),
        ("http://[::1]:3141/", "http://[::2]:3141/", False),
    ],
)
def test_servers(one: str, other: str, *, same: bool) -> None:
    assert same_server(one, other) is same


@pytest.mark.parametrize(
    ("fault", "waited"),
    [
        (Fault(status=503), 0.5),
        (Fault(status=500), 0.5),
        (Fault(status=429, retry_after="7"), 7.0),
        (Fault(status=503, retry_after="3600"), 30.0),
        (Fault(drop="unhandled"), 0.5),
    ],
    ids=["503", "500", "429", "an hour", "cut"],
)
def test_passing_trouble_is_waited_for(
    server: IndexServer, index: Index, slept: list[float], fault: Fault, waited: float
) -> None:
    server.faults += [fault, Fault(status=502)]
    assert WHEEL in index.hashes("demo", [WHEEL])
    assert slept == [waited, 1.0]


def test_lasting_trouble_is_an_error(server: IndexServer, index: Index, slept: list[float]) -> None:
    server.faults += [Fault(status=503)] * 9
    with pytest.raises(PublishError, match="cannot read") as caught:
        index.hashes("demo", [WHEEL])
    assert not isinstance(caught.value, NoListingError)
    assert caught.value.found == "503 Service Unavailable"
    assert tuple(slept) == WAITS
    with pytest.raises(PublishError, match="cannot read"):
        index.hasty().hashes("demo", [WHEEL])
    assert tuple(slept) == WAITS


def test_a_server_that_is_not_there_is_an_error_with_the_reason(slept: list[float]) -> None:
    with IndexServer() as gone:
        url = gone.simple_url
    index = Index(url=url, reader=Reader(auth=("me", PASSWORD), sleep=slept.append))
    with pytest.raises(PublishError, match="cannot read") as caught:
        index.hashes("demo", [WHEEL])
    assert not isinstance(caught.value, NoListingError)
    assert caught.value.found == "ConnectionError: Connection refused"
    assert tuple(slept) == WAITS
    assert not index.answers()


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("login", "hint"), [(("me", PASSWORD), "check user and password"), (None, "may want a login")]
)
def test_a_refused_reader_is_told_what_to_check(
    server: IndexServer, status: int, login: tuple[str, str] | None, hint: str
) -> None:
    server.faults.append(Fault(status=status))
    index = Index(url=server.simple_url, reader=Reader(auth=login))
    with pytest.raises(NoListingError) as caught:
        index.hashes("demo", [WHEEL])
    assert hint in caught.value.hint
    assert caught.value.found.startswith(str(status))
    assert PASSWORD not in f"{caught.value} {index!r}"


def test_a_password_of_any_letters_arrives(server: IndexServer) -> None:
    index = Index(url=server.simple_url, reader=Reader(auth=("jürgen", PASSWORD)))
    assert index.knows("demo")
    assert {record.credentials() for record in server.records} == {("jürgen", PASSWORD)}


def test_an_answer_that_ends_too_early_is_read_again(slept: list[float]) -> None:
    answers: Iterator[str | Exception] = iter([requests.exceptions.ChunkedEncodingError(), "read"])

    def read() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert Reader(sleep=slept.append).patiently("https://index.example/", read) == "read"
    assert slept == [0.5]


def test_certificates_to_trust_are_named(tmp_path: Path, slept: list[float]) -> None:
    certificates = make_certificates(tmp_path)
    with IndexServer(certificates=certificates) as server:
        hashes = partial(_hashes, server, slept)
        with pytest.raises(PublishError, match="cannot read") as caught:
            hashes("")
        assert "certificate verify failed" in caught.value.found
        assert "TWINE_CERT" in caught.value.hint
        assert hashes(str(certificates.authority)) == {}
    assert slept == []


def _hashes(server: IndexServer, slept: list[float], bundle: str) -> dict[str, str]:
    reader = Reader(ca_bundle=bundle, sleep=slept.append)
    return Index(url=server.simple_url, reader=reader).hashes("demo", [WHEEL])


def test_a_reader_shows_itself_only_to_its_own_server(tmp_path: Path) -> None:
    reader = Reader(auth=("me", PASSWORD), client_cert=str(tmp_path))
    assert reader.listing().cert == reader.files(private=True).cert == str(tmp_path)
    other = reader.files(private=False)
    assert (other.auth, other.cert) == (None, None)


def test_a_certificate_that_is_not_there_is_told(
    index: Index, tmp_path: Path, slept: list[float]
) -> None:
    reader = Reader(client_cert=str(tmp_path / "none.pem"), sleep=slept.append)
    with pytest.raises(PublishError) as caught:
        Index(url=index.url, reader=reader).hashes("demo", [WHEEL])
    assert "none.pem" in caught.value.found
    assert "TWINE_CLIENT_CERT" in caught.value.hint
    assert slept == []
