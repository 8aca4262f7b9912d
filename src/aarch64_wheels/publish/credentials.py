"""Where credentials come from, by twine: variables, `.pypirc`, the keyring, the job's identity."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from twine import auth, exceptions

from aarch64_wheels.hostindex import login_of
from aarch64_wheels.publish.claims import explain_refusal, is_passing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from twine.utils import RepositoryConfig

#: Seconds for a keyring that waits for somebody to unlock it.
_KEYRING_PATIENCE = 30.0
#: Seconds before another try to get a token.
_PAUSES = (2.0, 8.0)
#: Seconds that a token must still live to be used although no new one is to be had.
_MARGIN = 30.0
_TROUBLE = (exceptions.TrustedPublishingFailure, OSError, ValueError, LookupError, TypeError)


class Resolver(auth.Private):
    """twine's, which never asks at a terminal.

    Args:
        config: of the repository, as `.pypirc` has it.
        given: name and password, which win.
        mask: told each token, and each identity it is minted for, before its use.
    """

    def __init__(
        self, config: RepositoryConfig, given: auth.CredentialInput, mask: Callable[[str], None]
    ) -> None:
        super().__init__(config, given)
        self.sleep = time.sleep
        self._mask = mask
        self._masked: str | None = None

    @property
    def known_password(self) -> str | None:
        """The password that variables or `.pypirc` tell."""
        return self.input.password or self.config.get("password")

    def make_trusted_publishing_token(self) -> str | None:
        """Mint a token, or give the last one while it is fresh; None: there is no CI job here.

        Raises:
            PublishError: there is none to be had; it says why.
        """
        token = self._minted()
        if token and token != self._masked:
            self._mask(token)
            self._masked = token
        return token

    def get_username_from_keyring(self) -> str | None:
        """Ask the keyring for a name, and not for ever."""
        return _in_time(super().get_username_from_keyring)

    def get_password_from_keyring(self) -> str | None:
        """Ask the keyring for a password, and not for ever."""
        return _in_time(super().get_password_from_keyring)

    def _minted(self) -> str | None:
        for pause in (*_PAUSES, None):
            try:
                with _telling(self._mask):
                    return super().make_trusted_publishing_token()
            except _TROUBLE as error:
                if spare := self._spare():
                    return spare
                if pause is None or not is_passing(error):
                    raise explain_refusal(error, str(self.system), os.environ, self._mask) from None
            self.sleep(pause)
        raise AssertionError

    def _spare(self) -> str | None:
        """Give the last token, if it lives: twine asks for the next one long before its end."""
        held = self._tp_token or {}
        end = held.get("expires") or self._expires or 0
        return held.get("token") if end > time.time() + _MARGIN else None


@contextmanager
def _telling(mask: Callable[[str], None]) -> Iterator[None]:
    """Have the job's identity masked between twine's asking for it and its sending it.

    twine does both in one function, and asks by a name of its module.
    """
    names = vars(auth)
    ask = names["detect_credential"]

    def masked(audience: str) -> str | None:
        return _told(ask(audience), mask)

    names["detect_credential"] = masked
    try:
        yield
    finally:
        names["detect_credential"] = ask


def _told(secret: str | None, mask: Callable[[str], None]) -> str | None:
    if secret:
        mask(secret)
    return secret


def _in_time(ask: Callable[[], str | None]) -> str | None:
    found: list[str | None] = []
    thread = threading.Thread(target=lambda: found.append(ask()), daemon=True)
    thread.start()
    thread.join(_KEYRING_PATIENCE)
    return found[0] if found else None


def make_resolver(
    config: RepositoryConfig, url: str, environ: Mapping[str, str], mask: Callable[[str], None]
) -> Resolver:
    """Make a resolver that knows `TWINE_USERNAME`, `TWINE_PASSWORD` and the URL's own login.

    twine takes a login as it stands in a URL, where it is quoted (RFC 3986).
    """
    name, password = login_of(url) or ("", "")
    given = auth.CredentialInput(
        environ.get("TWINE_USERNAME") or name or None,
        environ.get("TWINE_PASSWORD") or password or None,
    )
    return Resolver(config, given, mask)


def find_login(resolver: Resolver, mask: Callable[[str], None]) -> tuple[str, str] | None:
    """Give the name and password that twine finds; None: nothing is known."""
    password = resolver.known_password
    try:
        name = resolver.username
        password = password or resolver.get_password_from_keyring()
    except exceptions.NonInteractive:
        name = None
    if password:
        mask(password)
        return (name or auth.TOKEN_USERNAME, password)
    if resolver.is_pypi():
        return None
    return (name, "") if name else None
