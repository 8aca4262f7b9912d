"""How tests enter the stand-in: as the publisher does, and without waiting for real."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.errors import AarchWheelsError, PublishError
from aarch64_wheels.publish.github import open_github
from aarch64_wheels.publish.patience import Patience
from tests.standins_github.server import GitHubServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from github.Repository import Repository

TOKEN = "ghs_for_tests_only"  # noqa: S105 - opens the stand-in


@contextmanager
def checked_server(token: str = TOKEN) -> Iterator[GitHubServer]:
    """Open a stand-in that is asked for nothing unexpected, and leaves no fault waiting."""
    with GitHubServer(token, "org/demo") as server:
        yield server
        assert not server.unexpected
        assert not server.faults.waiting


def surroundings(server: GitHubServer, **changes: str) -> dict[str, str]:
    """Return what a job's environment says of GitHub."""
    given = {
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_REPOSITORY": server.repository,
        "GITHUB_API_URL": server.base_url,
    }
    return given | changes


def patient(waits: list[float] | None = None, **changes: Any) -> Patience:
    """Return the usual patience; instead of waiting, it notes the seconds in `waits`."""
    noted = [] if waits is None else waits
    return Patience(between_requests=0, between_writes=0, sleep=noted.append, **changes)


@contextmanager
def entered(
    server: GitHubServer, patience: Patience | None = None, **changes: str
) -> Iterator[Repository]:
    masked: list[str] = []
    environ = surroundings(server, **changes)
    with open_github(environ, masked.append, patience or patient()) as repository:
        assert masked == [TOKEN]
        yield repository


def everything(error: BaseException) -> str:
    """Return what can be shown of an error: its text, and its traceback with all causes."""
    return "\n".join([str(error), *traceback.format_exception(error)])


@contextmanager
def refused(
    match: str, kind: type[AarchWheelsError] = PublishError
) -> Iterator[pytest.ExceptionInfo[Any]]:
    """Expect an error of ours, which never shows the token."""
    with pytest.raises(kind, match=match) as caught:
        yield caught
    assert TOKEN not in everything(caught.value)
