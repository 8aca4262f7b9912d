"""The host's package index settings: pip's and uv's own variables, pip's files, CA bundles.

The source is fetched with them, and the containers get the same (as behind a company proxy).
"""

from __future__ import annotations

import configparser
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from aarch64_wheels.errors import UsageError
from aarch64_wheels.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Variables that name one CA bundle file, in the order in which they are believed.
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "SSL_CERT_FILE")

#: Where distributions keep the bundle that an administrator adds the company's own CA to.
SYSTEM_BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
)


@dataclass(frozen=True, kw_only=True)
class IndexSettings:
    """Where packages come from. URLs may hold credentials: use `redact` before showing one.

    Attributes:
        index_url: the main index; None means the public default.
        extra_index_urls: further indexes. ca_bundle: a file that exists, with the CAs to trust.
        trusted_hosts: `host` or `host:port` whose certificates are not checked.
        dropped: indexes that are no HTTP URL (`file:`, a path, a typing error), which no
            container can use; redacted.
        unusable_main: the one of `dropped` that should be the main index, where that leaves
            none; "" otherwise. To take the public one instead would be dependency confusion.
        no_index: what forbids every index (`PIP_NO_INDEX`); "" when nothing does.
    """

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    ca_bundle: Path | None = None
    trusted_hosts: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    unusable_main: str = ""
    no_index: str = ""

    def uv_environment(self) -> dict[str, str]:
        """Give the variables that make uv on this host use the same; uv reads no pip.conf."""
        values = {
            "UV_DEFAULT_INDEX": self.index_url or "",
            "UV_INDEX": " ".join(self.extra_index_urls),
            "UV_INSECURE_HOST": " ".join(self.trusted_hosts),
            "SSL_CERT_FILE": str(self.ca_bundle or ""),
        }
        return {name: value for name, value in values.items() if value}


def read_index_settings(
    environ: Mapping[str, str],
    config_files: Sequence[Path],
    *,
    system_bundles: Sequence[Path] | None = None,
) -> IndexSettings:
    """Read the host's index settings.

    Args:
        environ: the process environment (`UV_*`, `PIP_*`, CA variables); over the files.
        config_files: pip's files (see `pip_config_files`), later ones over earlier ones.
        system_bundles: CA bundles to fall back to; None means the usual places.

    Raises:
        UsageError: a configuration file cannot be read.
    """
    conf = _read_config(config_files)
    mains = _mains(environ, conf)
    extras = _extras(environ, conf)
    urls = [url for url in mains if _is_usable(url)]
    return IndexSettings(
        index_url=urls[0] if urls else None,
        extra_index_urls=tuple(url for url in extras if _is_usable(url)),
        ca_bundle=_ca_bundle(environ, conf, system_bundles),
        trusted_hosts=_trusted_hosts(environ, conf),
        dropped=_unique(redact(url) for url in (*mains, *extras) if not _is_usable(url)),
        unusable_main=redact(mains[0]) if mains and not urls else "",
        no_index=_no_index(environ, conf),
    )


def pip_config_files(environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Where pip keeps its configuration, least important first; the files need not exist.

    `PIP_CONFIG_FILE` takes the place of the user's files; `/dev/null` there means no file at all.
    """
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == "/dev/null":
        return ()
    shared = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    files = [Path(directory) / "pip/pip.conf" for directory in shared.split(":") if directory]
    files.append(Path("/etc/pip.conf"))
    if not named:
        user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        files += [home / ".pip/pip.conf", user / "pip/pip.conf"]
    if venv := environ.get("VIRTUAL_ENV"):
        files.append(Path(venv) / "pip.conf")
    return (*files, Path(named)) if named else tuple(files)


def without_credentials(url: str) -> str:
    """Strip user name, password, query and fragment from an index URL of `IndexSettings`."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def login_of(url: str) -> tuple[str, str] | None:
    """Give the name and the password that stand in a URL, where they are quoted (RFC 3986)."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    return unquote(parts.username), unquote(parts.password or "")


def _read_config(files: Sequence[Path]) -> dict[str, str]:
    """`[global]` and, over it, `[install]` of each file; names spelled as pip does, with `-`."""
    values: dict[str, str] = {}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError) as error:
            what = f"cannot read pip's configuration file {file}"
            raise UsageError(what, found=str(error).replace("\n", " ")) from error
        for section in ("global", "install"):
            if parser.has_section(section):
                values |= {key.replace("_", "-"): text for key, text in parser.items(section)}
    return values


def _mains(environ: Mapping[str, str], conf: Mapping[str, str]) -> tuple[str, ...]:
    """List the candidates for the main index, the most important first."""
    names = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
    texts = [*(environ.get(name, "") for name in names), conf.get("index-url", "")]
    return _unique(_without_name(text.strip()) for text in texts)


def _extras(environ: Mapping[str, str], conf: Mapping[str, str]) -> tuple[str, ...]:
    uv = [environ.get(name, "") for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL")]
    pip = environ.get("PIP_EXTRA_INDEX_URL") or conf.get("extra-index-url", "")
    return _unique(_without_name(url) for text in (*uv, pip) for url in text.split())


def _trusted_hosts(environ: Mapping[str, str], conf: Mapping[str, str]) -> tuple[str, ...]:
    pip = environ.get("PIP_TRUSTED_HOST") or conf.get("trusted-host", "")
    return _unique(f"{environ.get('UV_INSECURE_HOST', '')} {pip}".split())


def _ca_bundle(
    environ: Mapping[str, str], conf: Mapping[str, str], system: Sequence[Path] | None
) -> Path | None:
    if system is None:
        default = ssl.get_default_verify_paths().cafile
        system = (*SYSTEM_BUNDLES, *([Path(default)] if default else []))
    named = [environ.get(name, "") for name in CA_VARIABLES] + [conf.get("cert", "")]
    candidates = [*(Path(text) for text in named if text), *system]
    return next((path for path in candidates if path.is_file()), None)


def _without_name(text: str) -> str:
    """Strip the name of uv's `name=url`; a URL's own `=` comes after its `:`."""
    return re.sub(r"^[\w.-]+=(?=\S)", "", text)


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def _no_index(environ: Mapping[str, str], conf: Mapping[str, str]) -> str:
    """Name the setting that forbids indexes; pip's variable goes over its files."""
    if _is_on(environ.get("UV_NO_INDEX", "")):
        return "UV_NO_INDEX"
    if text := environ.get("PIP_NO_INDEX", ""):
        return "PIP_NO_INDEX" if _is_on(text) else ""
    return "no-index in pip's configuration" if _is_on(conf.get("no-index", "")) else ""


def _is_on(text: str) -> bool:
    return text.strip().lower() not in ("", "0", "f", "false", "n", "no", "off")


def _unique(items: Iterator[str] | Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for item in items if item))
