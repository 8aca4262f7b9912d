"""What of the host's network settings reaches a container: proxies, indexes, certificates.

Nothing else of the host's environment does: it holds tokens and passwords.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aarch64_wheels.engine.spec import CA_BUNDLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aarch64_wheels.hostindex import IndexSettings

_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
#: OpenSSL and uv; requests; curl; pip; git; Node.js.
_CERTIFICATES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
)
_CONSTANT = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
#: uv's variables, with pip's for the same.
_PIP_NAMES = {
    "UV_DEFAULT_INDEX": "PIP_INDEX_URL",
    "UV_INDEX": "PIP_EXTRA_INDEX_URL",
    "UV_INSECURE_HOST": "PIP_TRUSTED_HOST",
}
_LOOPBACK = ("localhost", "127.", "::1")


def container_environment(environ: Mapping[str, str], index: IndexSettings) -> dict[str, str]:
    """Make the variables of every container: from the host's `environ` only what is named here."""
    kept = ("SOURCE_DATE_EPOCH",)
    return {
        **_CONSTANT,
        **{name: environ[name] for name in kept if name in environ},
        **_proxies(environ),
        **_certificates(index),
        **_indexes(index),
    }


def network_mode(environ: Mapping[str, str], index: IndexSettings) -> str | None:
    """`host` if a proxy or an index listens on this machine's loopback, else the default.

    A proxy at localhost (`cntlm`, `devpi`) cannot be reached from a network of its own.
    """
    proxies = [value for name, value in _proxies(environ).items() if "no_proxy" not in name.lower()]
    urls = [*proxies, *index.extra_index_urls, index.index_url or ""]
    return "host" if any(_is_loopback(url) for url in urls) else None


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Both spellings, for some programs read only one; lower case wins, as with curl."""
    found = {}
    for name in _PROXIES:
        value = environ.get(name) or environ.get(name.upper())
        if value:
            found[name] = found[name.upper()] = value
    return found


def _certificates(index: IndexSettings) -> dict[str, str]:
    if index.ca_bundle is None:
        return {}
    return dict.fromkeys(_CERTIFICATES, str(CA_BUNDLE))


def _indexes(index: IndexSettings) -> dict[str, str]:
    """Give pip's and uv's names for the same things; lists are separated by blanks in both."""
    for_uv = index.uv_environment()
    given = {name: for_uv[name] for name in _PIP_NAMES if name in for_uv}
    return {**given, **{_PIP_NAMES[name]: value for name, value in given.items()}}


def _is_loopback(url: str) -> bool:
    host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    return host.startswith(_LOOPBACK) or host.endswith(".localhost")
