"""Patience with GitHub: what is waited for, what is sent again, and what is not."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from aarch64_wheels.publish.github import told
from tests.standins_github import GitHubServer, faults
from tests.standins_github.entering import TOKEN, checked_server, entered, patient, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.standins_github.faults import Fault

WHEEL = "demo-1.0-py3-none-any.whl"


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with checked_server() as server:
        yield server
    gc.collect()  # a connection that is left open is a warning now, and a failure


LIMITS = [
    pytest.param(faults.secondary_limit, {}, 60, id="no-word-how-long"),
    pytest.param(faults.secondary_limit, {"retry_after": 7}, 7, id="retry-after"),
    pytest.param(faults.primary_limit, {"reset_in": 30}, 30, id="primary"),
]


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(("make", "options", "seconds"), LIMITS)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_limits_are_waited_for(
    server: GitHubServer, make: Any, options: dict[str, int], seconds: int, status: int, method: str
) -> None:
    waits: list[float] = []
    draft = server.store.add_release("v1", draft=True, name="One", body="")
    with entered(server, patient(waits)) as repository:
        found = repository.get_release(draft.id)
        server.faults.add(make(status=status, **options), method, "/releases")
        if method == "GET":
            assert [row.name for row in repository.get_releases()] == ["One"]
        elif method == "POST":
            assert repository.create_git_release("v2", "Two", "").tag_name == "v2"
        else:
            assert found.update_release("Other", "").name == "Other"
    (wait,) = waits
    assert seconds - 2 <= wait <= seconds + 1  # GitHub says the end in whole seconds


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (faults.secondary_limit(retry_after=3600), "403, it wants 3600 s"),
        (faults.secondary_limit(retry_after=3600, status=429), "429, it wants 3600 s"),
        (faults.primary_limit(reset_in=3600), "403, it wants 3"),
        (faults.primary_limit(reset_in=3600, status=429), "429, it wants 3"),
    ],
)
def test_too_long_a_wait_is_an_error(server: GitHubServer, fault: Fault, found: str) -> None:
    waits: list[float] = []
    server.faults.add(fault, "GET", "/org/demo$")
    with refused("cannot open") as caught, entered(server, patient(waits)):
        pass
    assert caught.value.found.startswith(found)
    assert "publish again later" in caught.value.hint
    assert waits == []


@pytest.mark.parametrize("status", [403, 429])
def test_limit_without_end_is_an_error(
    server: GitHubServer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    waits: list[float] = []
    told_of: list[str] = []
    server.faults.add(faults.secondary_limit(status=status), "GET", "/org/demo$", times=3)
    patience = patient(waits, again=2, note=told_of.append)
    with refused("cannot open") as caught, entered(server, patience):
        pass
    assert "GitHub's limit on requests is used up" in caught.value.hint
    assert waits == [60, 60]
    assert told_of == ["waiting 60 s for GitHub"] * 2
    assert [one for one in caplog.records if one.name.startswith("github")] == []


@pytest.mark.parametrize("fault", [faults.server_error(), faults.cut_before_answer()])
def test_what_is_safe_to_repeat_is_repeated(server: GitHubServer, fault: Fault) -> None:
    draft = server.store.add_release("v1", draft=True, body="")
    asset = server.store.add_asset(draft, WHEEL, b"wheel")
    for method in ("GET", "PATCH", "DELETE"):
        server.faults.add(fault, method, "/releases/", times=2)
    waits: list[float] = []
    with entered(server, patient(waits)) as repository:
        release = repository.get_release(draft.id)
        release.get_assets()[0].delete_asset()
        release.update_release("One", "")
    assert asset not in draft.assets
    assert waits == [2.0, 2.0, 2.0]  # at once, and then not quite


@pytest.mark.parametrize("fault", [faults.server_error(), faults.lost_answer()])
def test_what_may_be_done_twice_is_not_repeated(server: GitHubServer, fault: Fault) -> None:
    server.faults.add(fault, "POST", "/releases$")
    with entered(server) as repository, refused("cannot make it"), told("make it"):
        repository.create_git_release("v1", "One", "", draft=True)
    assert len(server.asked("POST", "/releases$")) == 1


def test_server_that_stays_broken_is_named(server: GitHubServer) -> None:
    server.faults.add(faults.server_error(503), "GET", "/org/demo$", times=3)
    with refused("cannot open") as caught, entered(server, patient(again=2)):
        pass
    assert caught.value.found == "503"


def test_nobody_there_is_named(server: GitHubServer) -> None:
    with GitHubServer(TOKEN) as gone:
        pass
    url = gone.base_url
    waits: list[float] = []
    with (
        refused("cannot open") as caught,
        entered(server, patient(waits, again=2), GITHUB_API_URL=url),
    ):
        pass
    assert caught.value.found == "the connection failed (ConnectionError)"
    assert waits == [2.0]
