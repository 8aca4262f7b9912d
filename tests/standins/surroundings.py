"""All that a job which publishes has around it: identity, Sigstore, an index."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.standins.index import IndexServer
from tests.standins.oidc import OidcServer
from tests.standins.publishers import Publisher
from tests.standins.receiving import Rules
from tests.standins.sigstore import SigstoreServer
from tests.standins.traffic import Clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.standins.certificates import Certificates
    from tests.standins.traffic import Record


@dataclass
class Surroundings:
    """Started by `with`. What an index gets is signed, or refused."""

    certificates: Certificates
    publisher: Publisher = field(default_factory=lambda: Publisher("demo"))
    claims: Mapping[str, object] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    clock: Clock = field(default_factory=Clock)

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self.oidc = self._stack.enter_context(OidcServer(self.claims, clock=self.clock))
        self.sigstore = self._stack.enter_context(SigstoreServer(self.oidc.keys, clock=self.clock))
        self.rules.verifier = self.sigstore.verifier
        self.index = self._stack.enter_context(
            IndexServer(
                self.rules,
                certificates=self.certificates,
                publishers=[self.publisher],
                keys=self.oidc.keys,
                clock=self.clock,
            )
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def variables(self) -> dict[str, str]:
        """What a job with `id-token: write` has in its environment."""
        return {**self.oidc.variables, **self.index.variables}

    @property
    def environ(self) -> dict[str, str]:
        """The environment of this process, with nothing in it that publishing might find."""
        known = {name: value for name, value in os.environ.items() if not _is_found(name)}
        return {**known, **self.variables}

    @property
    def secrets(self) -> set[str]:
        """Every secret that was given to somebody so far."""
        known = {self.oidc.request_token, *self.oidc.issued, *self.index.mint.grants}
        return known | self.rules.api_tokens | set(self.rules.users.values())

    @property
    def troubles(self) -> list[BaseException]:
        """What went wrong in a stand-in itself."""
        return [*self.oidc.troubles, *self.sigstore.troubles, *self.index.troubles]

    def sigstore_got(self, secret: str) -> bool:
        return any(record.carries(secret) for record in self.sigstore.records)

    def asked(self, path: str) -> list[Record]:
        """Return the requests to the index whose path begins so."""
        return [record for record in self.index.records if record.path.startswith(path)]


def _is_found(name: str) -> bool:
    return name.startswith(("TWINE_", "GITHUB_", "ACTIONS_", "INPUT_", "AARCH64_WHEELS_"))
