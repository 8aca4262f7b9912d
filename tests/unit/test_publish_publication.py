"""One release to one index: planned, sent, listed, and all of it once more."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.attestations import Attester
from aarch64_wheels.publish.distributions import Distribution, find_distributions
from aarch64_wheels.publish.plan import Step
from aarch64_wheels.publish.publication import Publication
from aarch64_wheels.publish.teller import Teller
from aarch64_wheels.settings.publishing import Attestations, PublishSettings, TrustedPublishing
from tests.standins.index import IndexServer
from tests.standins.receiving import Rules
from tests.standins.samples import make_wheel
from tests.standins.traffic import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "known-geheim"  # noqa: S105 - the tests look for it
TAGS = ("cp312-cp312-any", "cp313-cp313-any", "py3-none-any")
NAMES = [f"demo-1.0-{tag}.whl" for tag in TAGS]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))  # it has no .pypirc
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer(Rules(api_tokens=frozenset({TOKEN}), equal_again=True)) as index:
        index.add_file("demo", "0.9", "demo-0.9.tar.gz", b"old")
        yield index


class Releasing:
    """A wheelhouse, and a publication of it in a time of its own."""

    def __init__(self, server: IndexServer, folder: Path) -> None:
        self.server = server
        self.house = folder / "wheelhouse"
        self.house.mkdir()
        for tag in TAGS:
            make_wheel(self.house, tags=tag)
        self.notes: list[str] = []
        self.masked: list[str] = []
        self.slept: list[float] = []
        self.settings = PublishSettings(
            output_dir=self.house,
            repository_url=server.upload_url,
            trusted_publishing=TrustedPublishing.NEVER,
        )

    def open(self, **environ: str) -> Publication:
        teller = Teller(note=self.notes.append, mask=self.masked.append)
        environ = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": TOKEN, **environ}
        opened = Publication.open(self.settings, find_distributions([self.house]), environ, teller)
        reader = replace(opened.index.reader, sleep=self.slept.append)
        return replace(
            opened,
            index=replace(opened.index, reader=reader),
            sleep=self.slept.append,
            clock=lambda: sum(self.slept),
        )

    def publish(self) -> None:
        publication = self.open()
        publication.publish(publication.plan())

    @property
    def sent(self) -> list[str]:
        return [record.filename for record in self.server.uploads]

    @property
    def journal(self) -> list[dict[str, Any]]:
        text = (self.house / ".publish-journal.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def releasing(server: IndexServer, tmp_path: Path) -> Releasing:
    return Releasing(server, tmp_path)


def test_a_plan_sends_nothing(releasing: Releasing) -> None:
    publication = releasing.open()
    plan = publication.plan()
    assert [one.filename for one in plan.of(Step.UPLOAD)] == NAMES
    assert {record.method for record in releasing.server.records} == {"GET"}
    assert TOKEN not in f"{publication!r} {plan!r} {releasing.notes}"
    assert TOKEN in releasing.masked


def test_all_is_published_once_and_a_second_time_nothing(releasing: Releasing) -> None:
    releasing.publish()
    assert releasing.sent == NAMES
    assert [row["filename"] for row in releasing.journal] == NAMES
    assert releasing.notes[-1] == f"{releasing.server.upload_url} has all 3 files"
    releasing.publish()
    assert releasing.sent == NAMES
    assert releasing.slept == []


def test_another_file_under_one_of_the_names_keeps_all_back(releasing: Releasing) -> None:
    releasing.server.add_file("demo", "1.0", NAMES[1], b"another")
    publication = releasing.open()
    with pytest.raises(PublishError, match="nothing is uploaded"):
        publication.plan()
    assert releasing.sent == []


def test_after_a_refusal_the_next_run_goes_on(releasing: Releasing) -> None:
    releasing.server.faults += [
        Fault("/legacy/", "POST", answer_seconds=0),
        Fault("/legacy/", "POST", status=403),
    ]
    with pytest.raises(PublishError, match=NAMES[1]):
        releasing.publish()
    assert [row["filename"] for row in releasing.journal] == NAMES[:1]
    releasing.publish()
    taken = [name for name in NAMES for status in releasing.server.arrivals(name) if status == 200]
    assert taken == NAMES
    assert releasing.server.arrivals(NAMES[0]) == [200]


def test_what_was_sent_and_is_not_listed_is_waited_for(releasing: Releasing) -> None:
    releasing.server.shelf.hidden_requests = 9
    publication = releasing.open()
    plan = publication.plan()
    for one, name in zip(plan.of(Step.UPLOAD), NAMES, strict=True):
        publication.journal.note(plan.destination, one)
        releasing.server.add_file("demo", "1.0", name, one.path.read_bytes())
        releasing.server.files[name].asked = 6
    releasing.publish()
    assert releasing.sent == []
    assert releasing.slept == [1.0]


def test_what_was_sent_and_is_never_listed_is_sent_again(releasing: Releasing) -> None:
    publication = releasing.open()
    plan = publication.plan()
    publication.journal.note(plan.destination, plan.items[0].distribution)
    releasing.publish()
    assert sum(releasing.slept) == 60
    assert sorted(releasing.sent) == NAMES


def test_files_that_are_not_listed_in_the_end_are_an_error(releasing: Releasing) -> None:
    releasing.server.shelf.hidden_requests = 1 << 20
    with pytest.raises(PublishError, match="not listed by the index") as caught:
        releasing.publish()
    assert caught.value.found.splitlines() == NAMES
    assert sum(releasing.slept) == 300


def test_files_from_elsewhere_need_no_output_directory(releasing: Releasing) -> None:
    releasing.settings = replace(releasing.settings, output_dir=releasing.house / "nowhere")
    releasing.publish()
    assert releasing.sent == NAMES
    assert len(releasing.journal) == 3


def test_a_journal_that_cannot_be_written_stops_nothing(releasing: Releasing) -> None:
    (releasing.house / ".publish-journal.jsonl").mkdir()
    releasing.publish()
    assert releasing.sent == NAMES
    assert len([note for note in releasing.notes if "cannot be noted" in note]) == 3


def test_a_file_that_was_written_since_it_was_checked_keeps_all_back(releasing: Releasing) -> None:
    publication = releasing.open()
    plan = publication.plan()
    make_wheel(releasing.house, "changed", tags=TAGS[2])
    with pytest.raises(PublishError, match=f"{NAMES[2]} is not the file any more"):
        publication.publish(plan)
    assert releasing.sent == []


class _Attester(Attester):
    """Signs all but the last file."""

    def attest(self, one: Distribution) -> dict[str, Any]:
        if one.filename == NAMES[-1]:
            raise PublishError(f"{one.filename} could not be signed")
        return {}


def test_all_is_signed_before_anything_is_sent(releasing: Releasing) -> None:
    attester = _Attester(trust_config=None, mask=releasing.masked.append)
    publication = replace(releasing.open(), attester=attester)
    with pytest.raises(PublishError, match=f"{NAMES[-1]} could not be signed"):
        publication.publish(publication.plan())
    assert releasing.sent == []
    assert f"signed {NAMES[0]}" in releasing.notes


@pytest.mark.parametrize(
    ("wanted", "signed"),
    [(Attestations.AUTO, False), (Attestations.NEVER, False), (Attestations.ALWAYS, True)],
)
def test_who_signs(releasing: Releasing, wanted: Attestations, *, signed: bool) -> None:
    releasing.settings = replace(releasing.settings, attestations=wanted)
    assert (releasing.open().attester is not None) is signed


def test_a_login_in_the_index_url_is_used_and_shown_nowhere(releasing: Releasing) -> None:
    url = releasing.server.simple_url.replace("//", "//m%40e:ge%2Fheim@")
    releasing.settings = replace(releasing.settings, index_url=url)
    publication = releasing.open()
    assert publication.index.url == releasing.server.simple_url
    assert publication.index.hashes("demo", NAMES) == {}
    assert releasing.server.records[-1].credentials() == ("m@e", "ge/heim")
    assert "ge/heim" in releasing.masked
    assert "heim" not in f"{publication!r} {releasing.notes}"


def test_the_index_gets_the_login_of_its_uploads_and_another_server_does_not(
    releasing: Releasing,
) -> None:
    assert releasing.open().index.reader.auth == ("__token__", TOKEN)
    with IndexServer() as other:
        releasing.settings = replace(releasing.settings, index_url=other.simple_url.rstrip("/"))
        publication = releasing.open()
        assert publication.plan().of(Step.UPLOAD)
        assert publication.index.url == other.simple_url
        assert {record.credentials() for record in other.records} == {("", "")}


def test_an_index_that_is_not_where_it_was_said_to_be_is_not_believed(
    releasing: Releasing,
) -> None:
    """There, no file is known: all would be sent without a look at what is there."""
    wrong = releasing.server.simple_url.replace("simple", "simpel")
    releasing.settings = replace(releasing.settings, index_url=wrong)
    with pytest.raises(PublishError, match="lists no files, neither of demo nor") as caught:
        releasing.open()
    assert "--index-url" in caught.value.hint
    assert {record.method for record in releasing.server.records} == {"GET"}


def test_an_index_without_the_project_is_one(releasing: Releasing) -> None:
    with IndexServer() as other:
        releasing.settings = replace(releasing.settings, index_url=other.simple_url)
        assert len(releasing.open().plan().of(Step.UPLOAD)) == 3


def test_what_nobody_has_seen_is_not_noted_as_sent(releasing: Releasing) -> None:
    """The index says that it has a file: whose, it does not list yet."""
    publication = releasing.open()
    plan = publication.plan()
    releasing.server.rules.equal_again = False
    releasing.server.shelf.hidden_requests = 1 << 20
    content = plan.items[0].distribution.path.read_bytes()
    releasing.server.add_file("demo", "1.0", NAMES[0], content)
    releasing.server.files[NAMES[0]].asked = 0
    with pytest.raises(PublishError, match="not listed by the index"):
        publication.publish(plan)
    assert [row["filename"] for row in releasing.journal] == NAMES[1:]
    assert f"{NAMES[0]} is to be listed yet (1 of 3)" in releasing.notes
    assert f"uploaded {NAMES[1]} (2 of 3)" in releasing.notes


def test_what_another_run_has_sent_is_not_called_uploaded(releasing: Releasing) -> None:
    publication = releasing.open()
    plan = publication.plan()
    releasing.server.rules.equal_again = False
    content = plan.items[0].distribution.path.read_bytes()
    releasing.server.add_file("demo", "1.0", NAMES[0], content)
    publication.publish(plan)
    assert [row["filename"] for row in releasing.journal] == NAMES
    assert f"{NAMES[0]} is there (1 of 3)" in releasing.notes


@pytest.mark.parametrize(
    ("name", "attribute"), [("TWINE_CERT", "ca_bundle"), ("TWINE_CLIENT_CERT", "client_cert")]
)
def test_certificates_are_those_of_twine(
    releasing: Releasing, tmp_path: Path, name: str, attribute: str
) -> None:
    file = tmp_path / "certificates.pem"
    file.touch()
    assert getattr(releasing.open(**{name: str(file)}).index.reader, attribute) == str(file)
