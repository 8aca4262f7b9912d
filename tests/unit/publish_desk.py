"""Where the command `publish` is given: a finished build, an index, GitHub, and a terminal."""

from __future__ import annotations

import json
import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aarch64_wheels import cli
from aarch64_wheels.report.writer import FILE_NAME as REPORT
from tests.standins.index import IndexServer
from tests.standins.receiving import Rules
from tests.standins_github import GitHubServer
from tests.standins_github.entering import TOKEN, patient, surroundings
from tests.unit.publish_samples import make_aarch64, make_sdist, write_built

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from aarch64_wheels.publish.patience import Patience

PASSWORD = "a-pass-word-for-tests"  # noqa: S105 - it opens a stand-in only
#: What a release gets beside the files.
EXTRA = ["SHA256SUMS", "demo-1.0.cdx.json", REPORT]
_FOREIGN = ("GITHUB_", "GH_", "TWINE_")


@dataclass
class Desk:
    """An output directory with a build's wheels, an index, GitHub, and a terminal to publish at."""

    out: Path
    index: IndexServer
    github: GitHubServer
    capsys: pytest.CaptureFixture[str]
    wheels: list[Path] = field(default_factory=list)

    def publish(self, *words: str, to: str = "") -> int:
        """Publish to the index, or `to` another place; gives the exit code."""
        place = ["--repository", to] if to else self.place
        return cli.main(["publish", *place, *words])

    @property
    def place(self) -> list[str]:
        return ["--repository-url", self.index.upload_url, "--index-url", self.index.simple_url]

    def plan(self, *words: str, to: str = "") -> dict[str, Any]:
        """Give the plan of a dry run."""
        self.said()
        assert self.publish("--dry-run", "--json", *words, to=to) == 0
        plan: dict[str, Any] = json.loads(self.said()[0])
        return plan

    def said(self) -> tuple[str, str]:
        """What was printed since the last time; never a secret."""
        out, err = self.capsys.readouterr()
        assert PASSWORD not in out + err
        assert TOKEN not in out + err
        return out, err

    def sent(self) -> list[str]:
        """All requests to both servers that could change something."""
        here = [f"{one.method} {one.path}" for one in self.index.records if one.method != "GET"]
        there = [one.request for one in self.github.records if one.request.method != "GET"]
        return [*here, *(f"{one.method} {one.path}" for one in there)]

    @property
    def assets(self) -> list[str]:
        (release,) = self.github.store.releases
        return [one.name for one in release.assets]

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.out.iterdir() if path.name.startswith("demo-"))


@contextmanager
def open_desk(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    """Build two wheels and an sdist, start the servers, and set the variables for them."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    (out := folder / "wheelhouse").mkdir()
    wheels = [make_aarch64(out, number) for number in (312, 313)]
    write_built(out, *wheels)
    make_sdist(out)
    rules = Rules(users={"somebody": PASSWORD})
    github = GitHubServer(TOKEN, "octo-org/demo")
    with _signals(), IndexServer(rules) as index, github:
        variables = {"TWINE_USERNAME": "somebody", "TWINE_PASSWORD": PASSWORD}
        variables |= {"HOME": str(folder), "COLUMNS": "300"}
        for name, value in {**variables, **surroundings(github)}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("aarch64_wheels.commands.publish.Patience", _hasty)
        yield Desk(out=out, index=index, github=github, capsys=capsys, wheels=wheels)
        assert index.troubles == []
        assert github.unexpected == []


@contextmanager
def _signals() -> Iterator[None]:
    """Give back those that `main` takes over."""
    old = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        yield
    finally:
        for number, handler in old:
            signal.signal(number, handler)


def _hasty(**given: Any) -> Patience:
    return patient(**given)
