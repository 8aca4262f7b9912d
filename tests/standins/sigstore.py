"""Sigstore on loopback: certificates, the log of signatures, and whom to trust.

What the public one does and this one leaves out: timestamps (attestations of PEP 740 have none),
the second version of the log, TUF.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from sigstore.models import ClientTrustConfig
from sigstore.verify import Verifier

from tests.standins.fulcio import Fulcio
from tests.standins.rekor import Rekor
from tests.standins.serving import StandIn
from tests.standins.signing import key_id, public_bytes
from tests.standins.traffic import Answer, Record, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    from tests.standins.certificates import Certificates

_VALID = {"start": "2020-01-01T00:00:00Z"}
_TYPE = "application/vnd.dev.sigstore"


class SigstoreServer(StandIn):
    """`keys` are those of the service of identity: `OidcServer.keys`."""

    def __init__(
        self,
        keys: Mapping[str, rsa.RSAPublicKey],
        *,
        certificates: Certificates | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(certificates, clock)
        self.fulcio = Fulcio(keys, clock)
        self.rekor = Rekor(clock)

    def answer(self, record: Record) -> Answer:
        match record.method, record.path:
            case "POST", "/api/v2/signingCert":
                return self.fulcio.answer(record)
            case "POST", "/api/v1/log/entries":
                return self.rekor.answer(record.body)
        return refusal(404)

    @property
    def verifier(self) -> Verifier:
        """What an index verifies with."""
        config = ClientTrustConfig.from_json(json.dumps(self.trust_config))
        return Verifier(trusted_root=config.trusted_root)

    def write_trust_config(self, path: Path) -> Path:
        path.write_text(json.dumps(self.trust_config), encoding="utf-8")
        return path

    @property
    def trust_config(self) -> dict[str, Any]:
        """A ClientTrustConfig. It names a log of version 2, too, as the public one may do:
        an index cannot verify what is in that.
        """
        logs = [_service(self.url, 1), _service(f"{self.url}/two", 2)]
        return {
            "mediaType": f"{_TYPE}.clienttrustconfig.v0.1+json",
            "trustedRoot": self._trusted_root(),
            "signingConfig": {
                "mediaType": f"{_TYPE}.signingconfig.v0.2+json",
                "caUrls": [_service(self.url, 1)],
                "rekorTlogUrls": logs,
                "rekorTlogConfig": {"selector": "ANY"},
            },
        }

    def _trusted_root(self) -> dict[str, Any]:
        authority = self.fulcio.authority
        chain = [
            _encoded(one.public_bytes(serialization.Encoding.DER))
            for one in (authority.intermediate, authority.root)
        ]
        return {
            "mediaType": f"{_TYPE}.trustedroot+json;version=0.1",
            "tlogs": [_log(self.url, self.rekor.key)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "stand-in", "commonName": "stand-in"},
                    "uri": self.url,
                    "certChain": {"certificates": [{"rawBytes": one} for one in chain]},
                    "validFor": _VALID,
                }
            ],
            "ctlogs": [_log(self.url, authority.log_key)],
        }


def _service(url: str, version: int) -> dict[str, object]:
    return {"url": url, "majorApiVersion": version, "validFor": _VALID, "operator": "stand-in"}


def _log(url: str, key: ec.EllipticCurvePrivateKey) -> dict[str, object]:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _encoded(public_bytes(key)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": _VALID,
        },
        "logId": {"keyId": _encoded(key_id(key))},
    }


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
