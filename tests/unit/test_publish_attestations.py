"""Signing by sigstore-python, at a stand-in for Sigstore; an index verifies what comes of it."""

from __future__ import annotations

import datetime as dt
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from twine.package import PackageFile

from aarch64_wheels.errors import PublishError, UsageError
from aarch64_wheels.publish.attestations import Attester
from aarch64_wheels.publish.distributions import Distribution
from tests.standins.samples import make_attestation, make_wheel
from tests.standins.signing import LIFETIME
from tests.standins.traffic import Fault
from tests.unit.access_samples import PYPI, Home, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standins.certificates import Certificates

CERTIFICATE, ENTRY = "/api/v2/signingCert", "/api/v1/log/entries"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


@pytest.fixture
def place(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with Place(certificates) as started:
        started.settle_as_pypi(monkeypatch)
        yield started
        assert started.troubles == []


class Signing:
    """An attester whose waits are counted."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place, self.folder = place, folder
        self.waits: list[float] = []
        trust = place.sigstore.write_trust_config(folder / "trust.json")
        self.attester = Attester(trust_config=trust, mask=place.mask, sleep=self.waits.append)

    def wheel(self, number: int = 0) -> Distribution:
        return Distribution.read(make_wheel(self.folder, version=f"1.{number}"))

    def paths(self) -> list[str]:
        return [record.path for record in self.place.sigstore.records]

    def upload(self, one: Distribution, attestation: dict[str, Any]) -> str:
        """Upload a file; gives the reason of the index's answer."""
        package = PackageFile.from_filename(str(one.path), None)
        package.attestations = [attestation]
        repository = self.place.find(PYPI).enter()
        answer = repository.upload(package, max_redirects=1)
        repository.close()
        return str(answer.reason)


@pytest.fixture
def signing(place: Place, tmp_path: Path) -> Signing:
    return Signing(place, tmp_path)


def test_an_index_verifies_what_was_signed(signing: Signing) -> None:
    one = signing.wheel()
    attestation = signing.attester.attest(one)
    assert signing.upload(one, attestation) == "OK"
    assert signing.place.index.files[one.filename].attestations == [attestation]
    # Of the two logs that are named, an index knows the older kind only.
    assert signing.paths() == [CERTIFICATE, ENTRY]
    assert signing.waits == []


def test_an_index_refuses_what_nobody_has_signed(signing: Signing) -> None:
    one = signing.wheel()
    reason = signing.upload(one, make_attestation(one.filename, one.sha256))
    assert "Could not verify the uploaded artifact" in reason
    assert signing.place.index.files == {}


def test_one_certificate_serves_many_files(signing: Signing) -> None:
    for number in range(3):
        one = signing.wheel(number)
        assert signing.upload(one, signing.attester.attest(one)) == "OK"
    assert signing.paths() == [CERTIFICATE, ENTRY, ENTRY, ENTRY]


def test_the_identity_is_masked_before_it_is_sent(signing: Signing) -> None:
    signing.attester.attest(signing.wheel())
    (token,) = signing.place.oidc.issued
    assert signing.place.told == [(token, 0)]
    (sent,) = [record for record in signing.place.sigstore.records if record.carries(token)]
    assert sent.path == CERTIFICATE


def test_a_certificate_that_has_grown_old_is_renewed(signing: Signing) -> None:
    authority = signing.place.sigstore.fulcio.authority
    authority.lifetime = dt.timedelta(0)

    def wait(seconds: float) -> None:
        signing.waits.append(seconds)
        authority.lifetime = LIFETIME

    signing.attester.sleep = wait
    one = signing.wheel()
    assert signing.upload(one, signing.attester.attest(one)) == "OK"
    assert signing.paths() == [CERTIFICATE, CERTIFICATE, ENTRY]
    assert signing.waits == [0.0]
    assert len(set(signing.place.oidc.issued)) == 3  # two for Sigstore, one for the index


@pytest.mark.parametrize("path", [CERTIFICATE, ENTRY])
@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 429}, {"drop": "unhandled"}, {"drop": "handled"}], ids=str
)
def test_passing_trouble_is_waited_for(signing: Signing, path: str, fault: dict[str, Any]) -> None:
    signing.place.sigstore.faults += [Fault(path, **fault)] * 3
    one = signing.wheel()
    assert signing.upload(one, signing.attester.attest(one)) == "OK"
    assert signing.waits == [0.0, 2.0, 8.0]


def test_the_token_service_has_a_bad_moment(signing: Signing) -> None:
    signing.place.oidc.faults.append(Fault(status=500))
    one = signing.wheel()
    assert signing.upload(one, signing.attester.attest(one)) == "OK"


@pytest.mark.parametrize(
    ("path", "status", "found"),
    [
        (CERTIFICATE, 503, "127.0.0.1 answered 503 "),
        (ENTRY, 502, "127.0.0.1 answered 502 "),
        (CERTIFICATE, 403, "127.0.0.1 answered 403 "),
    ],
)
def test_trouble_that_stays_is_told(signing: Signing, path: str, status: int, found: str) -> None:
    signing.place.sigstore.faults += [Fault(path, status=status)] * 4
    one = signing.wheel()
    with pytest.raises(PublishError, match="could not be signed: nothing is uploaded") as caught:
        signing.attester.attest(one)
    assert caught.value.found.startswith(found)
    assert signing.paths().count(path) == 4


def test_sigstore_does_not_believe_the_job(signing: Signing) -> None:
    signing.place.sigstore.fulcio.keys = {}
    with pytest.raises(PublishError) as caught:
        signing.attester.attest(signing.wheel())
    assert "answered 401" in caught.value.found
    assert "error processing the identity token" in caught.value.found
    assert not [secret for secret in signing.place.secrets if secret in str(caught.value)]


def test_nobody_answers(signing: Signing) -> None:
    trust = json.loads((signing.folder / "trust.json").read_text(encoding="utf-8"))
    trust["signingConfig"]["caUrls"][0]["url"] = "http://127.0.0.1:9"
    (signing.folder / "trust.json").write_text(json.dumps(trust), encoding="utf-8")
    with pytest.raises(PublishError) as caught:
        signing.attester.attest(signing.wheel())
    assert caught.value.found.startswith("ConnectionError: ")


def test_a_log_promises_nothing(signing: Signing, certificates: Certificates) -> None:
    """A certificate that another log has signed for is not used."""
    with Place(certificates) as other:
        trust = json.loads((signing.folder / "trust.json").read_text(encoding="utf-8"))
        trust["trustedRoot"]["ctlogs"] = other.sigstore.trust_config["trustedRoot"]["ctlogs"]
    (signing.folder / "trust.json").write_text(json.dumps(trust), encoding="utf-8")
    with pytest.raises(PublishError, match="could not be signed") as caught:
        signing.attester.attest(signing.wheel())
    assert "SCT verify failed" in caught.value.found


def test_the_permission_is_missing(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    with pytest.raises(PublishError, match="this job cannot sign") as caught:
        signing.attester.attest(signing.wheel())
    assert "`permissions: id-token: write`" in caught.value.hint
    assert (signing.waits, signing.paths()) == ([], [])


def test_files_are_signed_in_ci_only(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    with pytest.raises(PublishError, match="files can be signed in CI only"):
        signing.attester.attest(signing.wheel())
    assert (signing.waits, signing.paths()) == ([], [])


@pytest.mark.parametrize(
    ("text", "found"),
    [(None, "No such file"), ("", "Invalid JSON"), ("{}", "Field required")],
)
def test_a_trust_configuration_that_is_none(signing: Signing, text: str | None, found: str) -> None:
    path = signing.folder / "trust.json"
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="is no trust configuration of Sigstore") as caught:
        signing.attester.attest(signing.wheel())
    assert found in caught.value.found
    assert signing.place.oidc.issued == []


def test_a_sigstore_with_a_log_of_another_kind_only(signing: Signing) -> None:
    trust = json.loads((signing.folder / "trust.json").read_text(encoding="utf-8"))
    del trust["signingConfig"]["rekorTlogUrls"][0]
    (signing.folder / "trust.json").write_text(json.dumps(trust), encoding="utf-8")
    with pytest.raises(UsageError, match="is no trust configuration of Sigstore") as caught:
        signing.attester.attest(signing.wheel())
    assert "No valid Rekor transparency log found" in caught.value.found


def test_nothing_is_logged_that_is_secret(
    signing: Signing, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        signing.attester.attest(signing.wheel())
    told = caplog.text + "".join(capfd.readouterr()) + repr(signing.attester)
    assert "Successfully verified SCT" in told
    assert signing.place.oidc.issued
    assert not [secret for secret in signing.place.secrets if secret in told]
