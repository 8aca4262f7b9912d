"""The publishing step, in this process: inputs in, files at the index, nothing told that is secret.

How `act` runs it: tests/integration/test_publish_action.py.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from aarch64_wheels import publish_action
from aarch64_wheels.publish.teller import Hider, Teller, job_teller
from aarch64_wheels.settings.publishing import PublishSettings
from aarch64_wheels.settings.schema import options
from tests.standins.receiving import Rules
from tests.standins.samples import make_wheel
from tests.unit.access_samples import PASSWORD, Home, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standins.certificates import Certificates

WHEEL = "demo-1.0-py3-none-any.whl"
TRUSTED = {"trusted_publishing": "always", "attestations": "always"}
MASK = "::add-mask::"


class Step:
    """The step's surroundings; `told` is all it has printed, but for the secrets to be hidden."""

    def __init__(
        self,
        place: Place,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.place, self.summary = place, folder / "summary"
        self.told = ""
        self.hidden: set[str] = set()
        self._monkeypatch, self._capsys = monkeypatch, capsys
        (folder / "wheelhouse").mkdir()
        make_wheel(folder / "wheelhouse")
        trust = place.sigstore.write_trust_config(folder / "trust.json")
        monkeypatch.chdir(folder)
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(self.summary))
        url = place.index.upload_url
        self.give(publish="true", repository_url=url, trust_config=str(trust))

    def give(self, **inputs: str) -> None:
        for name, value in inputs.items():
            self._monkeypatch.setenv(f"INPUT_{name.upper()}", value)

    def run(self, **inputs: str) -> int:
        self.give(**inputs)
        status = publish_action.main()
        output, errors = self._capsys.readouterr()
        lines = f"{output}{errors}".splitlines()
        self.hidden = {line.removeprefix(MASK) for line in lines if line.startswith(MASK)}
        told = "\n".join(line for line in lines if not line.startswith(MASK))
        self.told = told.replace(",file=,line=,endLine=,col=,endColumn=", "")
        page = self.summary.read_text(encoding="utf-8") if self.summary.exists() else ""
        assert not [secret for secret in self.place.secrets if secret in self.told + page]
        print(self.told)
        return status


@pytest.fixture
def step(
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Step]:
    Home(tmp_path, monkeypatch)
    for option in options(PublishSettings):
        monkeypatch.delenv(f"INPUT_{option.field.upper()}", raising=False)
    monkeypatch.delenv("RUNNER_DEBUG", raising=False)
    with Place(certificates, rules=Rules(users={"somebody": PASSWORD})) as place:
        place.settle(monkeypatch)
        yield Step(place, tmp_path, monkeypatch, capsys)
        assert place.troubles == []


def test_files_are_signed_sent_and_seen(step: Step) -> None:
    assert step.run(**TRUSTED) == 0
    index = step.place.index
    assert index.arrivals(WHEEL) == [200]
    assert len(index.files[WHEEL].attestations) == 1
    assert f"signed {WHEEL}" in step.told
    assert f"uploaded {WHEEL} (1 of 1)" in step.told
    assert f"{index.upload_url} has all 1 files" in step.told
    row = re.compile(rf"\| {WHEEL} \| .* \| `{index.files[WHEEL].sha256}` \| upload \|")
    assert row.search(step.summary.read_text(encoding="utf-8").replace("\\", ""))
    assert len(step.place.oidc.issued) == 2  # one for Sigstore, one for the index
    assert step.hidden == {*step.place.oidc.issued, *index.mint.grants}


def test_the_second_time_nothing_is_sent(step: Step) -> None:
    assert step.run(**TRUSTED) == 0
    before = len(step.place.oidc.issued), len(step.place.index.uploads)
    assert step.run(**TRUSTED) == 0
    assert (len(step.place.oidc.issued), len(step.place.index.uploads)) == before
    assert "is there already" in step.told
    assert step.hidden == set()


def test_a_dry_run_sends_nothing(step: Step) -> None:
    assert step.run(**TRUSTED, dry_run="true") == 0
    assert WHEEL in step.told
    assert step.summary.exists()
    assert (step.place.oidc.issued, step.place.index.uploads) == ([], [])


def test_a_password_reaches_the_index_and_nobody_else(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINE_USERNAME", "somebody")
    monkeypatch.setenv("TWINE_PASSWORD", PASSWORD)
    assert step.run() == 0
    assert step.place.index.arrivals(WHEEL) == [200]
    assert step.place.index.files[WHEEL].attestations == []
    assert step.hidden == {PASSWORD}


def test_a_wrong_password_is_told_and_not_shown(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINE_USERNAME", "somebody")
    monkeypatch.setenv("TWINE_PASSWORD", "something-else")
    assert step.run() == 4
    assert step.place.index.arrivals(WHEEL) == [403]
    assert "::error title=aarch64-wheels::the index refuses" in step.told
    assert "something-else" not in step.told
    assert step.hidden == {"something-else"}


def test_a_job_that_is_not_believed_is_shown_why(step: Step) -> None:
    step.place.oidc.claims["environment"] = "release"
    step.place.publisher.environment = "production"
    assert step.run(**TRUSTED) == 4
    (error,) = re.findall(r"^::error title=aarch64-wheels::(.*)$", step.told, re.MULTILINE)
    assert "environment: release" in error
    assert "next: compare the job with the Trusted Publisher" in error
    assert step.place.index.uploads == []


def test_what_cannot_be_signed_is_not_sent(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aarch64_wheels.publish.attestations._PAUSES", (0.0,))
    step.place.sigstore.fulcio.keys = {}
    assert step.run(**TRUSTED) == 4
    assert "could not be signed" in step.told
    assert step.place.index.uploads == []


@pytest.mark.parametrize("publish", ["", "false", "False"])
def test_it_is_a_choice(step: Step, publish: str) -> None:
    assert step.run(publish=publish) == 0
    assert "nothing is published" in step.told
    assert step.place.index.records == []


@pytest.mark.parametrize(
    "wrong",
    [{"publish": "yes"}, {"dry_run": "maybe"}, {"trusted_publishing": "often"}, {"dists": "none"}],
    ids=str,
)
def test_wrong_inputs(step: Step, wrong: dict[str, str]) -> None:
    assert step.run(**wrong) == 2
    assert "::error title=aarch64-wheels::" in step.told
    assert step.place.index.records == []


def test_secrets_are_hidden_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    Hider()("first\n\nsecond%\n")
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.splitlines() == [f"{MASK}first", f"{MASK}second%25"]


@pytest.mark.parametrize(
    ("environ", "told"), [({}, ""), ({"GITHUB_ACTIONS": "true"}, f"{MASK}secret\n")]
)
def test_secrets_are_told_to_the_runner_only(
    environ: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    teller = job_teller(environ)
    teller.mask("secret")
    assert capsys.readouterr() == ("", told)
    teller.note("one\ntwo")
    assert capsys.readouterr() == ("", "one two\n")
    assert "secret" not in repr(Teller(note=teller.note, mask=teller.mask))


def test_secrets_are_not_written_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a step has `2> log`: no runner reads that, and it may become an artifact."""
    with (tmp_path / "log").open("w", encoding="utf-8") as log:
        monkeypatch.setattr("sys.stderr", log)
        teller = job_teller({"GITHUB_ACTIONS": "true"})
        teller.mask("secret")
        teller.mask("secret")
    told = (tmp_path / "log").read_text(encoding="utf-8")
    assert told == "standard error is a file: secrets are not masked in the job's log\n"


def test_secrets_are_told_to_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8") as runner:
        with os.fdopen(write, "w", encoding="utf-8") as stream:
            monkeypatch.setattr("sys.stderr", stream)
            job_teller({"GITHUB_ACTIONS": "true"}).mask("secret")
        assert runner.read() == f"{MASK}secret\n"
