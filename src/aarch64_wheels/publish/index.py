"""What a package index lists, by SHA-256, and where it lists it (PEP 503, PEP 691)."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import requests
from pypi_simple import (
    PYPI_SIMPLE_ENDPOINT,
    NoSuchProjectError,
    PyPISimple,
    UnexpectedRepoVersionWarning,
)
from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

from aarch64_wheels.errors import PublishError
from aarch64_wheels.publish.reader import NoListingError, Reader, same_server

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pypi_simple import DistributionPackage

#: Seconds to connect, and between two parts of an answer.
_TIMEOUT = (15.0, 60.0)
#: A page that a cache has kept from before the upload is no answer.
_FRESH = {"Cache-Control": "no-cache", "Pragma": "no-cache"}
#: Of a `.gz`, a server may say that it is encoded, and have it decoded on the way.
_AS_IT_IS = {"Accept-Encoding": "identity"}
#: Where public indexes list what they take.
_PUBLIC = {
    DEFAULT_REPOSITORY: PYPI_SIMPLE_ENDPOINT,
    TEST_REPOSITORY: TEST_REPOSITORY.removesuffix("legacy/") + "simple/",
}
#: Where servers list what is uploaded to a URL: devpi has `+simple/`, most others `simple/`.
_LISTINGS = ("simple/", "+simple/")
#: How a URL for uploads ends where the listing is beside it (PyPI and its like, Azure).
_BESIDE = ("/legacy/", "/upload/")


def is_public(repository_url: str) -> bool:
    """Tell whether uploads to a URL go to PyPI or TestPyPI."""
    return repository_url.startswith(tuple(_PUBLIC))


def listing_candidates(repository_url: str) -> tuple[str, ...]:
    """Guess where an index lists its files, from where it takes them; the best guess is first.

    Args:
        repository_url: for uploads.
    """
    base = repository_url.rstrip("/") + "/"
    if base in _PUBLIC:
        return (_PUBLIC[base],)
    if base.endswith(tuple(f"/{listing}" for listing in _LISTINGS)):
        return (base,)
    beside = [base.removesuffix(end) + "/simple/" for end in _BESIDE if base.endswith(end)]
    return (*beside, *(base + listing for listing in _LISTINGS))


@dataclass(frozen=True, kw_only=True)
class Index:
    """A package index, to be read.

    Attributes:
        url: of its listing of projects, with a slash at the end.
        reader: how it is read.
    """

    url: str
    reader: Reader = field(default_factory=Reader)

    def hasty(self) -> Index:
        """Give it for those who have a patience of their own: errors come at once."""
        return replace(self, reader=replace(self.reader, waits=()))

    def hashes(self, project: str, names: Collection[str]) -> dict[str, str]:
        """Give the SHA-256 of those files that the index has, by name.

        Where it tells no SHA-256, the file is fetched and hashed.

        Args:
            project: an unknown one has no files.
            names: of the files that are asked for.

        Raises:
            PublishError: the index does not answer, or not as an index does.
        """
        rows = [row for row in self._rows(project) if row.filename in names]
        return {row.filename: self._hash(row) for row in rows}

    def knows(self, project: str) -> bool:
        """Tell whether there is a page with files of a project.

        Raises:
            PublishError: as `hashes`.
        """
        return any(row.package_type for row in self._rows(project))

    def answers(self) -> bool:
        """Tell whether there is a listing at all."""
        try:
            with self.reader.listing() as session:
                answer = session.get(self.url, timeout=_TIMEOUT, stream=True)
                answer.close()
        except requests.RequestException:
            return False
        return bool(answer.status_code == requests.codes.ok)

    def _rows(self, project: str) -> Sequence[DistributionPackage]:
        return self.reader.patiently(self.url, partial(self._page, project))

    def _page(self, project: str) -> Sequence[DistributionPackage]:
        with self.reader.listing() as session, warnings.catch_warnings():
            # What newer pages have in addition is not read here.
            warnings.simplefilter("ignore", UnexpectedRepoVersionWarning)
            client = PyPISimple(self.url, session=session)
            try:
                page = client.get_project_page(project, timeout=_TIMEOUT, headers=_FRESH)
            except NoSuchProjectError:
                return ()
        return page.packages

    def _hash(self, row: DistributionPackage) -> str:
        if known := (row.digests or {}).get("sha256"):
            return known.lower()
        return self.reader.patiently(self.url, partial(self._fetched, row.url))

    def _fetched(self, url: str) -> str:
        # The file may lie with somebody else, who is not to see the password.
        session = self.reader.files(private=same_server(self.url, url))
        digest = hashlib.sha256()
        with session, session.get(url, timeout=_TIMEOUT, stream=True, headers=_AS_IT_IS) as answer:
            answer.raise_for_status()
            for chunk in answer.raw.stream(1 << 20, decode_content=False):
                digest.update(chunk)
        return digest.hexdigest()


def find_index(repository_url: str, project: str, reader: Reader) -> Index:
    """Find where an index lists its files.

    Args:
        repository_url: where it takes them.
        project: one that it may have.
        reader: how it is read.

    Raises:
        PublishError: nowhere that is known.
    """
    urls = listing_candidates(repository_url)
    if urls[0] in _PUBLIC.values():  # they list for everybody: nobody's token need go there
        return Index(url=urls[0], reader=replace(reader, auth=None))
    rows = [Index(url=url, reader=reader) for url in urls]
    refused: list[NoListingError] = []
    for row in rows:
        try:
            if row.knows(project):
                return row
        except NoListingError as error:
            refused.append(error)
    for row in rows:
        if row.answers():
            return row
    raise refused[0] if refused else _nowhere(repository_url, urls)


def _nowhere(repository_url: str, urls: Sequence[str]) -> PublishError:
    return PublishError(
        f"cannot find where {repository_url} lists its files",
        found=f"nothing at {' nor '.join(urls)}",
        hint="name the place with --index-url: what is there already is compared by hash",
    )


def changed(listed: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Name the files that are listed with another hash than the one wanted."""
    return [name for name, sha256 in wanted.items() if listed.get(name, sha256) != sha256]
