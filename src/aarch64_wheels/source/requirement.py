"""A requirement becomes an sdist file: the newest release that matches, over the host's indexes.

Indexes are asked as uv asks them: the extra ones first, and the first that has
sdists of the project decides, so that no other index can slip in a newer release.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pypi_simple
import requests
from packaging.version import InvalidVersion, Version
from pypi_simple import DistributionPackage, PyPISimple

from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.hostindex import IndexSettings, without_credentials
from aarch64_wheels.redaction import redact
from aarch64_wheels.source.cache import SdistCache, SdistRecord
from aarch64_wheels.source.release import choose, is_sdist
from aarch64_wheels.source.session import TIMEOUT, make_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

_ATTEMPTS = 3


def fetch_sdist(
    requirement: Requirement,
    index: IndexSettings,
    cache: SdistCache,
    *,
    reuse: bool,
    session: requests.Session | None = None,
) -> Path:
    """Fetch the newest matching sdist to the cache.

    An exact pin whose file is in the cache needs no network.

    Args:
        requirement: without marker and URL.
        index: where to look.
        cache: where the file is kept.
        reuse: take what the cache holds.
        session: for tests; None makes one with retries, CA bundle and credentials.

    Raises:
        UsageError: no such project or release, or a release without sdist, or the settings
            allow no index, or name one that cannot be asked.
        UnfitError: an index cannot be reached or sent something else.
    """
    _refuse_indexes(requirement.name, index)
    urls = (*index.extra_index_urls, index.index_url or pypi_simple.PYPI_SIMPLE_ENDPOINT)
    if reuse and (kept := _pinned(requirement, cache, urls)):
        return cache.path(kept)
    with session or make_session(index, urls) as http:
        url, packages = _first_with_sdists(requirement, urls, http)
        package = choose(packages, requirement, url)
        version = Version(package.version or "")
        if reuse and (kept := cache.find(requirement.name, version)) and _same(kept, package, url):
            return cache.path(kept)
        return cache.path(_download(package, requirement.name, url, cache, http))


def _refuse_indexes(name: str, index: IndexSettings) -> None:
    """Refuse to ask the public index where the settings say something else."""
    hint = f"download the sdist of {name} and give the file"
    if index.no_index:
        raise UsageError(
            f"no index is allowed by {index.no_index}, so {name} cannot be fetched",
            hint=f"{hint} (find-links are not looked at), or unset it",
        )
    if index.unusable_main:
        raise UsageError(
            f"the configured package index cannot be asked for {name}",
            found=f"{index.unusable_main} is no http or https URL; the public index was not asked",
            hint=f"{hint}, or correct UV_DEFAULT_INDEX, PIP_INDEX_URL or pip's configuration",
        )


def _pinned(
    requirement: Requirement, cache: SdistCache, urls: tuple[str, ...]
) -> SdistRecord | None:
    """Find an exact pin's cached file, if it came from one of the indexes configured now."""
    for specifier in requirement.specifier:
        if specifier.operator not in ("==", "===") or specifier.version.endswith(".*"):
            continue
        try:
            kept = cache.find(requirement.name, Version(specifier.version))
        except InvalidVersion:  # `===` takes any text (PEP 440)
            continue
        if kept and kept.index in map(without_credentials, urls):
            matches = requirement.specifier.contains(kept.version, prereleases=True)
            return kept if matches else None
    return None


def _same(kept: SdistRecord, package: DistributionPackage, url: str) -> bool:
    return kept.index == url and kept.sha256 == package.digests.get("sha256")


def _first_with_sdists(
    requirement: Requirement, urls: tuple[str, ...], session: requests.Session
) -> tuple[str, list[DistributionPackage]]:
    """Ask for the first index with sdists of the project, or the first that knows it at all."""
    pages: list[tuple[str, list[DistributionPackage]]] = []
    for url in map(without_credentials, urls):
        packages = _packages(requirement.name, url, session)
        if any(is_sdist(package) for package in packages):
            return url, packages
        if packages:
            pages.append((url, packages))
    if not pages:
        raise UsageError(
            f"no such project: {requirement.name}",
            found="asked " + ", ".join(map(without_credentials, urls)),
            hint="check the spelling; a directory is given as ./" + requirement.name,
        )
    return pages[0]


def _packages(name: str, url: str, session: requests.Session) -> list[DistributionPackage]:
    with _reaching(url):
        try:
            page = PyPISimple(url, session=session).get_project_page(name, timeout=TIMEOUT)
        except pypi_simple.NoSuchProjectError:
            return []
    return page.packages


def _download(
    package: DistributionPackage, name: str, url: str, cache: SdistCache, session: requests.Session
) -> SdistRecord:
    """Stream the file to the cache, verified against the index's hashes where it gives any."""
    if Path(package.filename).name != package.filename:  # an index may send anything
        raise UnfitError(f"{url} names a file {package.filename!r}, which is no file name")
    client = PyPISimple(url, session=session)

    def download(path: Path) -> None:
        with _reaching(url):
            _with_retries(client, package, path)

    record = SdistRecord(
        name=name,
        version=package.version or "",
        filename=package.filename,
        sha256="",
        index=url,
    )
    return cache.add(record, download)


def _with_retries(client: PyPISimple, package: DistributionPackage, path: Path) -> None:
    """urllib3 retries requests, but not a body that breaks off: begin such a file again."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            client.download_package(package, path, verify=bool(package.digests), timeout=TIMEOUT)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            if attempt == _ATTEMPTS:
                raise
        else:
            return


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    """Turn what can go wrong between here and an index into an error that says where."""
    try:
        yield
    except requests.HTTPError as error:
        raise _refused(url, error) from error
    except (pypi_simple.DigestMismatchError, pypi_simple.NoDigestsError) as error:
        what = f"what {url} sent does not have the hash it announced"
        raise UnfitError(what, found=_scrub(error), hint="try again, or ask who runs it") from error
    except (requests.RequestException, ValueError) as error:
        raise _unreachable(url, error) from error
    except OSError as error:
        if error.errno:  # the file system's, not the network's: told by the cache
            raise
        raise _unreachable(url, error) from error


def _refused(url: str, error: requests.HTTPError) -> UnfitError:
    status = error.response.status_code
    hint = "try again later"
    if status in (401, 403, 407):
        hint = "check the credentials in PIP_INDEX_URL or UV_DEFAULT_INDEX, or in the proxy's URL"
    return UnfitError(f"the package index {url} refused", found=f"HTTP status {status}", hint=hint)


def _unreachable(url: str, error: Exception) -> UnfitError:
    return UnfitError(
        f"the package index {url} cannot be reached",
        found=_scrub(error),
        hint="check the network, HTTPS_PROXY, PIP_INDEX_URL and REQUESTS_CA_BUNDLE",
    )


def _scrub(error: Exception) -> str:
    """Put the error's text on one line, without the credentials a (proxy's) URL may hold."""
    return redact(" ".join((str(error) or type(error).__name__).split()))[:400]
