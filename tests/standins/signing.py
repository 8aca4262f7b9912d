"""Certificates as Sigstore's authority issues them, logged, with the claims of a CI job."""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.standins.certificates import named, usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LIFETIME = dt.timedelta(minutes=10)
_YEARS = dt.timedelta(days=3650)
_ARC = "1.3.6.1.4.1.57264.1"
_SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_HUB = "https://github.com/"
_OCTETS, _UTF8 = 4, 12
#: Claims by the last number of their extension. The first ones are bare bytes, not DER.
_BARE = {1: "iss", 2: "event_name", 3: "sha", 4: "workflow", 5: "repository", 6: "ref"}
_PLAIN = {
    8: "iss",
    10: "job_workflow_sha",
    11: "runner_environment",
    13: "sha",
    14: "ref",
    15: "repository_id",
    17: "repository_owner_id",
    19: "workflow_sha",
    20: "event_name",
    22: "repository_visibility",
}
_URLS = {9: "job_workflow_ref", 12: "repository", 16: "repository_owner", 18: "workflow_ref"}


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Name a log, or an issuer, by its key (RFC 6962, 3.2)."""
    return hashlib.sha256(public_bytes(key)).digest()


class Authority:
    """A root, an intermediate authority that issues, and a log of what it has issued.

    `lifetime` is that of the next certificates.
    """

    def __init__(self, moment: float) -> None:
        self._key, self.log_key, root_key = new_key(), new_key(), new_key()
        self.lifetime = LIFETIME
        since = _moment(moment) - _YEARS
        self.root = _authority("root", root_key, root_key, since)
        self.intermediate = _authority("intermediate", self._key, root_key, since)

    def issue(
        self, key: ec.EllipticCurvePublicKey, claims: Mapping[str, Any], moment: float
    ) -> x509.Certificate:
        """Certify `key` to be of the job that `claims` are about, with the log's promise in it."""
        builder = self._leaf(key, claims, _moment(moment))
        draft = builder.sign(self._key, hashes.SHA256())
        promise = self._promise(draft.tbs_certificate_bytes, int(moment * 1000))
        extension = x509.UnrecognizedExtension(_SCT_LIST, _der(_OCTETS, _sized(_sized(promise))))
        return builder.add_extension(extension, critical=False).sign(self._key, hashes.SHA256())

    def _leaf(
        self, key: ec.EllipticCurvePublicKey, claims: Mapping[str, Any], since: dt.datetime
    ) -> x509.CertificateBuilder:
        whose = x509.UniformResourceIdentifier(f"{_HUB}{claims['job_workflow_ref']}")
        uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.intermediate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(since + self.lifetime)
            .add_extension(usage("digital_signature"), critical=True)
            .add_extension(uses, critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(_issuer(self._key), critical=False)
            .add_extension(x509.SubjectAlternativeName([whose]), critical=True)
        )
        for extension in _claims(claims):
            builder = builder.add_extension(extension, critical=False)
        return builder

    def _promise(self, body: bytes, milliseconds: int) -> bytes:
        """Sign what the log of certificates promises to keep (an SCT: RFC 6962, 3.2)."""
        # The kind of entry, 1, is a certificate before the promise is put into it.
        signed = struct.pack("!BBQH", 0, 0, milliseconds, 1) + key_id(self._key)
        signed += len(body).to_bytes(3) + body + _sized(b"")
        signature = self.log_key.sign(signed, ec.ECDSA(hashes.SHA256()))
        head = b"\0" + key_id(self.log_key) + struct.pack("!Q", milliseconds) + _sized(b"")
        return head + bytes([4, 3]) + _sized(signature)  # SHA-256, ECDSA


def _authority(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    since: dt.datetime,
) -> x509.Certificate:
    subject = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    below = 1 if key is signer else 0
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + 2 * _YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
        .add_extension(usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(subject, critical=False)
        .add_extension(_issuer(signer), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _issuer(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _claims(claims: Mapping[str, Any]) -> Iterator[x509.UnrecognizedExtension]:
    run = "{repository}/actions/runs/{run_id}/attempts/{run_attempt}".format_map(dict(claims))
    values = {number: claims[name].encode() for number, name in _BARE.items()}
    texts = {number: claims[name] for number, name in _PLAIN.items()}
    texts |= {number: _HUB + claims[name] for number, name in _URLS.items()}
    values |= {number: _der(_UTF8, text.encode()) for number, text in texts.items()}
    values[21] = _der(_UTF8, (_HUB + run).encode())
    for number in sorted(values):
        name = x509.ObjectIdentifier(f"{_ARC}.{number}")
        yield x509.UnrecognizedExtension(name, values[number])


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC)


def _sized(content: bytes) -> bytes:
    return len(content).to_bytes(2) + content


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    return bytes([tag, size] if size < 128 else [tag, 0x81, size]) + content
