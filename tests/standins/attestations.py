"""Checking attestations (PEP 740): their shape, what file they are of, and who signed them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from unittest import mock

import pypi_attestations
from sigstore.verify import Verifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.standins.publishers import Publisher

_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATES = ("/attestations/publish/v1", "https://slsa.dev/provenance/v1")


class AttestationError(ValueError):
    """Why the index would not have them."""


def read_attestations(text: str, filename: str, sha256: str) -> list[dict[str, object]]:
    """Return the attestations in the form's field `text`, or say what is wrong with one."""
    try:
        items = json.loads(text)
    except ValueError as error:
        raise AttestationError(f"Malformed attestations: {error}") from None
    if not isinstance(items, list):
        raise AttestationError("Malformed attestations: Input should be a valid array")
    if not items:
        raise AttestationError("Malformed attestations: an empty attestation set is not permitted")
    if len(items) > len(_PREDICATES):
        raise AttestationError(
            f"A maximum of {len(_PREDICATES)} attestations per file are supported"
        )
    kinds = [_checked(item, filename, sha256) for item in items]
    if len(set(kinds)) != len(kinds):
        raise AttestationError(
            "Multiple attestations for the same file with the same predicate type "
            f"({kinds[0]}) are not supported"
        )
    return items


def verify_attestations(
    items: Sequence[dict[str, Any]],
    publisher: Publisher,
    filename: str,
    sha256: str,
    verifier: Verifier,
) -> None:
    """Verify all of it as an index does: certificate, its log, signature, the log of signatures."""
    identity = pypi_attestations.GitHubPublisher(
        repository=publisher.repository, workflow=publisher.workflow
    )
    subject = pypi_attestations.Distribution(name=filename, digest=sha256)
    # The library knows two roots of trust, and takes no other.
    with mock.patch.object(Verifier, "production", return_value=verifier):
        for item in items:
            try:
                pypi_attestations.Attestation.model_validate(item).verify(identity, subject)
            except ValueError as error:
                raise _unverified(str(error)) from None


def _checked(item: object, filename: str, sha256: str) -> str:
    """Return the type of predicate of one attestation that is in order."""
    data = _object(item, "attestation")
    if data.get("version") != 1 or isinstance(data["version"], bool):
        raise AttestationError("Malformed attestations: version: Input should be 1")
    material = _object(data.get("verification_material"), "verification_material")
    _bytes(material.get("certificate"), "certificate")
    entries = material.get("transparency_entries")
    if not isinstance(entries, list) or not entries:
        raise AttestationError("Malformed attestations: transparency_entries: List is empty")
    envelope = _object(data.get("envelope"), "envelope")
    _bytes(envelope.get("signature"), "signature")
    return _predicate(_bytes(envelope.get("statement"), "statement"), filename, sha256)


def _predicate(content: bytes, filename: str, sha256: str) -> str:
    try:
        statement = _object(json.loads(content), "statement")
    except ValueError as error:
        raise _unverified(f"invalid statement: {error}") from None
    if statement.get("_type") != _STATEMENT:
        raise _unverified("invalid statement: not an in-toto v1 statement")
    subjects = statement.get("subject")
    if not isinstance(subjects, list) or len(subjects) != 1:
        raise _unverified("too many subjects in statement (must be exactly one)")
    subject = _object(subjects[0], "subject")
    if subject.get("name") != filename:
        raise _unverified(f"subject does not match distribution name: {filename}")
    if _object(subject.get("digest"), "digest").get("sha256") != sha256:
        raise _unverified("subject does not match distribution digest")
    kind = str(statement.get("predicateType"))
    if not kind.endswith(_PREDICATES):
        raise AttestationError(f"Attestation with unsupported predicate type: {kind}")
    return kind


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise AttestationError(f"Malformed attestations: {name}: Input should be an object")
    return value


def _bytes(value: object, name: str) -> bytes:
    try:
        content = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:
        content = b""
    if not content:
        raise AttestationError(f"Malformed attestations: {name}: Input should be base64")
    return content


def _unverified(reason: str) -> AttestationError:
    return AttestationError(
        f"Could not verify the uploaded artifact using the included attestation: {reason}"
    )
