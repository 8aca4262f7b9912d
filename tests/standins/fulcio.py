"""Sigstore's desk for certificates: one for whoever brings a token of a CI job, and a key."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.standins.publishers import verify
from tests.standins.signing import Authority
from tests.standins.traffic import Answer, Record, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "sigstore"


class FulcioError(Exception):
    """Why there is no certificate: gRPC's code, the status, and the words."""

    def __init__(self, code: int, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = json_answer({"code": code, "message": message, "details": []}, status)


class Fulcio:
    """`keys` are those of the service of identity, `issued` the certificates so far."""

    def __init__(self, keys: Mapping[str, rsa.RSAPublicKey], clock: Callable[[], float]) -> None:
        self.keys = keys
        self._clock = clock
        self.authority = Authority(clock())
        self.issued: list[x509.Certificate] = []

    def answer(self, record: Record) -> Answer:
        try:
            claims = self._identity(record)
            key = _requested(record.body)
        except FulcioError as error:
            return error.answer
        certificate = self.authority.issue(key, claims, self._clock())
        self.issued.append(certificate)
        chain = [certificate, self.authority.intermediate, self.authority.root]
        texts = [one.public_bytes(serialization.Encoding.PEM).decode() for one in chain]
        return json_answer({"signedCertificateEmbeddedSct": {"chain": {"certificates": texts}}})

    def _identity(self, record: Record) -> dict[str, Any]:
        scheme, _, token = record.headers.get("authorization", "").partition(" ")
        claims = verify(token, self.keys) if scheme == "Bearer" else None
        if not claims or claims.get("aud") != AUDIENCE or not self._is_current(claims):
            raise FulcioError(16, 401, "There was an error processing the identity token")
        return claims

    def _is_current(self, claims: Mapping[str, Any]) -> bool:
        return bool(claims["nbf"] <= self._clock() < claims["exp"])


def _requested(body: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key of a request whose sender has proved to hold it."""
    try:
        text = base64.b64decode(json.loads(body)["certificateSigningRequest"], validate=True)
        request = x509.load_pem_x509_csr(text)
    except (ValueError, LookupError, TypeError):
        raise FulcioError(3, 400, "The certificate signing request could not be parsed") from None
    key = request.public_key()
    if not request.is_signature_valid or not isinstance(key, ec.EllipticCurvePublicKey):
        raise FulcioError(3, 400, "The signature supplied in the request could not be verified")
    return key
