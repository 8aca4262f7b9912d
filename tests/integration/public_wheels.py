"""Wheels that well-known projects have published, and what the audit has to say of each."""

from __future__ import annotations

import hashlib
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import pypi_simple
from pypi_simple import PyPISimple

from aarch64_wheels.commands.inputs import Host
from aarch64_wheels.source.session import make_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pypi_simple import DistributionPackage

CATALOGUE = Path(__file__).with_name("data") / "public_wheels.toml"


@dataclass(frozen=True, kw_only=True)
class PublicWheel:
    """A wheel, by its name and its content.

    Attributes:
        language: what its code is written in.
        warnings, errors: the checks that find something, each with what was seen there.
    """

    filename: str
    sha256: str
    language: str
    warnings: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def project(self) -> str:
        return self.filename.partition("-")[0]

    def fetch(self) -> Path:
        """Give the file: from the cache, or else from the index that is configured."""
        path = platformdirs.user_cache_path("aarch64-wheels") / "test-wheels" / self.filename
        if not (path.is_file() and _sha256(path) == self.sha256):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._download(path)
        return path

    def _download(self, path: Path) -> None:
        index = Host.current(os.environ).index
        urls = (*index.extra_index_urls, index.index_url or pypi_simple.PYPI_SIMPLE_ENDPOINT)
        draft = path.with_suffix(f".{os.getpid()}")
        with make_session(index, urls) as session:
            for url in urls:
                client = PyPISimple(url, session=session)
                for package in self._packages(client):
                    client.download_package(package, draft, verify=False)
                    if _sha256(draft) == self.sha256:
                        draft.replace(path)
                        return
        raise LookupError(f"no index has {self.filename} with that content")

    def _packages(self, client: PyPISimple) -> Iterator[DistributionPackage]:
        try:
            packages = client.get_project_page(self.project).packages
        except pypi_simple.NoSuchProjectError:
            return
        yield from (package for package in packages if package.filename == self.filename)


def public_wheels() -> tuple[PublicWheel, ...]:
    """Read which wheels there are."""
    rows = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))["wheel"]
    return tuple(PublicWheel(**row) for row in rows)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
