"""The stand-in for Sigstore, and what an index makes of signatures that are not in order."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from pypi_attestations import Attestation
from pypi_attestations import Distribution as Subject
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import Signer, SigningContext

from tests.standins.attestations import (
    AttestationError,
    read_attestations,
    verify_attestations,
)
from tests.standins.oidc import OidcServer
from tests.standins.publishers import Publisher
from tests.standins.rekor import leaf, path, root
from tests.standins.sigstore import SigstoreServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

WHEEL, SHA256 = "demo-1.0-py3-none-any.whl", "5" * 64


class Sigstore:
    """A service of identity, and a Sigstore that believes it."""

    def __init__(self, oidc: OidcServer, server: SigstoreServer) -> None:
        self.oidc, self.server = oidc, server

    def sign(
        self, claims: Mapping[str, object] | None = None, sha256: str = SHA256
    ) -> dict[str, Any]:
        trust = ClientTrustConfig.from_json(json.dumps(self.server.trust_config))
        trust.force_tlog_version = 1
        identity = IdentityToken(self.oidc.token("sigstore", **(claims or {})))
        signer = Signer(identity, SigningContext.from_trust_config(trust))
        signed = Attestation.sign(signer, Subject(name=WHEEL, digest=sha256))
        return signed.model_dump(mode="json")

    def verify(self, attestation: Mapping[str, Any], sha256: str = SHA256) -> None:
        items = read_attestations(json.dumps([attestation]), WHEEL, sha256)
        verify_attestations(items, Publisher("demo"), WHEEL, sha256, self.server.verifier)


@pytest.fixture
def sigstore() -> Iterator[Sigstore]:
    with OidcServer() as oidc, SigstoreServer(oidc.keys) as server:
        yield Sigstore(oidc, server)
        assert server.troubles == oidc.troubles == []


def test_what_is_signed_is_verified_whatever_the_log_has_grown_to(sigstore: Sigstore) -> None:
    for _ in range(9):
        sigstore.verify(sigstore.sign())
    assert len(sigstore.server.fulcio.issued) == 9


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"repository": "octo-org/other"}, "octo-org/other"),
        ({"workflow_ref": "octo-org/demo/.github/workflows/ci.yml@refs/heads/x"}, "Build Config"),
        ({"iss": "https://ci.invalid"}, "ci.invalid"),
    ],
)
def test_the_signature_of_another_job_is_refused(
    sigstore: Sigstore, claims: dict[str, object], reason: str
) -> None:
    with pytest.raises(AttestationError, match=reason):
        sigstore.verify(sigstore.sign(claims))


def test_the_signature_of_another_file_is_refused(sigstore: Sigstore) -> None:
    with pytest.raises(AttestationError, match="does not match distribution digest"):
        sigstore.verify(sigstore.sign(sha256="6" * 64))


def test_another_sigstore_is_not_trusted(sigstore: Sigstore) -> None:
    with SigstoreServer(sigstore.oidc.keys) as server:
        signed = Sigstore(sigstore.oidc, server).sign()
    with pytest.raises(AttestationError, match="failed to build timestamp certificate chain"):
        sigstore.verify(signed)


def _flipped(text: str) -> str:
    content = bytearray(base64.b64decode(text))
    content[-1] ^= 1
    return base64.b64encode(bytes(content)).decode()


def _entry(attestation: dict[str, Any]) -> dict[str, Any]:
    (entry,) = attestation["verification_material"]["transparency_entries"]
    assert isinstance(entry, dict)
    return entry


def _spoil_signature(attestation: dict[str, Any]) -> None:
    attestation["envelope"]["signature"] = _flipped(attestation["envelope"]["signature"])


def _spoil_statement(attestation: dict[str, Any]) -> None:
    text = base64.b64decode(attestation["envelope"]["statement"])
    statement = json.dumps(json.loads(text) | {"predicate": {}})
    attestation["envelope"]["statement"] = base64.b64encode(statement.encode()).decode()


def _spoil_promise(attestation: dict[str, Any]) -> None:
    promise = _entry(attestation)["inclusionPromise"]
    promise["signedEntryTimestamp"] = _flipped(promise["signedEntryTimestamp"])


def _spoil_time(attestation: dict[str, Any]) -> None:
    _entry(attestation)["integratedTime"] = "1000000000"


def _spoil_proof(attestation: dict[str, Any]) -> None:
    hashes = _entry(attestation)["inclusionProof"]["hashes"]
    hashes[0] = _flipped(hashes[0])


def _spoil_checkpoint(attestation: dict[str, Any]) -> None:
    checkpoint = _entry(attestation)["inclusionProof"]["checkpoint"]
    checkpoint["envelope"] = checkpoint["envelope"].replace(
        "rekor.invalid - 1", "rekor.invalid - 2"
    )


def _spoil_certificate(attestation: dict[str, Any]) -> None:
    material = attestation["verification_material"]
    material["certificate"] = _flipped(material["certificate"])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_spoil_signature, "invalid signature"),
        (_spoil_statement, "invalid signature"),
        (_spoil_promise, "invalid inclusion promise"),
        (_spoil_time, "certificate chain"),
        (_spoil_proof, "invalid root hash"),
        (_spoil_checkpoint, "checkpoint: invalid signature"),
        (_spoil_certificate, "certificate chain"),
    ],
)
def test_what_was_changed_afterwards_is_refused(
    sigstore: Sigstore, spoil: Callable[[dict[str, Any]], None], reason: str
) -> None:
    attestation = sigstore.sign()
    spoil(attestation)
    with pytest.raises(AttestationError, match=reason):
        sigstore.verify(attestation)


@pytest.mark.parametrize(
    "token",
    [
        lambda oidc: oidc.token("pypi"),
        lambda oidc: oidc.token("sigstore", exp=1),
        lambda oidc: oidc.token("sigstore", nbf=1 << 40),
        lambda oidc: oidc.token("sigstore")[:-4] + "AAAA",
        lambda _: "",
    ],
    ids=["audience", "expired", "not yet", "forged", "none"],
)
def test_a_certificate_is_for_those_with_a_token(
    sigstore: Sigstore, token: Callable[[OidcServer], str]
) -> None:
    url = f"{sigstore.server.url}/api/v2/signingCert"
    head = {"Authorization": f"Bearer {token(sigstore.oidc)}"}
    answer = requests.post(url, json={}, headers=head, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (401, 16)
    assert sigstore.server.fulcio.issued == []


@pytest.mark.parametrize("body", [{}, [], {"certificateSigningRequest": "AAAA"}], ids=str)
def test_a_certificate_is_for_a_key_that_is_held(sigstore: Sigstore, body: object) -> None:
    url = f"{sigstore.server.url}/api/v2/signingCert"
    head = {"Authorization": f"Bearer {sigstore.oidc.token('sigstore')}"}
    answer = requests.post(url, json=body, headers=head, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, 3)


def test_the_log_takes_what_is_signed_only(sigstore: Sigstore) -> None:
    sigstore.sign()
    url = f"{sigstore.server.url}/api/v1/log/entries"
    good = json.loads(sigstore.server.records[-1].body)
    bad = json.loads(sigstore.server.records[-1].body)
    envelope = json.loads(bad["spec"]["proposedContent"]["envelope"])
    envelope["payload"] = base64.b64encode(b"{}").decode()
    bad["spec"]["proposedContent"]["envelope"] = json.dumps(envelope)
    known = len(sigstore.server.rekor.leaves)
    bodies = [good, bad, {}, good | {"apiVersion": "0.0.2"}]
    statuses = [requests.post(url, json=body, timeout=5).status_code for body in bodies]
    assert statuses == [201, 400, 400, 400]
    assert len(sigstore.server.rekor.leaves) == known + 1


def test_hashes_of_trees_are_those_of_the_standard() -> None:
    """Compare with the tree of RFC 9162, 2.1.5, drawn by hand."""
    leaves = [leaf(bytes([number])) for number in range(7)]
    one, two = root(leaves[:4]), root(leaves[4:])
    assert root(leaves) == root([one, two]) != root([two, one])
    assert path(0, leaves) == [leaves[1], root(leaves[2:4]), two]
    assert path(3, leaves) == [leaves[2], root(leaves[:2]), two]
    assert path(6, leaves) == [root(leaves[4:6]), one]
