"""Sigstore's log of signatures (Rekor, version 1): entries, proofs that they are in it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import rekor_types
import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sigstore_models.intoto import Envelope

from tests.standins.signing import key_id, new_key
from tests.standins.traffic import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NAME = "rekor.invalid"
#: A log that had nothing in it would need no proofs.
_OLDER = 5


class RekorError(Exception):
    """Why an entry is not taken."""


class Rekor:
    """`leaves` are the hashes of all entries, in the order in which they came."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.key = new_key()
        self.leaves = [leaf(f"older {number}".encode()) for number in range(_OLDER)]

    def answer(self, body: bytes) -> Answer:
        try:
            entry = _body(body)
        except RekorError as error:
            return json_answer({"code": 400, "message": str(error)}, 400)
        self.leaves.append(leaf(entry))
        return json_answer({self.leaves[-1].hex(): self._entry(entry)}, 201)

    def _entry(self, body: bytes) -> dict[str, Any]:
        index = len(self.leaves) - 1
        promised: dict[str, int | str] = {
            "body": base64.b64encode(body).decode(),
            "integratedTime": int(self._clock()),
            "logID": key_id(self.key).hex(),
            "logIndex": index,
        }
        signature = self._sign(rfc8785.dumps(promised))
        proof = {
            "logIndex": index,
            "rootHash": root(self.leaves).hex(),
            "treeSize": len(self.leaves),
            "hashes": [one.hex() for one in path(index, self.leaves)],
            "checkpoint": self._checkpoint(),
        }
        kept = {"signedEntryTimestamp": base64.b64encode(signature).decode()}
        return {**promised, "verification": {**kept, "inclusionProof": proof}}

    def _checkpoint(self) -> str:
        """Sign the state of the log, as a note (C2SP tlog-checkpoint)."""
        state = base64.b64encode(root(self.leaves)).decode()
        note = f"{_NAME} - 1\n{len(self.leaves)}\n{state}\n"
        signature = key_id(self.key)[:4] + self._sign(note.encode())
        return f"{note}\n\N{EM DASH} {_NAME} {base64.b64encode(signature).decode()}\n"

    def _sign(self, content: bytes) -> bytes:
        return self.key.sign(content, ec.ECDSA(hashes.SHA256()))


def _body(request: bytes) -> bytes:
    """Make an entry of an envelope whose signature is its certificate's."""
    envelope, text, verifier = _proposed(request)
    if len(envelope.signatures) != 1:
        raise RekorError("an envelope with one signature is expected")
    signature = envelope.signatures[0].sig
    kind, payload = envelope.payload_type.encode(), envelope.payload
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    _verify(signature, signed, verifier)
    spec: dict[str, Any] = {
        "envelopeHash": _digest(text.encode()),
        "payloadHash": _digest(payload),
        "signatures": [{"signature": base64.b64encode(signature).decode(), "verifier": verifier}],
    }
    return rfc8785.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})


def _proposed(request: bytes) -> tuple[Envelope, str, str]:
    try:
        entry = json.loads(request)
        known = rekor_types.Dsse.model_validate(entry)
        content = entry["spec"]["proposedContent"]
        (verifier,) = content["verifiers"]
        envelope = Envelope.from_json(content["envelope"])
    except (ValueError, LookupError, TypeError) as error:
        raise RekorError(f"error processing entry: {type(error).__name__}") from None
    if (known.kind, known.api_version) != ("dsse", "0.0.1"):
        raise RekorError("only entries of kind dsse 0.0.1 are expected here")
    return envelope, content["envelope"], verifier


def _verify(signature: bytes, signed: bytes, verifier: str) -> None:
    try:
        key = x509.load_pem_x509_certificate(base64.b64decode(verifier)).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise RekorError("unsupported key")
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):
        raise RekorError("error verifying the envelope's signature") from None


def _digest(content: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()}


def leaf(content: bytes) -> bytes:
    return hashlib.sha256(b"\0" + content).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Hash a tree (RFC 6962, 2.1)."""
    if len(leaves) == 1:
        return leaves[0]
    half = _split(leaves)
    return hashlib.sha256(b"\1" + root(leaves[:half]) + root(leaves[half:])).digest()


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return what proves that a leaf is in the tree (RFC 6962, 2.1.1)."""
    if len(leaves) == 1:
        return []
    half = _split(leaves)
    if index < half:
        return [*path(index, leaves[:half]), root(leaves[half:])]
    return [*path(index - half, leaves[half:]), root(leaves[:half])]


def _split(leaves: Sequence[bytes]) -> int:
    """Return the greatest power of two that is smaller than the number of leaves."""
    return 1 << (len(leaves) - 1).bit_length() - 1
