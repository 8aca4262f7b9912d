"""GitHub by PyGithub: who we are there, files for a release, and errors in words.

Its CA bundle (`REQUESTS_CA_BUNDLE`) and proxies are those of requests, on which PyGithub is built.
"""

from __future__ import annotations

import logging
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import requests
from github import Auth, Github, GithubException
from github.Consts import DEFAULT_BASE_URL
from github.GithubException import (
    RateLimitExceededExceedsMaxWait,
    RateLimitExceededException,
)
from github.GitReleaseAsset import GitReleaseAsset
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass

from aarch64_wheels.errors import PublishError, UsageError
from aarch64_wheels.publish.patience import TROUBLE, USUAL, Patience, PatientRetry, details
from aarch64_wheels.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from github.GitRelease import GitRelease
    from github.Repository import Repository
    from github.Requester import Requester

_CODES = requests.codes
_OCTETS = "application/octet-stream"
_PAGE = 100
_MOST_SAID = 300
_LATER = "publish again later: what is there already is not sent twice"
_HINTS: tuple[tuple[type[Exception], str], ...] = (
    (
        RateLimitExceededException,
        "GitHub's limit on requests is used up: publish again later, it goes on from here",
    ),
    (
        requests.exceptions.SSLError,
        "name the file of the authority that signs its certificate in REQUESTS_CA_BUNDLE",
    ),
    (requests.exceptions.ProxyError, "check HTTPS_PROXY and NO_PROXY"),
)


@contextmanager
def open_github(
    environ: Mapping[str, str], mask: Callable[[str], None], patience: Patience = USUAL
) -> Iterator[Repository]:
    """Enter the repository that a job runs in.

    Args:
        environ: `GITHUB_TOKEN` (or `GH_TOKEN`), `GITHUB_REPOSITORY`, `GITHUB_API_URL`.
        mask: told the token before it is used.
        patience: how GitHub is waited for.

    Raises:
        UsageError: there is no token, or no repository is named.
        PublishError: GitHub does not let us in.
    """
    name, url = environ.get("GITHUB_REPOSITORY", ""), _api_url(environ)
    token = _token(environ, mask)
    if not name:
        raise _not_set("GITHUB_REPOSITORY")
    # PyGithub writes each refusal and each wait to standard error; we have our own words.
    logging.getLogger("github").setLevel(logging.WARNING)
    with Github(
        base_url=url,
        auth=Auth.Token(token),
        retry=PatientRetry.of(patience),
        timeout=patience.timeout,
        per_page=_PAGE,
        seconds_between_requests=patience.between_requests,
        seconds_between_writes=patience.between_writes,
    ) as client:
        with told(f"open the repository {name}"):
            repository = client.get_repo(name)
        yield repository


def _token(environ: Mapping[str, str], mask: Callable[[str], None]) -> str:
    token = (environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or "").strip()
    if not token:
        raise _not_set("GITHUB_TOKEN")
    mask(token)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            "GITHUB_TOKEN is not a token",
            found="characters that no token has",
            hint="set it to the token alone: no quotes, no second line",
        )
    return token


def _not_set(name: str) -> UsageError:
    return UsageError(
        "GitHub needs a token and the name of a repository",
        found=f"{name} is not set",
        hint="in a job: `github-token: ${{ github.token }}`; elsewhere set both variables",
    )


def _api_url(environ: Mapping[str, str]) -> str:
    url = (environ.get("GITHUB_API_URL") or DEFAULT_BASE_URL).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            "GITHUB_API_URL is not the address of GitHub's API",
            found=f"no http or https URL, it begins with {one_line(parts.scheme) or 'no scheme'}",
            hint="GitHub Enterprise Server has it at https://HOST/api/v3; unset it for github.com",
        )
    return url


def send_file(
    release: GitRelease, path: Path, name: str, *, label: str = "", patience: Patience = USUAL
) -> GitReleaseAsset:
    """Upload a file to a release.

    PyGithub's own way has no timeout where uploads have a host of their own, as on github.com,
    and leaves that connection open.

    Raises:
        PublishError: the release names a place that is not GitHub's.
        GithubException: GitHub does not take it.
        requests.RequestException: the connection broke.
    """
    requester, url = release.requester, release.upload_url.partition("{")[0]
    parameters = {"name": name, **({"label": label} if label else {})}
    headers = {"Content-Type": _OCTETS, "Content-Length": str(path.stat().st_size)}
    with path.open("rb") as stream, closing(_connection(requester, url, patience)) as connection:
        found, data = requester.requestMemoryBlobAndCheck(
            "POST", url, parameters, headers, stream, connection
        )
    return GitReleaseAsset(requester, found, data, completed=True)


def _connection(
    requester: Requester, url: str, patience: Patience
) -> HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass:
    """Connect to where a release takes files, if the token may go there."""
    base, there = urlsplit(requester.base_url), urlsplit(url)
    home = (base.hostname or "").removeprefix("api.")
    host = there.hostname or ""
    ours = host == base.hostname or f".{host}".endswith(f".{home}")
    if not ours or there.scheme not in ("https", base.scheme):
        raise PublishError(
            "the release takes files at a place that is not GitHub's",
            found=f"{there.scheme}://{host}, where the API is at {base.scheme}://{base.hostname}",
            hint="set GITHUB_API_URL to the address that this GitHub has for itself",
        )
    kind = HTTPSRequestsConnectionClass if there.scheme == "https" else HTTPRequestsConnectionClass
    # PyGithub hands it on to requests, which takes a pair: to connect, and to answer.
    timeout = cast("int", (patience.timeout, patience.upload_timeout))
    return kind(host, there.port, timeout=timeout, retry=PatientRetry.of(patience))


@contextmanager
def told(what: str, *, needs: str = "the token must be one for this repository") -> Iterator[None]:
    """Turn PyGithub's errors into ours.

    Args:
        what: what is done, for `cannot …`.
        needs: what to do about a token that may not do it.
    """
    try:
        yield
    except TROUBLE as error:
        raise _explained(what, needs, error) from None
    except (AssertionError, RuntimeError) as error:  # an address that PyGithub will not follow
        raise PublishError(
            f"cannot {what} on GitHub",
            found=f"it leads to another place than it was asked at: {one_line(str(error))}",
            hint="set GITHUB_API_URL to the address that this GitHub has for itself",
        ) from None


def _explained(what: str, needs: str, error: Exception) -> PublishError:
    by_status = {
        _CODES.unauthorized: "check the token: GitHub does not know it, or it has expired",
        _CODES.forbidden: needs,
        _CODES.not_found: f"check the names; a token that may not see it is told the same: {needs}",
        _CODES.unprocessable_entity: "mend what GitHub names; what is there is not sent twice",
    }
    usual = by_status.get(getattr(error, "status", 0), _LATER)
    hint = next((text for kind, text in _HINTS if isinstance(error, kind)), usual)
    return PublishError(f"cannot {what} on GitHub", found=_words(error), hint=hint)


def _words(error: Exception) -> str:
    """Give GitHub's own words, not a whole document.

    Of requests' errors only the kind: they quote headers and signed addresses.
    """
    if isinstance(error, RateLimitExceededExceedsMaxWait):
        return f"{error.status}, it wants {error.wait or 0:.0f} s to be waited"
    if not isinstance(error, GithubException):
        return f"the connection failed ({type(error).__name__})"
    data = error.data if isinstance(error.data, dict) else {}
    rows = [row.get("message") or f"{row.get('field')} {row.get('code')}" for row in details(error)]
    words = [error.status, error.message or data.get("message"), *rows]
    return one_line(" ".join(map(str, filter(None, words))))[:_MOST_SAID]
