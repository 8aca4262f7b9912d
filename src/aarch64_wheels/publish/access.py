"""Who uploads: twine's settings, credentials, and Trusted Publishing.

Secrets live in twine's objects and in the session's headers, and nowhere else: not in a
dataclass of ours, whose `repr` could reach a log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from twine import auth, exceptions, utils
from twine.repository import Repository
from twine.settings import Settings as TwineSettings

from aarch64_wheels.errors import PublishError, UsageError
from aarch64_wheels.publish.claims import require_identity
from aarch64_wheels.publish.credentials import Resolver, find_login, make_resolver
from aarch64_wheels.publish.reader import basic_auth
from aarch64_wheels.settings.publishing import TrustedPublishing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aarch64_wheels.settings.publishing import PublishSettings


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A repository, before anybody enters it.

    Attributes:
        url: where it takes files, without credentials.
        trusted: it is entered by Trusted Publishing.
        reader: name and password for reading it, where they are known; PyPI needs none.
    """

    url: str
    trusted: bool
    reader: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def is_open(self) -> bool:
        """What is sent can be read on its way: no TLS, and not this machine."""
        parts = urlsplit(self.url)
        return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, kw_only=True)
class Access:
    """twine's settings and credentials for one repository.

    Attributes:
        destination: which one.
        environ: of this process.
    """

    destination: Destination
    environ: Mapping[str, str] = field(repr=False)
    _twine: TwineSettings = field(repr=False)
    _resolver: Resolver = field(repr=False)
    _login: tuple[str, str] | None = field(repr=False)

    @classmethod
    def find(
        cls, settings: PublishSettings, environ: Mapping[str, str], mask: Callable[[str], None]
    ) -> Access:
        """Find the repository, and what is known of credentials; nothing is sent.

        Args:
            settings: its name or URL, whether Trusted Publishing is wanted.
            environ: `TWINE_USERNAME`, `TWINE_PASSWORD`, `TWINE_CERT`, `TWINE_CLIENT_CERT` and
                what the CI gives.
            mask: told each secret before it is used.

        Raises:
            UsageError: there is no such repository.
        """
        twine = _twine_settings(settings, environ)
        config = _whole(twine.repository_config)
        url = settings.repository_url or str(config["repository"])
        resolver = make_resolver(config, url, environ, mask)
        trusted = _is_trusted(settings.trusted_publishing, resolver)
        login = None if trusted else find_login(resolver, mask)
        destination = Destination(
            url=_without_login(str(config["repository"])),
            trusted=trusted,
            reader=None if resolver.is_pypi() else login,
        )
        return cls(
            destination=destination,
            environ=environ,
            _twine=twine,
            _resolver=resolver,
            _login=login,
        )

    def enter(self) -> Repository:
        """Give twine's repository, ready for uploads.

        Raises:
            PublishError: there are no credentials, or no token is to be had.
        """
        if self.destination.trusted:
            require_identity(self.environ)
            is_known = bool(self._resolver.make_trusted_publishing_token())
        else:
            is_known = bool(self._login) or not self._resolver.is_pypi()
        if not is_known:
            raise PublishError(
                "there are no credentials to upload with",
                found="no TWINE_PASSWORD, no password in ~/.pypirc, none in the keyring, no CI job",
                hint="set TWINE_PASSWORD to an API token, or use Trusted Publishing in CI",
            )
        return self._opened()

    def _opened(self) -> Repository:
        repository = Repository(self.destination.url, None, None, disable_progress_bar=True)
        if self.destination.trusted:
            repository.session.auth = auth.TrustedPublishingAuthenticator(resolver=self._resolver)
        elif self._login:
            repository.session.auth = basic_auth(self._login)
        repository.set_certificate_authority(self._twine.cacert)
        repository.set_client_certificate(self._twine.client_cert)
        return repository


def _twine_settings(settings: PublishSettings, environ: Mapping[str, str]) -> TwineSettings:
    try:
        twine = TwineSettings(
            repository_name=settings.repository,
            repository_url=settings.repository_url or None,
            cacert=environ.get("TWINE_CERT") or None,
            client_cert=environ.get("TWINE_CLIENT_CERT") or None,
            non_interactive=True,
            disable_progress_bar=True,
        )
        twine.check_repository_url()
    except (exceptions.TwineException, OSError, ValueError, LookupError) as error:
        raise UsageError(
            "there is no such repository",
            found=_said(error),
            hint="--repository takes pypi, testpypi or a section of ~/.pypirc; "
            "--repository-url takes an http or https URL",
        ) from None
    return twine


def _said(error: Exception) -> str:
    """Give twine's words, but for those that quote a URL, and maybe the password in it."""
    if isinstance(error, exceptions.UnreachableRepositoryURLDetected | ValueError):
        return "the repository's URL is not valid: its scheme, host or port"
    if isinstance(error, LookupError):
        return f"a section of ~/.pypirc has no `{error.args[0]}`"
    return next(iter(str(error).splitlines()), type(error).__name__)


def _is_trusted(wanted: TrustedPublishing, resolver: Resolver) -> bool:
    """Decide on Trusted Publishing: by itself only where there is no other secret."""
    if wanted is not TrustedPublishing.AUTO:
        return wanted is TrustedPublishing.ALWAYS
    if resolver.known_password or not resolver.is_pypi():
        return False
    return not resolver.get_password_from_keyring()


def _whole(config: utils.RepositoryConfig) -> utils.RepositoryConfig:
    """Put the last slash where a public index has it: by its URL it is known for what it is."""
    url = str(config["repository"]).rstrip("/") + "/"
    known = (utils.DEFAULT_REPOSITORY, utils.TEST_REPOSITORY)
    return {**config, "repository": url} if _without_login(url) in known else config


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host).geturl()
