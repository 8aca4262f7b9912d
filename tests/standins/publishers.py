"""Trusted Publishing on the index's side: whose token it is, and what it may be exchanged for."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from packaging.utils import canonicalize_name

from tests.standins.oidc import ISSUER
from tests.standins.traffic import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LEEWAY = 30
_REQUIRED = (
    "repository",
    "repository_owner",
    "repository_owner_id",
    "job_workflow_ref",
    "workflow_ref",
    "jti",
    "event_name",
    "ref",
    "sha",
)
_WORKFLOW_FILE = re.compile(r"[^/]+\.ya?ml(?=@)")


class MintError(Exception):
    """Why no token is minted: a code of the index, and its description."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description)
        self.code, self.description = code, description


@dataclass
class Publisher:
    """What a project's owner registered; `pending` before the project exists."""

    project: str
    repository: str = "octo-org/demo"
    workflow: str = "release.yml"
    environment: str = ""
    owner_id: str = "65"
    pending: bool = False

    def matches(self, claims: Mapping[str, Any], workflow: str) -> bool:
        """Compare all but the environment."""
        known = (self.repository.lower(), self.owner_id, self.workflow)
        return known == (claims["repository"].lower(), claims["repository_owner_id"], workflow)


@dataclass(frozen=True)
class Grant:
    """What a credential allows; without a publisher it is a user's own, which may do anything."""

    publisher: Publisher | None = None
    projects: frozenset[str] = frozenset()
    expires: float = float("inf")


@dataclass
class Mint:
    """Exchanges tokens of identity for tokens of upload. `projects` is the index's own."""

    publishers: list[Publisher]
    keys: Mapping[str, rsa.RSAPublicKey]
    clock: Callable[[], float]
    projects: dict[str, str]
    audience: str = "pypi"
    lifetime: int = 900
    enabled: bool = True
    grants: dict[str, Grant] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def exchange(self, body: bytes) -> Answer:
        try:
            return json_answer(self._minted(_payload(body)))
        except MintError as error:
            errors = [{"code": error.code, "description": error.description}]
            return json_answer({"message": "Token request failed", "errors": errors}, 422)

    def _minted(self, token: str) -> dict[str, object]:
        claims = self._verified(token)
        self._create_pending(claims)
        publisher = self._found(claims, pending=False)
        self._check_job(publisher, claims)
        self.used.add(claims["jti"])
        expires = int(self.clock()) + self.lifetime
        value = f"pypi-{secrets.token_urlsafe(32)}"
        self.grants[value] = Grant(publisher, self._projects(publisher), expires)
        return {"success": True, "token": value, "expires": expires}

    def _verified(self, token: str) -> dict[str, Any]:
        issuer = _unverified(token).get("iss")
        if not isinstance(issuer, str):
            raise MintError("invalid-payload", "malformed JWT")
        if issuer != ISSUER:
            raise MintError("invalid-payload", "unknown trusted publishing issuer")
        if not self.enabled:
            raise MintError("not-enabled", "github trusted publishing functionality not enabled")
        claims = verify(token, self.keys)
        if not claims or not self._is_current(claims):
            raise MintError("invalid-token", "malformed or invalid token")
        return claims

    def _is_current(self, claims: Mapping[str, Any]) -> bool:
        now = self.clock()
        times = [claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)]
        if not all(isinstance(moment, int) for moment in times):
            return False
        begins = max(claims["iat"], claims.get("nbf", 0)) - _LEEWAY
        return claims.get("aud") == self.audience and begins <= now < claims["exp"] + _LEEWAY

    def _create_pending(self, claims: Mapping[str, Any]) -> None:
        try:
            publisher = self._found(claims, pending=True)
            self._check_job(publisher, claims)
        except MintError:
            return
        name = canonicalize_name(publisher.project)
        if name in self.projects:
            self.publishers.remove(publisher)
            raise MintError("invalid-pending-publisher", "valid token, but project already exists")
        self.projects[name] = publisher.project
        publisher.pending = False

    def _found(self, claims: Mapping[str, Any], *, pending: bool) -> Publisher:
        missing = [name for name in _REQUIRED if claims.get(name) is None]
        if missing:
            raise _no_publisher(f"Missing claim {missing[0]!r}")
        workflow = _WORKFLOW_FILE.search(claims["job_workflow_ref"])
        candidates = [
            publisher
            for publisher in self.publishers
            if workflow and publisher.pending == pending and publisher.matches(claims, workflow[0])
        ]
        for environment in dict.fromkeys([str(claims.get("environment", "")).lower(), ""]):
            for publisher in candidates:
                if publisher.environment.lower() == environment:
                    return publisher
        raise _no_publisher("Publisher with matching claims was not found")

    def _check_job(self, publisher: Publisher, claims: Mapping[str, Any]) -> None:
        path = f"{publisher.repository}/.github/workflows/{publisher.workflow}"
        expected = sorted(f"{path}@{claims[name]}" for name in ("ref", "sha") if claims[name])
        given = claims["job_workflow_ref"]
        if given not in expected:
            raise _no_publisher(
                "The job_workflow_ref claim does not match, expecting one of "
                f"{expected!r}, got {given!r}"
            )
        if given.partition("@")[0] != claims["workflow_ref"].partition("@")[0]:
            raise _no_publisher("job_workflow_ref is a reusable workflow, not workflow_ref")
        if claims["jti"] in self.used:
            raise MintError("invalid-reuse-token", "invalid token: already used")
        if claims["event_name"] == "pull_request_target":
            raise _no_publisher("a workflow invoked via 'pull_request_target' is not supported")

    def _projects(self, publisher: Publisher) -> frozenset[str]:
        """Return every project that the same workflow is registered for."""

        def identity(one: Publisher) -> tuple[str, str, str]:
            return one.repository.lower(), one.workflow, one.environment.lower()

        return frozenset(
            canonicalize_name(other.project)
            for other in self.publishers
            if identity(other) == identity(publisher) and not other.pending
        )


def verify(token: str, keys: Mapping[str, rsa.RSAPublicKey]) -> dict[str, Any] | None:
    """Return the claims of `token` if one of `keys` signed it."""
    head, _, signature = token.rpartition(".")
    try:
        header = json.loads(_decoded(head.partition(".")[0]))
        if header.get("alg") != "RS256":
            return None
        key = keys[header["kid"]]
        key.verify(_decoded(signature), head.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, KeyError, ValueError, AttributeError):
        return None
    return _unverified(token)


def _payload(body: bytes) -> str:
    try:
        payload = json.loads(body)
    except ValueError as error:
        raise MintError("invalid-payload", str(error)) from None
    token = payload.get("token") if isinstance(payload, dict) else None
    if not isinstance(token, str):
        raise MintError("invalid-payload", "an object with a string `token` is expected")
    return token


def _unverified(token: str) -> dict[str, Any]:
    try:
        _, claims, _ = token.split(".")
        content = json.loads(_decoded(claims))
    except (ValueError, binascii.Error):
        content = None
    if not isinstance(content, dict):
        raise MintError("invalid-payload", "malformed JWT")
    return content


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _no_publisher(reason: str) -> MintError:
    return MintError("invalid-publisher", f"valid token, but no corresponding publisher ({reason})")
