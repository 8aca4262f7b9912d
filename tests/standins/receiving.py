"""Receiving an upload: who sends it, whether it may be stored, and storing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.standins.attestations import (
    AttestationError,
    read_attestations,
    verify_attestations,
)
from tests.standins.multipart import read_parts
from tests.standins.publishers import Grant
from tests.standins.simple import Shelf, StoredFile
from tests.standins.traffic import Answer, Record
from tests.standins.uploads import (
    Form,
    RefusedError,
    check_digests,
    check_file,
    check_form,
    check_name,
    digests,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sigstore.verify import Verifier

_MIB = 1 << 20
_GIB = 1 << 30


@dataclass
class Rules:
    """What differs between indexes, or between tests.

    Without `users`, a user's name and password are refused as the public index does it. The same
    file twice is refused; `equal_again` takes one with equal content silently, and stores nothing.
    Without a `verifier` only the shape of attestations is checked, and of what file they are.
    """

    audience: str = "pypi"
    token_seconds: int = 900
    trusted_publishing: bool = True
    api_tokens: frozenset[str] = frozenset()
    users: Mapping[str, str] = field(default_factory=dict)
    file_limit: int = 100 * _MIB
    project_limit: int = 10 * _GIB
    equal_again: bool = False
    hidden_requests: int = 0
    hidden_seconds: float = 0.0
    verifier: Verifier | None = None


@dataclass
class Receiver:
    """The desk of an index; `grants` are the tokens that it minted."""

    rules: Rules
    shelf: Shelf
    grants: Mapping[str, Grant]
    clock: Callable[[], float]

    def receive(self, record: Record) -> Answer:
        """Store the file that came, or raise what the index has against it."""
        form = Form(read_parts(record.headers.get("content-type", ""), record.body))
        record.filename = next((part.filename for part in form.parts if part.filename), "")
        if form.text(":action") != "file_upload":
            raise RefusedError(400, f"Unknown action: {form.text(':action')!r}")
        grant = self._identity(record)
        check_form(form)
        _ = form.file
        self._check_permission(form, grant)
        check_name(form)
        self._check_size(form)
        check_digests(form)
        if self._is_equal_again(form):
            return Answer()
        check_file(form)
        self.shelf.add(self._stored(form, grant))
        return Answer()

    def _identity(self, record: Record) -> Grant:
        user, password = record.credentials()
        if user and user != "__token__" and not self.rules.users:
            raise RefusedError(403, "Username/Password authentication is no longer supported.")
        if user and self.rules.users.get(user) == password:
            return Grant()
        if user == "__token__" and password in self.rules.api_tokens:
            return Grant()
        grant = self.grants.get(password) if user == "__token__" else None
        if grant is None:
            raise RefusedError(
                403,
                "Invalid or non-existent authentication information. "
                f"See {_help('invalid-auth')} for more information.",
            )
        return grant

    def _check_permission(self, form: Form, grant: Grant) -> None:
        if grant.publisher is None:
            return
        if form.project not in self.shelf.projects:
            raise RefusedError(
                400,
                "Non-user identities cannot create new projects. This was probably caused by "
                "successfully using a pending publisher but specifying the project name "
                "incorrectly (either in the publisher or in your project's metadata).",
            )
        if self.clock() >= grant.expires:
            raise RefusedError(403, "Invalid API Token: token is expired")
        if form.project not in grant.projects:
            name = self.shelf.projects[form.project]
            raise RefusedError(
                403, f"Invalid API Token: OIDC scoped token is not valid for project {name!r}"
            )

    def _check_size(self, form: Form) -> None:
        size, name = len(form.file.content), self.shelf.projects.get(form.project, form.project)
        if size > self.rules.file_limit:
            raise RefusedError(
                400,
                f"File too large. Limit for project {name!r} is {self.rules.file_limit // _MIB} "
                f"MB. See {_help('file-size-limit')} for more information.",
            )
        if size + sum(len(file.content) for file in self.shelf.of(name)) > self.rules.project_limit:
            raise RefusedError(
                400,
                f"Project size too large. Limit for project {name!r} total size is "
                f"{self.rules.project_limit // _GIB} GB. See {_help('project-size-limit')}",
            )

    def _is_equal_again(self, form: Form) -> bool:
        """Refuse a name that is taken, unless the content is equal and the rules allow that."""
        filename, content = form.file.filename or "", form.file.content
        known, see = self.shelf.files.get(filename), _help("file-name-reuse")
        if filename in self.shelf.deleted:
            raise RefusedError(
                400,
                "This filename was previously used by a file that has since been deleted. "
                f"Use a different version. See {see} for more information.",
            )
        if known and not (self.rules.equal_again and known.content == content):
            digest = digests(content)["blake2_256"]
            raise RefusedError(
                400,
                f"File already exists ({filename!r}, with blake2_256 hash {digest!r}). "
                f"See {see} for more information.",
            )
        return known is not None

    def _stored(self, form: Form, grant: Grant) -> StoredFile:
        filename, content = form.file.filename or "", form.file.content
        return StoredFile(
            self.shelf.projects.get(form.project, form.text("name")),
            form.text("version"),
            filename,
            content,
            self.clock(),
            form.text("requires_python"),
            self._attestations(form, grant, filename),
        )

    def _attestations(self, form: Form, grant: Grant, filename: str) -> list[dict[str, Any]]:
        if not form.texts("attestations"):
            return []
        if grant.publisher is None:
            raise _bad_attestations("Attestations are only supported when using Trusted Publishing")
        verifier = self.rules.verifier
        try:
            sha256 = digests(form.file.content)["sha256"]
            items = read_attestations(form.text("attestations"), filename, sha256)
            if verifier:
                verify_attestations(items, grant.publisher, filename, sha256, verifier)
        except AttestationError as error:
            raise _bad_attestations(str(error)) from None
        return items


def _help(anchor: str) -> str:
    return f"https://index.invalid/help/#{anchor}"


def _bad_attestations(reason: str) -> RefusedError:
    return RefusedError(400, f"Invalid attestations supplied during upload: {reason}")
