"""Signed statements that a file comes from this very CI job (PEP 740), made by Sigstore.

They are made anew for each upload and live in memory: a file beside a wheel that an earlier run
has left would be of another job.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from id import GitHubOidcPermissionCredentialError, detect_credential
from pypi_attestations import Attestation
from pypi_attestations import Distribution as Subject
from sigstore.errors import Error as SigstoreError
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import Signer, SigningContext

from aarch64_wheels.errors import AarchWheelsError, PublishError, UsageError
from aarch64_wheels.publish.answers import said
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aarch64_wheels.publish.distributions import Distribution

#: For whom Sigstore's certificate authority wants a job's identity.
_AUDIENCE = "sigstore"
#: An index verifies what is in a log of this version only (pypi-attestations' own command, too).
_LOG_VERSION = 1
#: Seconds before another try. None before the first: a certificate that is older than its ten
#: minutes is the usual trouble.
_PAUSES = (0.0, 2.0, 8.0)
_MOST_SAID = 300


@dataclass(kw_only=True)
class Attester:
    """Signs files in the name of this job.

    Attributes:
        trust_config: a private Sigstore's (its ClientTrustConfig as JSON); None: the public one.
        mask: told each secret before it is used. sleep: waits seconds.
    """

    trust_config: Path | None
    mask: Callable[[str], None]
    sleep: Callable[[float], None] = field(default=time.sleep)
    _context: SigningContext | None = field(default=None, repr=False)
    _signer: Signer | None = field(default=None, repr=False)

    def attest(self, one: Distribution) -> dict[str, Any]:
        """Sign one file; gives the attestation as an index takes it.

        Raises:
            PublishError: Sigstore does not answer, or does not believe this job.
            UsageError: there is no such trust configuration.
        """
        subject = Subject(name=one.filename, digest=one.sha256)
        for pause in (*_PAUSES, None):
            try:
                return Attestation.sign(self._current(), subject).model_dump(mode="json")
            except AarchWheelsError:
                raise
            except Exception as error:  # noqa: BLE001 - errors of Sigstore's clients have no base
                self._signer = None
                if pause is None:
                    raise _explained(one, error) from None
            self.sleep(pause)
        raise AssertionError

    def _current(self) -> Signer:
        if self._signer is None:
            self._context = self._context or self._opened()
            self._signer = Signer(IdentityToken(self._token()), self._context)
        return self._signer

    def _token(self) -> str:
        try:
            token = detect_credential(_AUDIENCE)
        except GitHubOidcPermissionCredentialError as error:
            raise PublishError(
                "this job cannot sign what it publishes",
                found=one_line(str(error)),
                hint="give the job `permissions: id-token: write`, or use --attestations never",
            ) from None
        if not token:
            raise PublishError(
                "files can be signed in CI only",
                found="nothing here says which job this is",
                hint="use --attestations never",
            )
        self.mask(token)
        return token

    def _opened(self) -> SigningContext:
        if self.trust_config is None:
            return _context(ClientTrustConfig.production())
        try:
            text = self.trust_config.read_text(encoding="utf-8")
            return _context(ClientTrustConfig.from_json(text))
        except (OSError, ValueError, SigstoreError) as error:
            raise UsageError(
                f"{self.trust_config} is no trust configuration of Sigstore",
                found=one_line(str(error))[:_MOST_SAID],
                hint="--trust-config takes a ClientTrustConfig of version 0.1, as JSON",
            ) from None


def _context(trust: ClientTrustConfig) -> SigningContext:
    trust.force_tlog_version = _LOG_VERSION
    return SigningContext.from_trust_config(trust)


def _explained(one: Distribution, error: Exception) -> PublishError:
    return PublishError(
        f"{one.filename} could not be signed: nothing is uploaded",
        found=_words(error),
        hint="publish again later, or with --attestations never",
    )


def _words(error: Exception) -> str:
    """Give the words of an answer: Sigstore's clients keep them to themselves."""
    answer = getattr(error.__cause__ or error.__context__ or error, "response", None)
    if isinstance(answer, requests.Response):
        host = urlsplit(answer.url).hostname
        return f"{host} answered {answer.status_code} {said(answer)}"[:_MOST_SAID]
    return f"{type(error).__name__}: {one_line(str(error))}"[:_MOST_SAID]
