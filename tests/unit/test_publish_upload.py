"""Sending files by twine's own library: again where that may help, and never twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from requests.auth import AuthBase
from twine.exceptions import TrustedPublishingFailure
from twine.package import PackageFile
from twine.repository import Repository

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.distributions import Distribution
from aarch64_wheels.publish.index import Index
from aarch64_wheels.publish.reader import Reader
from aarch64_wheels.publish.upload import PATIENCE, Sent, Uploader
from tests.standins.certificates import make_certificates
from tests.standins.index import IndexServer
from tests.standins.receiving import Rules
from tests.standins.samples import make_wheel
from tests.standins.traffic import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests

WHEEL = "demo-1.0-py3-none-any.whl"
TOKEN = "known-geheim"  # noqa: S105 - the tests look for it
BUSY = Fault("/legacy/", "POST", status=503)
LOST = Fault("/legacy/", "POST", drop="handled")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer(Rules(api_tokens=frozenset({TOKEN}))) as index:
        yield index


class Sending:
    """An uploader of one wheel, and all that it tells and waits."""

    def __init__(self, server: IndexServer, folder: Path, token: str = TOKEN) -> None:
        self.path = make_wheel(folder)
        self.one = Distribution.read(self.path)
        self.notes: list[str] = []
        self.slept: list[float] = []
        self.seconds = 0.0
        self.server = server
        self.repository = Repository(server.upload_url, "__token__", token, True)
        self.index = Index(url=server.simple_url, reader=Reader(sleep=self.slept.append))

    def clock(self) -> float:
        """Each request takes so many seconds, beside the waits."""
        return sum(self.slept) + self.seconds * len(self.server.uploads)

    def send(self, timeout: tuple[float, float] = (5.0, 30.0)) -> Sent:
        uploader = Uploader(
            repository=self.repository,
            index=self.index,
            note=self.notes.append,
            sleep=self.slept.append,
            clock=self.clock,
            timeout=timeout,
        )
        try:
            return uploader.send(self.one, PackageFile.from_filename(str(self.path), None))
        finally:
            self.repository.close()

    def refused(self, match: str) -> PublishError:
        with pytest.raises(PublishError, match=match) as caught:
            self.send()
        assert TOKEN not in f"{caught.value} {self.notes}"
        return caught.value

    @property
    def arrivals(self) -> list[int]:
        return self.server.arrivals(WHEEL)


@pytest.fixture
def sending(server: IndexServer, tmp_path: Path) -> Sending:
    return Sending(server, tmp_path)


def test_a_file_that_is_taken_is_sent_once_without_a_word(
    sending: Sending, capfd: pytest.CaptureFixture[str]
) -> None:
    assert sending.send() is Sent.TAKEN
    assert sending.arrivals == [200]
    assert (sending.notes, sending.slept) == ([], [])
    assert capfd.readouterr() == ("", "")
    assert [record.path for record in sending.server.records] == ["/legacy/"]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_a_storm_is_waited_out_and_each_wait_is_twice_the_last(
    sending: Sending, status: int
) -> None:
    sending.server.faults += [Fault("/legacy/", "POST", status=status)] * 4
    sending.send()
    assert sending.arrivals[-1:] == [200]
    assert len(sending.server.uploads) == 5
    assert sending.slept == [pytest.approx(wait, rel=0.25) for wait in (0.5, 1, 2, 4)]
    assert re.fullmatch(
        rf"{WHEEL}: the index answered {status} .*; again in 0\.\d s .*", sending.notes[0]
    )


@pytest.mark.parametrize(("wanted", "waited"), [("7", 7.0), ("3600", 60.0)])
def test_the_index_says_how_long_to_wait(sending: Sending, wanted: str, waited: float) -> None:
    sending.server.faults.append(Fault("/legacy/", "POST", status=429, retry_after=wanted))
    sending.send()
    assert sending.slept == [waited]


def test_patience_ends(sending: Sending) -> None:
    sending.server.faults += [BUSY] * 99
    error = sending.refused(f"{WHEEL} could not be uploaded in")
    assert sum(sending.slept) == pytest.approx(PATIENCE)
    assert error.what.endswith(f"in {len(sending.slept) + 1} tries")
    assert error.found.startswith("the index answered 503")
    assert "publish again" in error.hint
    assert sending.server.files == {}


def test_patience_is_of_the_tries_too(sending: Sending) -> None:
    sending.seconds = 50.0
    sending.server.faults += [BUSY] * 9
    assert sending.refused("could not be uploaded").what.endswith("in 4 tries")


def test_a_try_may_take_longer_than_the_patience(sending: Sending) -> None:
    sending.seconds = PATIENCE * 2
    sending.server.faults += [BUSY] * 3
    assert sending.refused("could not be uploaded").what.endswith("in 3 tries")
    sending.server.faults += [BUSY] * 2
    assert sending.send() is Sent.TAKEN
    assert sending.slept == [0.5] * 4


def test_a_file_that_did_not_arrive_is_sent_again(sending: Sending) -> None:
    sending.server.faults.append(Fault("/legacy/", "POST", drop="unhandled"))
    sending.send()
    assert [record.status for record in sending.server.uploads] == [0, 200]
    assert sending.notes[0].startswith(f"{WHEEL}: the connection broke (ConnectionError")


def test_after_a_lost_answer_nothing_is_sent_again(sending: Sending) -> None:
    sending.server.faults.append(LOST)
    assert sending.send() is Sent.THERE
    assert sending.arrivals == [200]
    assert "only its answer was lost" in sending.notes[-1]


@pytest.mark.parametrize(("equal_again", "second"), [(True, 200), (False, 400)])
def test_a_lost_answer_of_a_file_that_is_listed_late(
    sending: Sending, *, equal_again: bool, second: int
) -> None:
    rules = sending.server.rules
    rules.equal_again = equal_again
    sending.server.shelf.hidden_requests = 2
    sending.server.faults.append(LOST)
    sent = sending.send()
    assert sending.arrivals == [200, second]
    assert sent is (Sent.TAKEN if equal_again else Sent.CLAIMED)
    assert ("does not list it yet" in sending.notes[-1]) is not equal_again


def test_a_lost_answer_with_the_listing_in_trouble_too(sending: Sending) -> None:
    sending.server.faults += [LOST, *[Fault("/simple/", status=503)] * 3]
    assert sending.send() is Sent.THERE
    assert sending.arrivals == [200, 400]
    assert sending.notes[-1].endswith("has it already, with this content")
    assert sending.slept[1:] == [0.5, 1.0]  # the look after the answer is not a hasty one


def test_an_answer_that_does_not_come_is_not_waited_for_without_end(sending: Sending) -> None:
    sending.server.faults.append(Fault("/legacy/", "POST", answer_seconds=60))
    sending.send(timeout=(5.0, 0.2))
    assert sending.arrivals == [200]
    assert "ReadTimeout" in sending.notes[0]


def test_another_file_of_that_name_ends_it(sending: Sending) -> None:
    sending.server.add_file("demo", "1.0", WHEEL, b"another")
    error = sending.refused(f"the index has another file named {WHEEL}")
    assert "File already exists" in error.found
    assert sending.one.sha256[:16] in error.found
    assert sending.server.files[WHEEL].content == b"another"
    assert sending.slept == []


def test_a_server_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    with IndexServer() as gone:
        sending = Sending(gone, tmp_path)
    error = sending.refused("could not be uploaded")
    assert error.found == "the connection broke (ConnectionError: Connection refused)"
    assert sum(sending.slept) == pytest.approx(PATIENCE)


def test_a_refusal_ends_it_at_once(server: IndexServer, tmp_path: Path) -> None:
    sending = Sending(server, tmp_path, token="wrong-" + TOKEN)
    error = sending.refused(f"the index refuses {WHEEL}")
    assert error.found.startswith("403 Invalid or non-existent authentication")
    assert "`__token__`" in error.hint
    assert len(server.uploads) == 1
    assert sending.slept == []


def test_an_upload_is_not_sent_on(sending: Sending) -> None:
    sending.repository.url = sending.server.upload_url.rstrip("/")
    error = sending.refused(f"the index refuses {WHEEL}")
    assert f"it leads to {sending.server.upload_url}" in error.found
    assert "--repository-url" in error.hint
    assert [record.path for record in sending.server.uploads] == ["/legacy"]


def test_a_certificate_that_is_not_trusted_ends_it_at_once(tmp_path: Path) -> None:
    with IndexServer(certificates=make_certificates(tmp_path)) as server:
        sending = Sending(server, tmp_path)
        error = sending.refused(f"{WHEEL} cannot be sent")
    assert "certificate verify failed" in error.found
    assert "TWINE_CERT" in error.hint
    assert sending.slept == []


class _Auth(AuthBase):
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, _request: requests.PreparedRequest) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "match"),
    [
        (PublishError("no token is to be had"), "no token is to be had"),
        (TrustedPublishingFailure("got None"), f"{WHEEL} cannot be sent"),
        (UnicodeEncodeError("latin-1", TOKEN, 0, 1, "ordinal"), f"{WHEEL} cannot be sent"),
    ],
    ids=["ours", "twine's", "a letter"],
)
def test_without_credentials_nothing_is_sent(
    sending: Sending, error: Exception, match: str
) -> None:
    sending.repository.session.auth = _Auth(error)
    sending.refused(match)
    assert sending.server.records == []


def test_a_file_that_has_gone_is_told(sending: Sending) -> None:
    package = PackageFile.from_filename(str(sending.path), None)
    sending.path.unlink()
    uploader = Uploader(repository=sending.repository, index=sending.index, note=print)
    with pytest.raises(PublishError, match="cannot be sent") as caught:
        uploader.send(sending.one, package)
    assert "No such file" in caught.value.found
