"""Fetches an sdist by its own URL, as requirements are fetched: same proxies, CAs, logins."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from aarch64_wheels.errors import UnfitError, UsageError
from aarch64_wheels.redaction import redact
from aarch64_wheels.source.session import TIMEOUT, make_session

if TYPE_CHECKING:
    from pathlib import Path

    from aarch64_wheels.hostindex import IndexSettings
    from aarch64_wheels.source.urls import SdistLocation

#: More than any sdist that an index takes, in bytes.
MAX_DOWNLOAD = 1 << 30
_CHUNK = 1 << 20
_ATTEMPTS = 3


def fetch_direct(
    location: SdistLocation,
    directory: Path,
    index: IndexSettings,
    *,
    session: requests.Session | None = None,
    limit: int = MAX_DOWNLOAD,
) -> Path:
    """Fetch an sdist to `directory`, and compare it with the hashes that its URL came with.

    Args:
        location: where it is.
        directory: gets the file; it is there.
        index: the host's settings, for certificates and hosts that are trusted.
        session: for tests; None makes one with retries, CA bundle and credentials.
        limit: bytes it may have.

    Raises:
        UsageError: the file has not got such a hash, or would not be safe without one.
        UnfitError: it cannot be fetched, has more than `limit` bytes, or there is no room.
    """
    _refuse_unsafe(location, location.url, index)
    path = directory / location.filename
    with session or make_session(index, (location.url,)) as http:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                _download(http, location, path, index, limit)
                break
            # urllib3 retries requests, but not a body that breaks off.
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                if attempt == _ATTEMPTS:
                    raise _unreachable(location, str(error)) from error
            except requests.RequestException as error:
                raise _unreachable(location, str(error)) from error
    _compare(path, location)
    return path


def _download(
    http: requests.Session,
    location: SdistLocation,
    path: Path,
    index: IndexSettings,
    limit: int,
) -> None:
    with http.get(_without_login(location.url), stream=True, timeout=TIMEOUT) as answer:
        for step in (*answer.history, answer):
            _refuse_unsafe(location, step.url, index)
        if not answer.ok:
            raise _unreachable(location, f"HTTP status {answer.status_code}")
        left = limit
        try:
            with path.open("wb") as file:
                for chunk in answer.iter_content(_CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise _unreachable(location, f"more than {limit} bytes")
                    file.write(chunk)
        except requests.RequestException:  # an OSError too, but not the disk's
            raise
        except OSError as error:
            found = error.strerror or str(error)
            hint = "make room there, or set TMPDIR"
            raise UnfitError(f"cannot write {path}", found=found, hint=hint) from error


def _without_login(url: str) -> str:
    """Leave the login out: the session knows it, by host."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _refuse_unsafe(location: SdistLocation, url: str, index: IndexSettings) -> None:
    """Plain http is as good as a hash, or as who is trusted by name (pip's `trusted-host`)."""
    parts = urlsplit(url)
    trusted = (*index.trusted_hosts, "localhost", "127.0.0.1", "::1")
    if parts.scheme == "https" or location.digests:
        return
    if parts.hostname in trusted or parts.netloc.rpartition("@")[2] in trusted:
        return
    raise UsageError(
        f"{location.shown} is fetched without encryption, and has no hash to be compared with",
        found=f"{parts.scheme}://{parts.hostname}",
        hint="use https, or write #sha256=… after it",
    )


def _compare(path: Path, location: SdistLocation) -> None:
    for name, wanted in location.digests.items():
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, name).hexdigest()
        if found != wanted:
            raise UsageError(
                f"what {location.shown} sent has not got the hash that it was given with",
                found=f"{name} {found}, not {wanted}",
                hint="find out which of the two is wrong before anything is built",
            )


def _unreachable(location: SdistLocation, found: str) -> UnfitError:
    return UnfitError(
        f"cannot fetch {location.shown}",
        found=redact(" ".join(found.split()))[:400],
        hint="check the URL, the network, HTTPS_PROXY and REQUESTS_CA_BUNDLE",
    )
