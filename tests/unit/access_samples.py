"""A user's home, an index to enter, and what is told there: for tests of credentials."""

from __future__ import annotations

import getpass
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import keyring
import pytest
from twine.package import PackageFile

from aarch64_wheels.publish import credentials
from aarch64_wheels.publish.access import Access
from aarch64_wheels.settings.publishing import PublishSettings
from tests.standins.samples import make_wheel
from tests.standins.surroundings import Surroundings

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "pass-word-of-somebody"  # noqa: S105 - it opens a stand-in only
TOKEN = "pypi-" + "t" * 40
PYPI = PublishSettings()


class Home:
    """A user's home, and a keyring, both empty at first; nobody is at the terminal."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.keyring: dict[str, str] = {}
        monkeypatch.setenv("HOME", str(path))
        monkeypatch.setattr("builtins.input", _never)
        monkeypatch.setattr(getpass, "getpass", _never)
        monkeypatch.setattr(keyring, "get_password", lambda _, name: self.keyring.get(name))
        monkeypatch.setattr(keyring, "get_credential", self._credential)

    def write(self, text: str) -> None:
        (self.path / ".pypirc").write_text(text, encoding="utf-8")

    def _credential(self, *_: object) -> SimpleNamespace | None:
        name = next(iter(self.keyring), None)
        return SimpleNamespace(username=name) if name else None


def _never(*_: object) -> str:
    pytest.fail("somebody is asked at the terminal")


class Place(Surroundings):
    """An index, entered by a job; `told` is what was masked, and after how many requests."""

    def settle(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[tuple[str, int]] = []
        for name in set(os.environ) - set(self.environ):
            monkeypatch.delenv(name)
        for name, value in self.variables.items():
            monkeypatch.setenv(name, value)

    def settle_as_pypi(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have twine take the index for PyPI, and all go by the same clock."""
        self.settle(monkeypatch)
        monkeypatch.setattr("twine.utils.DEFAULT_REPOSITORY", self.index.upload_url)
        clock = SimpleNamespace(time=self.clock, sleep=self.clock.advance)
        monkeypatch.setattr("twine.auth.time", clock)
        monkeypatch.setattr(credentials, "time", clock)

    def mask(self, secret: str) -> None:
        self.told.append((secret, len(self.index.records)))

    def find(self, settings: PublishSettings | None = None, **variables: str) -> Access:
        settings = settings or PublishSettings(repository_url=self.index.upload_url)
        return Access.find(settings, {**os.environ, **variables}, self.mask)


def upload(access: Access, folder: Path) -> int:
    """Upload a wheel; gives the status of the answer."""
    repository = access.enter()
    try:
        package = PackageFile.from_filename(str(make_wheel(folder)), None)
        return int(repository.upload(package, max_redirects=1).status_code)
    finally:
        repository.close()
