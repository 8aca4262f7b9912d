"""GitHub's service that hands a job its identity, as a signed token."""

from __future__ import annotations

import base64
import functools
import json
import secrets
import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.standins.serving import StandIn
from tests.standins.traffic import Answer, Record, json_answer, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ISSUER = "https://token.actions.githubusercontent.com"
LIFETIME = 300
_PATH = "/idtoken"
_SHA = "5f1c0de5f1c0de5f1c0de5f1c0de5f1c0de5f1c0"


@functools.cache
def usual_key() -> rsa.RSAPrivateKey:
    """Return this process's signing key: making one takes a tenth of a second."""
    return new_key()


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class OidcServer(StandIn):
    """`claims` override what a release of octo-org/demo would have; None takes one away.

    `repository`, `workflow` (a file's name), `ref` and `environment` are carried into the claims
    that are made of them. `audience`, where set, is what tokens say whatever was asked for.
    Failures are faults: `server.faults.append(Fault(status=403))`.
    """

    def __init__(
        self,
        claims: Mapping[str, object] | None = None,
        *,
        workflow: str = "release.yml",
        audience: str = "",
        key: rsa.RSAPrivateKey | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clock=clock)
        self.claims = dict(claims or {})
        self.workflow = workflow
        self.audience = audience
        self.request_token = secrets.token_urlsafe(24)
        self.issued: list[str] = []
        self._key = key or usual_key()
        self.key_id = "stand-in"

    @property
    def keys(self) -> dict[str, rsa.RSAPublicKey]:
        """What an index verifies tokens with."""
        return {self.key_id: self._key.public_key()}

    @property
    def variables(self) -> dict[str, str]:
        """What a job with `id-token: write` has in its environment."""
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}{_PATH}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.request_token,
        }

    def answer(self, record: Record) -> Answer:
        if (record.method, record.path) != ("GET", _PATH):
            return refusal(404)
        scheme, _, token = record.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token != self.request_token:
            return refusal(401)
        asked = parse_qs(record.query, strict_parsing=True)
        if asked.pop("api-version", []) != ["2.0"] or set(asked) - {"audience"}:
            return refusal(400, "api-version and audience are the parameters")
        audience = asked.get("audience", [f"https://github.com/{self._owner}"])
        if len(audience) != 1:
            return refusal(400, "one audience only")
        value = self.token(self.audience or audience[0])
        return json_answer({"count": len(value), "value": value})

    def token(self, audience: str, **changes: object) -> str:
        """Sign a token for `audience`, with `changes` to the claims of this one alone."""
        claims = self._claims(audience) | self.claims | changes
        given = {name: value for name, value in claims.items() if value is not None}
        token = sign(given, self._key, self.key_id)
        self.issued.append(token)
        return token

    @property
    def _repository(self) -> str:
        return str(self.claims.get("repository", "octo-org/demo"))

    @property
    def _owner(self) -> str:
        return self._repository.partition("/")[0]

    def _claims(self, audience: str) -> dict[str, object]:
        now = int(self.clock())
        return {
            "jti": str(uuid.uuid4()),
            "iss": ISSUER,
            "aud": audience,
            "iat": now,
            "nbf": now - 600,
            "exp": now + LIFETIME,
            **self._job(),
            **_ALWAYS,
        }

    def _job(self) -> dict[str, object]:
        ref = str(self.claims.get("ref", "refs/tags/v1.0"))
        workflow = f"{self._repository}/.github/workflows/{self.workflow}@{ref}"
        environment = self.claims.get("environment")
        context = f"environment:{environment}" if environment else f"ref:{ref}"
        return {
            "sub": f"repo:{self._repository}:{context}",
            "repository": self._repository,
            "repository_owner": self._owner,
            "ref": ref,
            "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
            "workflow_ref": workflow,
            "job_workflow_ref": workflow,
        }


#: Claims that nothing else depends on.
_ALWAYS: dict[str, object] = {
    "repository_id": "74",
    "repository_owner_id": "65",
    "repository_visibility": "public",
    "actor": "octocat",
    "actor_id": "12",
    "workflow": "release",
    "sha": _SHA,
    "workflow_sha": _SHA,
    "job_workflow_sha": _SHA,
    "run_id": "1000",
    "run_number": "10",
    "run_attempt": "1",
    "head_ref": "",
    "base_ref": "",
    "event_name": "push",
    "ref_protected": "false",
    "runner_environment": "github-hosted",
}


def sign(claims: Mapping[str, object], key: rsa.RSAPrivateKey, key_id: str) -> str:
    """Return a JSON Web Token, signed with RS256."""
    header = {"typ": "JWT", "alg": "RS256", "kid": key_id}
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in (header, dict(claims)))
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return b".".join((signed, _encoded(signature))).decode()


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
