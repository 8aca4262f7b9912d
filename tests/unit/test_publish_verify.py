"""After an upload: the listing is waited for, within bounds, and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.distributions import Distribution
from aarch64_wheels.publish.index import Index
from aarch64_wheels.publish.verify import LONGEST_PAUSE, Verifier
from tests.standins.index import IndexServer
from tests.standins.samples import make_wheel
from tests.standins.simple import StoredFile
from tests.standins.traffic import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Waiting:
    """A verifier in a time of its own."""

    def __init__(self, server: IndexServer, patience: float = 300.0) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.notes: list[str] = []
        self.verifier = Verifier(
            index=Index(url=server.simple_url),
            note=self.notes.append,
            patience=patience,
            sleep=self.sleep,
            clock=lambda: self.now,
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer() as index:
        index.add_project("demo")
        yield index


@pytest.fixture
def files(tmp_path: Path) -> Sequence[Distribution]:
    tags = ("py3-none-any", "cp312-cp312-any", "cp313-cp313-any")
    return [Distribution.read(make_wheel(tmp_path, tags=tag)) for tag in tags]


def _store(server: IndexServer, *files: Distribution, hidden: int = 0) -> None:
    for one in files:
        content = one.path.read_bytes()
        server.shelf.add(StoredFile("demo", "1.0", one.filename, content, 0.0, asked=-hidden))


def test_what_is_listed_is_not_waited_for(
    server: IndexServer, files: Sequence[Distribution]
) -> None:
    _store(server, *files)
    waiting = Waiting(server)
    waiting.verifier.require(files)
    assert (waiting.slept, waiting.notes, len(server.records)) == ([], [], 1)


def test_for_no_files_nothing_is_asked(server: IndexServer) -> None:
    waiting = Waiting(server)
    waiting.verifier.require([])
    assert server.records == []


def test_what_is_listed_later_is_waited_for_with_growing_pauses(
    server: IndexServer, files: Sequence[Distribution]
) -> None:
    _store(server, files[0])
    _store(server, files[1], hidden=2)
    _store(server, files[2], hidden=6)
    waiting = Waiting(server)
    waiting.verifier.require(files)
    assert waiting.slept == [1, 2, 4, 8, LONGEST_PAUSE, LONGEST_PAUSE]
    assert waiting.notes == [
        "waiting for the index to list 2 of 3 files",
        "waiting for the index to list 1 of 3 files",
    ]


def test_what_is_never_listed_is_named_when_patience_ends(
    server: IndexServer, files: Sequence[Distribution]
) -> None:
    _store(server, files[1])
    waiting = Waiting(server, patience=20)
    with pytest.raises(PublishError, match="not listed by the index after 20 s") as caught:
        waiting.verifier.require(files)
    assert caught.value.found == f"{files[0].filename}\n{files[2].filename}"
    assert "publish again" in caught.value.hint
    assert waiting.slept == [1, 2, 4, 8, 5]  # not a second longer
    assert waiting.verifier.wait(files[:2]) == [files[0]]


def test_other_content_is_an_error_at_once(
    server: IndexServer, files: Sequence[Distribution]
) -> None:
    server.add_file("demo", "1.0", files[1].filename, b"another")
    waiting = Waiting(server)
    with pytest.raises(PublishError, match="lists other content") as caught:
        waiting.verifier.require(files)
    assert files[1].filename in caught.value.what
    assert files[0].filename not in caught.value.what
    assert waiting.slept == []


def test_an_index_in_trouble_is_told_and_asked_again(
    server: IndexServer, files: Sequence[Distribution]
) -> None:
    _store(server, *files)
    server.faults += [Fault("/simple/", status=503), Fault("/simple/", drop="unhandled")]
    waiting = Waiting(server)
    waiting.verifier.require(files)
    assert waiting.slept == [1, 2]
    assert f"cannot read what {server.simple_url} lists: 503 Service Unavailable" in waiting.notes


def test_an_index_that_stays_in_trouble_is_not_asked_without_end(
    server: IndexServer, files: Sequence[Distribution]
) -> None:
    server.faults += [Fault("/simple/", status=503)] * 99
    waiting = Waiting(server, patience=30)
    assert waiting.verifier.wait(files) == list(files)
    assert sum(waiting.slept) == 30
