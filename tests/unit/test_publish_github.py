"""Entering GitHub: tokens, addresses, certificates, proxies, and errors in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests.adapters
from github import GithubException

from aarch64_wheels.errors import UsageError
from aarch64_wheels.publish.github import open_github, send_file, told
from tests.standins.certificates import make_certificates
from tests.standins_github import GitHubServer, faults
from tests.standins_github.entering import (
    TOKEN,
    checked_server,
    entered,
    everything,
    patient,
    refused,
    surroundings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHEEL = "demo-1.0-py3-none-any.whl"
API = "http://api.github.example"
UPLOADS = "http://uploads.github.example"


@pytest.fixture(autouse=True)
def _usual_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what a developer's shell may have for requests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with checked_server() as server:
        yield server


def fail(error: Exception) -> None:
    raise error


def no_mask(_secret: str) -> None:
    """Leave it to other tests."""


def test_token_is_masked_before_its_use(server: GitHubServer) -> None:
    asked: list[int] = []
    with open_github(
        surroundings(server), lambda _secret: asked.append(len(server.records)), patient()
    ) as repository:
        assert repository.full_name == "org/demo"
    assert asked == [0]


def test_other_variable_and_blanks_will_do(server: GitHubServer) -> None:
    with entered(server, GITHUB_TOKEN="", GH_TOKEN=f" {TOKEN}\n") as repository:
        assert repository.full_name == "org/demo"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN is not set"),
        ({"GITHUB_TOKEN": " \n"}, "GITHUB_TOKEN is not set"),
        ({"GITHUB_TOKEN": f"{TOKEN}\nsecond"}, "characters that no token has"),
        ({"GITHUB_TOKEN": f"“{TOKEN}”"}, "characters that no token has"),
        ({"GITHUB_REPOSITORY": ""}, "GITHUB_REPOSITORY is not set"),
        ({"GITHUB_API_URL": "github.example/api/v3"}, "no http or https URL"),
        ({"GITHUB_API_URL": "ftp://github.example"}, "it begins with ftp"),
        ({"GITHUB_API_URL": "https://"}, "no http or https URL"),
    ],
)
def test_wrong_surroundings_are_named(
    server: GitHubServer, changes: dict[str, str], found: str
) -> None:
    with (
        refused(found, UsageError),
        open_github(surroundings(server, **changes), no_mask, patient()),
    ):
        pass
    assert server.records == []


@pytest.mark.parametrize(
    ("changes", "found", "hint"),
    [
        ({"GITHUB_TOKEN": "ghs_another"}, "401", "GitHub does not know it"),
        ({"GITHUB_REPOSITORY": "org/other"}, "404", "check the names"),
    ],
)
def test_closed_door_is_explained(
    server: GitHubServer, changes: dict[str, str], found: str, hint: str
) -> None:
    waits: list[float] = []
    given = surroundings(server, **changes)
    with (
        refused("cannot open the repository") as caught,
        open_github(given, no_mask, patient(waits)),
    ):
        pass
    assert found in caught.value.found
    assert hint in caught.value.hint
    assert waits == []
    assert given["GITHUB_TOKEN"] not in everything(caught.value)
    server.records = [one for one in server.records if not one.unexpected]


def test_words_of_a_refusal_are_shown() -> None:
    data = {
        "message": "Validation Failed",
        "errors": [
            {"resource": "Release", "code": "already_exists", "field": "tag_name"},
            {"resource": "Release", "code": "custom", "message": "tag_name was used before"},
            "no document",
        ],
    }
    with refused("cannot make it") as caught, told("make it"):
        fail(GithubException(422, data, {}, "Validation Failed"))
    words = "422 Validation Failed tag_name already_exists tag_name was used before"
    assert caught.value.found == words


def test_what_requests_quotes_is_not_shown() -> None:
    error = requests.exceptions.InvalidHeader(f"Invalid return character: 'token {TOKEN}'")
    with refused("cannot make it") as caught, told("make it"):
        fail(error)
    assert caught.value.found == "the connection failed (InvalidHeader)"


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, "GitHub does not know it, or it has expired"),
        (403, "give it this"),
        (404, "is told the same: give it this"),
        (422, "mend what GitHub names"),
        (500, "publish again later"),
    ],
)
def test_each_status_has_its_next_step(status: int, hint: str) -> None:
    with refused("cannot make it") as caught, told("make it", needs="give it this"):
        fail(GithubException(status, None, {}, "Words"))
    assert caught.value.found == f"{status} Words"
    assert hint in caught.value.hint


def test_missing_permission_is_named(server: GitHubServer) -> None:
    server.faults.add(faults.not_accessible(), "GET", "/releases$")
    with (
        entered(server) as repository,
        refused("cannot look") as caught,
        told("look", needs="give the job `contents: read`"),
    ):
        list(repository.get_releases())
    assert caught.value.found == "403 Resource not accessible by integration"
    assert caught.value.hint == "give the job `contents: read`"


def test_certificate_is_trusted_by_requests_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make_certificates(tmp_path / "tls")
    waits: list[float] = []
    with GitHubServer(TOKEN, context=files.context()) as server:
        with refused("cannot open") as caught, entered(server, patient(waits)):
            pass
        assert caught.value.found == "the connection failed (SSLError)"
        assert "REQUESTS_CA_BUNDLE" in caught.value.hint
        assert waits == []
        assert server.records == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files.authority))
        assert _sent(server, tmp_path) == "uploaded"


def test_proxy_and_a_host_for_uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts: list[object] = []
    send = requests.adapters.HTTPAdapter.send

    def noted(self: Any, request: Any, **options: Any) -> requests.Response:
        timeouts.append(options["timeout"])
        return send(self, request, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", noted)
    with GitHubServer(TOKEN, root=API, upload_root=UPLOADS) as server:
        monkeypatch.setenv("HTTP_PROXY", server.address)
        assert _sent(server, tmp_path) == "uploaded"
        hosts = [record.request.headers["host"] for record in server.records]
    assert hosts == [*["api.github.example:80"] * 2, "uploads.github.example:80"]
    assert timeouts == [60, 60, (60, 300)]


def _sent(server: GitHubServer, tmp_path: Path) -> str:
    (tmp_path / WHEEL).write_bytes(b"wheel")
    server.store.add_release("v1")
    with entered(server) as repository:
        release = repository.get_release("v1")
        return send_file(release, tmp_path / WHEEL, WHEEL, patience=patient()).state


@pytest.mark.parametrize(
    ("root", "tls"),
    [
        ("http://evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://evil127.0.0.1", False),
        ("http://127.0.0.1", True),
    ],
)
def test_token_goes_to_github_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str, *, tls: bool
) -> None:
    """The last is GitHub's own host, without the TLS that its API has."""
    files = make_certificates(tmp_path / "tls")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files.authority))
    context = files.context() if tls else None
    with GitHubServer(TOKEN, context=context, upload_root=root) as server:
        with refused("takes files at a place that is not GitHub's") as caught:
            _sent(server, tmp_path)
        assert root in caught.value.found
        assert server.asked("POST", "") == []


def test_other_name_of_the_server_is_explained(server: GitHubServer) -> None:
    url = server.base_url.replace("127.0.0.1", "localhost")
    with (
        entered(server, GITHUB_API_URL=url) as repository,
        refused("leads to another place") as caught,
        told("look for a release"),
    ):
        repository.get_release("v1")
    assert "GITHUB_API_URL" in caught.value.hint
