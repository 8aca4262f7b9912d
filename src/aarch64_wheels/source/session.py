"""The HTTP session packages are fetched with: retries, CA bundle, credentials by host.

Proxies come from the usual variables, which `requests` reads itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_netrc_auth
from urllib3.util import Retry

from aarch64_wheels.hostindex import login_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.hostindex import IndexSettings

#: Seconds to connect, and to wait for the next bytes.
TIMEOUT = (15.0, 60.0)


def make_session(index: IndexSettings, urls: tuple[str, ...]) -> requests.Session:
    """Make a session for these index URLs, which may hold credentials.

    The credentials go to the host they were given for and to no other, also for the
    files an index links to (those URLs do not repeat them).
    """
    session = requests.Session()
    session.auth = HostAuth({host: pair for url in urls for host, pair in _credentials(url)})
    if index.ca_bundle is not None:
        session.verify = str(index.ca_bundle)
    session.mount("https://", HTTPAdapter(max_retries=_retries()))
    session.mount("http://", HTTPAdapter(max_retries=_retries()))
    for host in index.trusted_hosts:
        session.mount(f"https://{host}/", _Unchecked(max_retries=_retries()))
        if ":" not in host:
            session.mount(f"https://{host}:", _Unchecked(max_retries=_retries()))
    return session


class HostAuth(AuthBase):
    """Basic authentication for those hosts there are credentials for, or else a netrc entry."""

    def __init__(self, credentials: Mapping[str, tuple[str, str]]) -> None:
        self._credentials = dict(credentials)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header, when the request goes to a known host."""
        url = request.url or ""
        # With an `auth` of its own a session looks into no netrc file by itself.
        pair = self._credentials.get(urlsplit(url).netloc) or get_netrc_auth(url)
        if pair:
            HTTPBasicAuth(*pair)(request)
        return request


class _Unchecked(HTTPAdapter):
    """For the hosts the user trusts by name (`PIP_TRUSTED_HOST`)."""

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        return super().send(*args, **{**kwargs, "verify": False})


def _retries() -> Retry:
    """Transient failures only. A server's `Retry-After` could mean hours, so it is passed over."""
    return Retry(
        total=4,
        backoff_factor=0.5,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=("GET", "HEAD"),
        raise_on_status=False,
        respect_retry_after_header=False,
    )


def _credentials(url: str) -> list[tuple[str, tuple[str, str]]]:
    login = login_of(url)
    return [(urlsplit(url).netloc.rpartition("@")[2], login)] if login else []
