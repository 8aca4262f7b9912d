"""Publishing to a package index: planned first, then sent, then seen to be listed."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aarch64_wheels.errors import PublishError
from aarch64_wheels.hostindex import login_of, without_credentials
from aarch64_wheels.publish.access import Access
from aarch64_wheels.publish.attestations import Attester
from aarch64_wheels.publish.checks import package_of
from aarch64_wheels.publish.index import Index, find_index, is_public
from aarch64_wheels.publish.journal import FILE_NAME, Journal
from aarch64_wheels.publish.plan import IndexPlan, Step, plan_index
from aarch64_wheels.publish.reader import Reader, same_server
from aarch64_wheels.publish.upload import Sent, Uploader
from aarch64_wheels.publish.verify import Verifier
from aarch64_wheels.settings.publishing import Attestations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from twine.package import PackageFile

    from aarch64_wheels.publish.access import Destination
    from aarch64_wheels.publish.distributions import Distribution
    from aarch64_wheels.publish.teller import Teller
    from aarch64_wheels.settings.publishing import PublishSettings

#: Seconds to wait for what an earlier run has sent; then it is sent again, and the index decides.
_LATE = 60.0
#: How a file is told of that was to be uploaded.
_WORDS = {
    Sent.TAKEN: "uploaded {}",
    Sent.THERE: "{} is there",
    Sent.CLAIMED: "{} is to be listed yet",
}


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One release's files and one index.

    Attributes:
        files: of one project. access: who uploads. index: what is there already.
        journal: what was sent a short time ago. attester: signs files, None: nobody does.
        teller: told what is done. sleep, clock: the time.
    """

    files: Sequence[Distribution]
    access: Access
    index: Index
    journal: Journal
    attester: Attester | None
    teller: Teller
    sleep: Callable[[float], None] = field(default=time.sleep)
    clock: Callable[[], float] = field(default=time.monotonic)

    @classmethod
    def open(
        cls,
        settings: PublishSettings,
        files: Sequence[Distribution],
        environ: Mapping[str, str],
        teller: Teller,
    ) -> Publication:
        """Find the index; nothing is sent, and no token is asked for.

        Raises:
            UsageError: there is no such repository.
            PublishError: it is not to be found where it lists its files.
        """
        access = Access.find(settings, environ, teller.mask)
        destination = access.destination
        if destination.is_open:
            teller.note(f"{destination.url} has no TLS: what is sent can be read on its way")
        attester = Attester(trust_config=settings.trust_config, mask=teller.mask)
        return cls(
            files=files,
            access=access,
            index=_index(settings, files[0].project, destination, environ, teller),
            journal=Journal(path=_place(settings, files) / FILE_NAME),
            attester=attester if _is_attested(settings, access) else None,
            teller=teller,
        )

    def plan(self) -> IndexPlan:
        """Compare what there is with what is there.

        Raises:
            PublishError: the index has other files of these names, or does not answer.
        """
        url, names = self.access.destination.url, [one.filename for one in self.files]
        listed = self.index.hashes(self.files[0].project, names)
        return plan_index(url, self.files, listed, self.journal.sent(url))

    def publish(self, plan: IndexPlan) -> None:
        """Send what the plan names, and wait until the index lists all of it.

        Raises:
            PublishError: the index does not let us in, refuses a file, or does not list it.
        """
        verifier = Verifier(
            index=self.index, note=self.teller.note, sleep=self.sleep, clock=self.clock
        )
        late = replace(verifier, patience=_LATE).wait(plan.of(Step.SENT))
        if uploads := [*plan.of(Step.UPLOAD), *late]:
            self._send(uploads)
        verifier.require([*plan.of(Step.SENT), *plan.of(Step.UPLOAD)])
        self.teller.note(f"{plan.destination} has all {len(plan.items)} files")

    def _send(self, files: Sequence[Distribution]) -> None:
        """Send files, one after the other: whatever happens, all before are there."""
        packages = [_package(one) for one in files]
        with closing(self.access.enter()) as repository:
            for one, package in zip(files, packages, strict=True):
                self._sign(one, package)
            uploader = Uploader(
                repository=repository,
                index=self.index,
                note=self.teller.note,
                sleep=self.sleep,
                clock=self.clock,
            )
            for number, one in enumerate(files, start=1):
                sent = uploader.send(one, packages[number - 1])
                words = _WORDS[sent].format(one.filename)
                self.teller.note(f"{words} ({number} of {len(packages)})")
                if sent is not Sent.CLAIMED:  # whose file that is, nobody has seen
                    self._remember(one)

    def _remember(self, one: Distribution) -> None:
        """Note it in the journal, which spares work and is not needed: what is listed counts."""
        try:
            self.journal.note(self.access.destination.url, one)
        except PublishError as error:
            self.teller.note(f"{error.what}: {error.found}")

    def _sign(self, one: Distribution, package: PackageFile) -> None:
        if self.attester is not None:
            package.attestations = [self.attester.attest(one)]
            self.teller.note(f"signed {one.filename}")


def _package(one: Distribution) -> PackageFile:
    package = package_of(one)
    if package.sha2_digest != one.sha256:
        raise PublishError(
            f"{one.filename} is not the file any more that was checked: nothing is uploaded",
            found="something has written it since",
            hint="publish again when nothing builds into its directory",
        )
    return package


def _place(settings: PublishSettings, files: Sequence[Distribution]) -> Path:
    """Give the directory of the journal: files from elsewhere need no output directory."""
    return settings.output_dir if settings.output_dir.is_dir() else files[0].path.parent


def _index(
    settings: PublishSettings,
    project: str,
    destination: Destination,
    environ: Mapping[str, str],
    teller: Teller,
) -> Index:
    """Find where the index lists its files; who uploads reads, too."""
    reader = Reader(
        auth=destination.reader,
        ca_bundle=environ.get("TWINE_CERT", ""),
        client_cert=environ.get("TWINE_CLIENT_CERT", ""),
    )
    if not settings.index_url:
        return find_index(destination.url, project, reader)
    url = without_credentials(settings.index_url)
    if login := login_of(settings.index_url):
        teller.mask(login[1] or login[0])
        reader = replace(reader, auth=login)
    elif not same_server(destination.url, url):  # it is somebody else's
        reader = replace(reader, auth=None)
    return _seen(Index(url=url.rstrip("/") + "/", reader=reader), project)


def _seen(index: Index, project: str) -> Index:
    """See that there is an index: at a wrong place, no project is known, and no file is there.

    Raises:
        PublishError: there is none.
    """
    if index.knows(project) or index.answers():
        return index
    raise PublishError(
        f"{index.url} lists no files, neither of {project} nor of any project",
        found="what is there already cannot be compared: nothing is uploaded",
        hint="check --index-url: it is the place that `pip install --index-url` takes",
    )


def _is_attested(settings: PublishSettings, access: Access) -> bool:
    if settings.attestations is not Attestations.AUTO:
        return settings.attestations is Attestations.ALWAYS
    return access.destination.trusted and is_public(access.destination.url)
