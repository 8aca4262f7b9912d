"""A package index on loopback: Trusted Publishing, uploads, simple pages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.standins.multipart import MultipartError
from tests.standins.publishers import Mint, Publisher
from tests.standins.receiving import Receiver, Rules
from tests.standins.serving import StandIn
from tests.standins.simple import Shelf, StoredFile
from tests.standins.traffic import Answer, Record, json_answer, refusal
from tests.standins.uploads import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric import rsa

    from tests.standins.certificates import Certificates


class IndexServer(StandIn):
    """Served over TLS where it is given certificates, as clients of Trusted Publishing demand.

    `keys` are those of the service of identity: `OidcServer.keys`.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        *,
        certificates: Certificates | None = None,
        publishers: Sequence[Publisher] = (),
        keys: Mapping[str, rsa.RSAPublicKey] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(certificates, clock)
        self.rules = rules or Rules()
        self.shelf = Shelf(clock, self.rules.hidden_requests, self.rules.hidden_seconds)
        for publisher in publishers:
            if not publisher.pending:
                self.add_project(publisher.project)
        self.mint = Mint(
            list(publishers),
            keys or {},
            clock,
            self.shelf.projects,
            self.rules.audience,
            self.rules.token_seconds,
            self.rules.trusted_publishing,
        )
        self._receiver = Receiver(self.rules, self.shelf, self.mint.grants, clock)
        #: What is done when so many files are stored.
        self.on_upload: dict[int, Callable[[], object]] = {}

    @property
    def upload_url(self) -> str:
        return f"{self.url}/legacy/"

    @property
    def simple_url(self) -> str:
        return f"{self.url}/simple/"

    @property
    def variables(self) -> dict[str, str]:
        """What a client needs in its environment: whom to trust, and no proxy in between."""
        trust = self._certificates.variables if self._certificates else {}
        return {**trust, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

    @property
    def files(self) -> dict[str, StoredFile]:
        """What is stored, by name, whether it is listed yet or not."""
        return self.shelf.files

    @property
    def uploads(self) -> list[Record]:
        """Every attempt to upload, whatever became of it."""
        return [
            record
            for record in self.records
            if record.method == "POST" and record.path.startswith("/legacy")
        ]

    def arrivals(self, filename: str) -> list[int]:
        """Return what the index decided, each time that `filename` was sent to it.

        An upload that a fault kept it from looking at is not among them.
        """
        return [record.outcome for record in self.uploads if record.filename == filename]

    def add_project(self, name: str) -> None:
        self.shelf.add_project(name)

    def add_file(self, project: str, version: str, filename: str, content: bytes) -> None:
        """Store a file as if it had been uploaded long ago."""
        self.shelf.add(StoredFile(project, version, filename, content, 0.0, asked=1 << 30))

    def answer(self, record: Record) -> Answer:
        if record.path.startswith("/_/oidc/"):
            return self._publishing(record)
        if record.path.rstrip("/") == "/legacy":
            return self._legacy(record)
        if record.method != "GET":
            return refusal(405)
        if record.path.startswith("/simple/"):
            accept = record.headers.get("accept", "")
            return self.shelf.page(record.path, accept, self.url)
        return self.shelf.download(record.path)

    def _publishing(self, record: Record) -> Answer:
        match record.method, record.path:
            case "GET", "/_/oidc/audience" if not self.mint.enabled:
                message = "Trusted publishing functionality not enabled"
                return json_answer({"message": message}, 403)
            case "GET", "/_/oidc/audience":
                return json_answer({"audience": self.mint.audience})
            case "POST", "/_/oidc/mint-token":
                return self.mint.exchange(record.body)
            case _, "/_/oidc/audience" | "/_/oidc/mint-token":
                return refusal(405)
        return refusal(404)

    def _legacy(self, record: Record) -> Answer:
        if record.method != "POST":
            return refusal(405)
        if record.path == "/legacy":
            message = "An upload was attempted to /legacy but the expected upload URL is /legacy/"
            return refusal(308, message, {"Location": "/legacy/"})
        try:
            answer = self._receiver.receive(record)
        except MultipartError as error:
            return refusal(400, str(error))
        except RefusedError as error:
            return refusal(error.status, error.message)
        self.on_upload.pop(len(self.files), lambda: None)()
        return answer
