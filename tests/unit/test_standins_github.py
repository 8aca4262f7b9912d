"""The stand-in for GitHub, driven by the client that the publisher uses."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from github import Auth, Github, GithubRetry
from github.GithubException import (
    BadCredentialsException,
    GithubException,
    RateLimitExceededException,
    UnknownObjectException,
)

from tests.standins_github import GitHubServer, faults
from tests.standins_github.entering import checked_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from github.GitRelease import GitRelease
    from github.GitReleaseAsset import GitReleaseAsset
    from github.Repository import Repository

TOKEN = "ghs_for_tests"  # noqa: S105
WHEEL = "demo-1.0-py3-none-any.whl"
UPLOADS = "^/api/uploads/.*/assets$"


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with checked_server(TOKEN) as server:
        yield server


@pytest.fixture
def repo(server: GitHubServer) -> Iterator[Repository]:
    with client(server) as github:
        yield github.get_repo("org/demo")


def client(server: GitHubServer, *, token: str = TOKEN, **options: Any) -> Github:
    settings: dict[str, Any] = {
        "retry": GithubRetry(total=2, secondary_rate_wait=0.2),
        "seconds_between_requests": None,
        "seconds_between_writes": None,
        **options,
    }
    return Github(base_url=server.base_url, auth=Auth.Token(token), **settings)


def upload(release: GitRelease, content: bytes = b"wheel", name: str = WHEEL) -> GitReleaseAsset:
    return release.upload_asset_from_memory(io.BytesIO(content), len(content), name)


def errors(caught: pytest.ExceptionInfo[GithubException]) -> list[tuple[str, str]]:
    data: Any = caught.value.data
    return [(error["code"], error["field"]) for error in data["errors"]]


def test_release_by_tag_is_a_published_one(server: GitHubServer, repo: Repository) -> None:
    server.store.add_release("v1/a", name="One")
    server.store.add_release("v2", draft=True)
    assert repo.get_release("v1/a").name == "One"
    with pytest.raises(UnknownObjectException):
        repo.get_release("v2")
    assert [release.draft for release in repo.get_releases()] == [True, False]
    assert len(repo.get_git_ref("tags/v1/a").object.sha) == 40


def test_draft_is_published_once_for_a_tag(repo: Repository) -> None:
    draft = repo.create_git_release("v1", "One", "notes", draft=True)
    second = repo.create_git_release("v1", "Two", "notes", draft=True)
    assert draft.update_release("One", "more notes").published_at is not None
    assert repo.get_release("v1").body == "more notes"
    with pytest.raises(GithubException) as caught:
        second.update_release("Two", "notes")
    assert errors(caught) == [("already_exists", "tag_name")]


def test_uploaded_file_has_its_digest(
    server: GitHubServer, repo: Repository, tmp_path: Path
) -> None:
    path = tmp_path / WHEEL
    path.write_bytes(b"wheel" * 100_000)
    server.store.add_release("v1")
    asset = repo.get_release("v1").upload_asset(str(path), content_type="application/zip")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (asset.digest, asset.size, asset.state) == (f"sha256:{digest}", 500_000, "uploaded")
    assert asset.content_type == "application/zip"
    asset.download_asset(str(tmp_path / "copy"), chunk_size=65_536)
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    assert asset.delete_asset()
    assert server.store.releases[0].assets == []


def test_second_file_of_a_name_is_refused(server: GitHubServer, repo: Repository) -> None:
    server.store.add_release("v1")
    release = repo.get_release("v1")
    assert upload(release, name="my wheel.whl").name == "my.wheel.whl"
    with pytest.raises(GithubException) as caught:
        upload(release, name="my.wheel.whl")
    assert caught.value.status == 422
    assert errors(caught) == [("already_exists", "name")]


def test_lists_come_in_pages(server: GitHubServer, repo: Repository) -> None:
    release = server.store.add_release("v1")
    for number in range(65):
        server.store.add_asset(release, f"{number}.whl", b"wheel")
    assets = repo.get_release("v1").get_assets()
    assert [asset.name for asset in assets] == [f"{number}.whl" for number in range(65)]
    pages = [record.request.query.get("page") for record in server.asked("GET", "/assets$")]
    assert pages == [None, "2", "3"]
    assert repo.get_release("v1").get_assets().totalCount == 65


def test_secondary_limit_is_waited_for(server: GitHubServer, repo: Repository) -> None:
    server.faults.add(faults.secondary_limit(), "POST", "/releases$")
    start = time.monotonic()
    assert repo.create_git_release("v1", "One", "notes").tag_name == "v1"
    assert time.monotonic() - start >= 0.2
    assert [record.status for record in server.asked("POST", "/releases$")] == [403, 201]


def test_patch_is_never_repeated(server: GitHubServer, repo: Repository) -> None:
    """PyGithub's retries leave PATCH out, whatever the answer says."""
    release = repo.create_git_release("v1", "One", "notes")
    server.faults.add(faults.secondary_limit(retry_after=0), "PATCH", "/releases/")
    with pytest.raises(RateLimitExceededException):
        release.update_release("Two", "notes")
    assert len(server.asked("PATCH", "/releases/")) == 1


def test_cut_upload_leaves_a_starter(server: GitHubServer, repo: Repository) -> None:
    """The repeated POST then finds the name taken: the client sees 422, not the cut."""
    release = repo.create_git_release("v1", "One", "notes")
    server.faults.add(faults.cut_upload(), "POST", UPLOADS)
    with pytest.raises(GithubException) as caught:
        upload(release, b"wheel" * 1_000_000)
    assert errors(caught) == [("already_exists", "name")]
    (starter,) = release.get_assets()
    assert (starter.state, starter.size, starter.digest) == ("starter", 0, None)
    assert [record.status for record in server.asked("POST", UPLOADS)] == [0, 422]


def test_lost_answer_hides_a_stored_file(server: GitHubServer, repo: Repository) -> None:
    release = repo.create_git_release("v1", "One", "notes")
    server.faults.add(faults.lost_answer(), "POST", UPLOADS)
    with pytest.raises(GithubException) as caught:
        upload(release)
    assert errors(caught) == [("already_exists", "name")]
    (asset,) = release.get_assets()
    assert asset.digest == f"sha256:{hashlib.sha256(b'wheel').hexdigest()}"


def test_upload_is_sent_again_whole(server: GitHubServer, repo: Repository, tmp_path: Path) -> None:
    """After a 503 and a cut before the answer, the file is read from its start."""
    (tmp_path / WHEEL).write_bytes(b"wheel" * 10)
    release = repo.create_git_release("v1", "One", "notes")
    server.faults.add(faults.server_error(503), "POST", UPLOADS)
    server.faults.add(faults.cut_before_answer(), "POST", UPLOADS)
    assert release.upload_asset(str(tmp_path / WHEEL)).size == 50
    assert [record.status for record in server.asked("POST", UPLOADS)] == [503, 0, 201]


def test_client_that_goes_away_leaves_a_starter(server: GitHubServer) -> None:
    release = server.store.add_release("v1")
    where = urlsplit(server.base_url)
    head = (
        f"POST /api/uploads/repos/org/demo/releases/{release.id}/assets?name={WHEEL} HTTP/1.1\r\n"
        f"Host: {where.netloc}\r\nAuthorization: Bearer {TOKEN}\r\nUser-Agent: test\r\n"
        "Content-Type: application/zip\r\nContent-Length: 1000\r\n\r\n"
    )
    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.sendall(head.encode() + b"a part")
    for _ in range(100):
        if release.assets:
            break
        time.sleep(0.01)
    assert [(asset.state, asset.name) for asset in release.assets] == [("starter", WHEEL)]


def test_comment_is_written_and_changed(server: GitHubServer, repo: Repository) -> None:
    server.store.issues.add(7)
    pull = repo.get_pull(7)
    pull.create_issue_comment("first").edit("second")
    assert [comment.body for comment in pull.get_issue_comments()] == ["second"]
    with pytest.raises(GithubException) as caught:
        pull.create_issue_comment(" ")
    assert caught.value.status == 422
    with pytest.raises(UnknownObjectException):
        repo.get_issue(8)


def test_token_learns_who_it_is_in_one_way(server: GitHubServer, repo: Repository) -> None:
    _headers, data = repo.requester.graphql_query("query { viewer { login } }", {})
    assert data["data"]["viewer"]["login"] == "github-actions[bot]"
    server.store.viewer = None
    with pytest.raises(GithubException, match="not accessible by integration"):
        repo.requester.graphql_query("query { viewer { login } }", {})


def test_immutable_release_takes_files_as_a_draft(server: GitHubServer, repo: Repository) -> None:
    stored = server.store.add_release("v1", draft=True, immutable=True)
    draft = repo.get_release(stored.id)
    asset = upload(draft)
    draft.update_release("One", "notes")
    with pytest.raises(GithubException, match="immutable release"):
        upload(draft, name="other.whl")
    with pytest.raises(GithubException, match="immutable release"):
        asset.delete_asset()


def test_notes_come_after_the_given_text(repo: Repository) -> None:
    release = repo.create_git_release("v1", "One", "text", generate_release_notes=True)
    assert release.body.startswith("text\n\n**Full Changelog**: ")


def test_refusals_are_not_repeated(server: GitHubServer, repo: Repository) -> None:
    server.faults.add(faults.not_accessible(), "POST", "/releases$")
    with pytest.raises(GithubException, match="Resource not accessible by integration"):
        repo.create_git_release("v1", "One", "notes")
    assert len(server.asked("POST", "/releases$")) == 1
    with client(server, token=TOKEN[1:]) as stranger, pytest.raises(BadCredentialsException):
        stranger.get_repo("org/demo")


@pytest.mark.parametrize(
    ("headers", "body", "status", "message"),
    [
        ({}, {}, 422, '"tag_name" wasn\'t supplied.'),
        ({}, {"tag_name": 1}, 422, "For 'properties/tag_name', 1 is not a string."),
        ({}, {"tag_name": "v1", "body": None}, 422, "nil is not a string."),
        ({}, {"tag_name": "v1", "draught": True}, 422, '"draught" is not a permitted key.'),
        ({}, {"tag_name": "a b"}, 422, "Validation Failed"),
        ({}, [], 400, "Body should be a JSON object"),
        ({"Accept": "text/html"}, {"tag_name": "v1"}, 415, "Must accept 'application/json'."),
        ({"X-GitHub-Api-Version": "2020-01-01"}, {"tag_name": "v1"}, 400, "not supported"),
        ({"Authorization": "Basic abc"}, {"tag_name": "v1"}, 401, "Bad credentials"),
    ],
)
def test_wrong_requests_are_refused(
    server: GitHubServer, headers: dict[str, str], body: object, status: int, message: str
) -> None:
    url = urlsplit(server.base_url)
    connection = http.client.HTTPConnection(url.netloc)
    usual = {"Authorization": f"token {TOKEN}", "User-Agent": "test"}
    path = f"{url.path}/repos/org/demo/releases"
    connection.request("POST", path, json.dumps(body), usual | headers)
    with connection.getresponse() as answer:
        document = json.load(answer)
    connection.close()
    assert (answer.status, document["status"]) == (status, str(status))
    assert message in document["message"]
    assert server.store.releases == []


def test_unknown_route_is_noted() -> None:
    with GitHubServer(TOKEN) as server, client(server) as github:
        with pytest.raises(UnknownObjectException):
            github.get_repo("owner/name").get_branch("main")
        assert server.unexpected == ["GET /api/v3/repos/owner/name/branches/main -> 404"]
